import pytest

torch = pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from scipy import stats  # noqa: E402

from theory.protocols import renewal  # noqa: E402
from training.config import load_study  # noqa: E402
from training.data import CIFAR10, CIFAR100, DATA_SETS, Digits, ImageFolder, Regression  # noqa: E402
from training.executors import ExecutorSettings  # noqa: E402
from training.networks import MLP, NETWORKS, ResNet18, SmallCNN  # noqa: E402
from training.optimizers import OPTIMIZERS, SCHEDULES, SGD, AdamW, Constant, Cosine, Step  # noqa: E402
from training.perturbations import (  # noqa: E402
    KINDS,
    PRESETS,
    Composed,
    LayerReset,
    OptimizerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WarmRestart,
    WeightNoise,
    ash_adams,
    paper_partial,
    paper_shrink_perturb,
)
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


DATA = {
    "digits": ("split_seed = 3", lambda folder: Digits(split_seed=3)),
    "cifar10": (
        'root = "data"\ndownload = false',
        lambda folder: CIFAR10(str(folder / "data"), download=False),
    ),
    "cifar100": ('root = "~/data"', lambda folder: CIFAR100(str(folder / "home" / "data"))),
    "image-folder": ('root = "/images"\nsize = 32', lambda folder: ImageFolder("/images", 32)),
    "regression": (
        'noise = 1\nfunction = "friedman2"',
        lambda folder: Regression(noise=1.0, function="friedman2"),
    ),
}


@pytest.mark.parametrize("kind", DATA_SETS)
def test_data(load, folder, kind):
    keys, made = DATA[kind]
    study = load(f'epochs = 1\nseeds = 1\n[data]\nkind = "{kind}"\n{keys}\n[network]\nkind = "mlp"\n')
    assert study.task.data == made(folder)


NETWORK = {
    "mlp": ('hidden = []\nactivation = "tanh"', MLP((), "tanh")),
    "cnn": ('channels = [8]\nnormalisation = "none"', SmallCNN((8,), "none")),
    "resnet18": ("", ResNet18()),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_networks(load, kind):
    keys, made = NETWORK[kind]
    study = load(f'epochs = 1\nseeds = 1\n[data]\nkind = "digits"\n[network]\nkind = "{kind}"\n{keys}\n')
    assert study.task.network == made


STEPS = {"sgd": ("nesterov = true", SGD(nesterov=True)), "adamw": ("beta1 = 0.5", AdamW(beta1=0.5))}
RATES = {
    "constant": ("", Constant()),
    "cosine": ("epochs = 5\nfloor = 0.1", Cosine(5, 0.1)),
    "step": ("epochs = 5", Step(5)),
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_optimizers(load_with, kind):
    keys, made = STEPS[kind]
    assert load_with(tables=f'[optimizer]\nkind = "{kind}"\n{keys}').task.optimizer == made


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules(load_with, kind):
    keys, made = RATES[kind]
    assert load_with(tables=f'[schedule]\nkind = "{kind}"\n{keys}').task.schedule == made


WHAT = {
    "shrink_perturb": ('noise = 0\nsource = "gaussian"', ShrinkPerturb(noise=0.0, source="gaussian")),
    "stochastic_reset": ('optimizer = "keep"', StochasticReset(optimizer="keep")),
    "partial_reset": ("fraction = 0.2", PartialReset(0.2)),
    "layer_reset": ('layers = ["2", "4"]', LayerReset(layers=("2", "4"))),
    "weight_noise": ("noise = 0.1\nrelative = true", WeightNoise(0.1, relative=True)),
    "warm_restart": ("", WarmRestart()),
    "optimizer_reset": ("", OptimizerReset()),
}
PUBLISHED = {
    "paper_shrink_perturb": ("shrink = 0.3", paper_shrink_perturb(shrink=0.3)),
    "paper_partial": ("fraction = 0.1", paper_partial(0.1)),
    "ash_adams": ("shrink = 0.5\nnoise = 0.01", ash_adams(0.5, 0.01)),
}


def only(study):
    [treatment] = study.treatments
    return treatment


@pytest.mark.parametrize("kind", KINDS)
def test_perturbations(load_with, kind):
    keys, made = WHAT[kind]
    text = f'[[perturbation]]\nkind = "{kind}"\n{keys}\nperiod = 9'
    assert only(load_with(tables=text)) == Treatment(made, Periodic(9))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets(load_with, preset):
    keys, made = PUBLISHED[preset]
    text = f'[[perturbation]]\npreset = "{preset}"\n{keys}\nperiod = 9'
    assert only(load_with(tables=text)) == Treatment(made, Periodic(9))


def test_compositions_hold_kinds_presets_and_compositions(load_with):
    parts = """[
  {kind = "weight_noise", noise = 0.1},  # first
  {preset = "paper_partial", fraction = 0.1},
  {parts = [{kind = "warm_restart"}]},
]"""
    made = only(load_with(tables=f"[[perturbation]]\nparts = {parts}\nperiod = 9")).perturbation
    assert made == Composed((WeightNoise(0.1), paper_partial(0.1), Composed((WarmRestart(),))))


@pytest.mark.parametrize(
    ("keys", "protocols"),
    [
        ("period = 20", [Periodic(20)]),
        ("periods = [20, 30]", [Periodic(20), Periodic(30)]),
        ("period = 20\nbranch_at = [20, 60]", [Periodic(20), Periodic(20, 60)]),
        ("period = 20\nbranch_at = 60", [Periodic(20), Periodic(20, 60)]),
        ("rate = 1", [Poisson(1.0)]),
        ("rates = [0.1, 1]", [Poisson(0.1), Poisson(1.0)]),
        ("once = 30", [Once(30)]),
        ("once = [30, 40]", [Once(30), Once(40)]),
    ],
)
def test_protocols(load_with, keys, protocols):
    study = load_with(tables=f'[[perturbation]]\nkind = "warm_restart"\n{keys}')
    assert [treatment.protocol for treatment in study.treatments] == protocols


@pytest.mark.parametrize(
    ("keys", "law", "label"),
    [
        ("gamma = {shape = 4, scale = 5}", renewal(stats.gamma(4, scale=5)), "gamma-20.5"),
        ("[perturbation.gamma]\nshape = 4\nscale = 5", renewal(stats.gamma(4, scale=5)), "gamma-20.5"),
        ("uniform = {shortest = 10, longest = 30}", renewal(stats.randint(10, 31)), "uniform-20"),
        ("uniform = {shortest = 7, longest = 7}", renewal(stats.randint(7, 8)), "uniform-7"),
    ],
)
def test_renewals(load_with, keys, law, label):
    treatment = only(load_with(tables=f'[[perturbation]]\nkind = "warm_restart"\n{keys}'))
    assert treatment.protocol.law.beyond.tolist() == law.beyond.tolist()
    assert treatment.group == f"warm_restart:{label}"


def test_uniform_intervals_include_both_ends(load_with):
    keys = "uniform = {shortest = 2, longest = 4}"
    protocol = only(load_with(tables=f'[[perturbation]]\nkind = "warm_restart"\n{keys}')).protocol
    assert {protocol.interval(seed, 1) for seed in range(50)} == {2, 3, 4}


def test_one_name_for_two_tables_of_the_same_perturbation(load_with):
    table = '[[perturbation]]\nkind = "warm_restart"\n'
    study = load_with(tables=f"{table}period = 20\n{table}gamma = {{shape = 4, scale = 5}}")
    assert [treatment.name for treatment in study.treatments] == ["warm_restart"] * 2


@pytest.mark.parametrize(
    ("top", "tables", "settings"),
    [
        ('executor = "in-process"', "", ExecutorSettings()),
        ('executor = "slurm:gpu"', "", ExecutorSettings("slurm", options={"slurm_partition": "gpu"})),
        ("", '[executor]\nkind = "gpus"\nworkers = 4', ExecutorSettings("gpus", workers=4)),
        (
            "",
            '[executor]\nkind = "slurm"\noptions = {mem_gb = 8, slurm_qos = "low"}',
            ExecutorSettings("slurm", options={"mem_gb": 8, "slurm_qos": "low"}),
        ),
    ],
)
def test_executors(load_with, top, tables, settings):
    assert load_with(top, tables).executor == settings


def test_relative_paths_start_at_the_folder_of_the_file(load_with, folder, monkeypatch):
    load_with(
        tables='[[perturbation]]\nkind = "stochastic_reset"\ncheckpoint = "nets/a.pt"\nonce = 5\n'
        '[executor]\nkind = "submitit-local"\nlog_folder = "~/logs"'
    )
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    study = load_study("../study.toml")
    assert only(study).perturbation.checkpoint == str(folder / "nets/a.pt")
    assert study.executor.log_folder == str(folder / "home" / "logs")
    assert only(load_study(folder / "study.toml")).perturbation.checkpoint == str(folder / "nets/a.pt")


@pytest.mark.parametrize(
    ("top", "tables"),
    [('executor = "dask:s.json"', ""), ("", '[executor]\nkind = "dask"\naddress = "s.json"')],
)
def test_a_scheduler_file_is_a_path_too(load_with, folder, top, tables):
    assert load_with(top, tables).executor.address == str(folder / "s.json")


def test_the_address_of_a_scheduler_is_none(load_with):
    assert load_with('executor = "dask://node:8786"').executor.address == "tcp://node:8786"
