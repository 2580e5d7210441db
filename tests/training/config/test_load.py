"""A whole study from a file, its defaults and its seeds."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from training.data import Digits  # noqa: E402
from training.executors import ExecutorSettings  # noqa: E402
from training.networks import MLP  # noqa: E402
from training.optimizers import SGD, Cosine  # noqa: E402
from training.perturbations import Composed, ShrinkPerturb, WarmRestart  # noqa: E402
from training.protocols import Once, Periodic, Poisson  # noqa: E402
from training.study.settings import TrainingStudy, Treatment  # noqa: E402
from training.task import Hardware, Task  # noqa: E402

FULL = """\
epochs = 160
seeds = 200
block_size = 25
metric = "test_accuracy"
threshold = 93          # a whole number is a number
stop_at_threshold = true
checkpoint_seconds = 30
keep_checkpoints = false
executor = "processes:2"

[data]
kind = "digits"
train_images = 100

[network]
kind = "mlp"
hidden = [32]

[optimizer]
kind = "sgd"
learning_rate = 1

[schedule]
kind = "cosine"
epochs = 50

[training]
batch_size = 10
drop_last = true
loss = "mse"

[hardware]
device = "cpu"
engine = "single"

[[perturbation]]
kind = "shrink_perturb"
name = "sp"
shrink = 0.4
periods = [20, 40]
branch_at = [60, 40]
rates = [0.05]
once = [30]
seeds = {first = 1000, count = 3}

[[perturbation]]
name = "both"
parts = [{kind = "shrink_perturb", shrink = 0.5}, {kind = "warm_restart"}]
period = 20
"""


def test_a_whole_study(load):
    sp, seeds = ShrinkPerturb(shrink=0.4), (1000, 1001, 1002)
    when = [Periodic(20), Periodic(40), Poisson(0.05), Once(30)]
    when += [Periodic(20, 60), Periodic(20, 40), Periodic(40, 60)]
    both = Composed((ShrinkPerturb(shrink=0.5), WarmRestart()))
    assert load(FULL) == TrainingStudy(
        Task(
            Digits(100),
            MLP((32,)),
            SGD(1.0),
            Cosine(50),
            batch_size=10,
            drop_last=True,
            loss="mse",
            hardware=Hardware("cpu", engine="single"),
        ),
        epochs=160,
        seeds=tuple(range(200)),
        treatments=(
            *(Treatment(sp, each, "sp", seeds) for each in when),
            Treatment(both, Periodic(20), "both"),
        ),
        block_size=25,
        metric="test_accuracy",
        threshold=93.0,
        stop_at_threshold=True,
        checkpoint_seconds=30.0,
        keep_checkpoints=False,
        executor=ExecutorSettings("processes", workers=2),
    )


def test_defaults_are_those_of_the_classes(load_with):
    assert load_with() == TrainingStudy(Task(Digits(), MLP()), epochs=160, seeds=(0, 1, 2, 3))


@pytest.mark.parametrize(
    "disguise",
    [lambda text: text.replace(b"\n", b"\r\n"), lambda text: b"\xef\xbb\xbf" + text],
    ids=["CRLF", "BOM"],
)
def test_files_of_windows(load, problems, disguise):
    assert load(disguise(FULL.encode())) == load(FULL)
    wrong = FULL.replace("train_images", "train_image")
    assert problems(disguise(wrong.encode())) == problems(wrong)
    assert problems(wrong)[0].startswith('study.toml, line 13: [data] has no key "train_image"')


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", (0, 1, 2)), ("[3, 5, 8]", (3, 5, 8)), ("{first = 7, count = 2}", (7, 8)), ("{count = 2}", (0, 1))],
)
def test_seeds(load, text, seeds):
    tables = '\n[data]\nkind = "digits"\n[network]\nkind = "mlp"\n[[perturbation]]\nkind = "warm_restart"\nonce = 9\n'
    study = load(f"epochs = 10\nseeds = {text}{tables}seeds = {text}\n")
    assert study.seeds == seeds
    assert study.treatments[0].seeds == seeds
