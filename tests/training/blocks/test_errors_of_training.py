"""Arguments of training that are refused, and what the messages say."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.optimizers import SGD, AdamW, Cosine  # noqa: E402
from training.perturbations import ShrinkPerturb  # noqa: E402
from training.protocols import Periodic  # noqa: E402
from training.task import Hardware, Task  # noqa: E402
from training.train import train_runs  # noqa: E402

from .small_tasks import DATA, perceptron, task  # noqa: E402


def frozen():
    network = perceptron()
    network[0].bias.requires_grad_(False)
    return network


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: train_runs(task(), [], 2), r"`seeds` must be .*, got \[\]; range\(200\) gives 200 runs"),
        (lambda: train_runs(task(), [1, -2], 2), "`seeds` must be whole numbers of at least 0, .* got -2"),
        (lambda: train_runs(task(), [1.5], 2), "`seeds` must be whole numbers .* got 1.5"),
        (lambda: train_runs(task(), [3, 4, 3], 2), "`seeds` must differ from each other, 3 occurs twice"),
        (lambda: train_runs(task(), [1], 0), "`epochs` must be a whole number of epochs, at least 1, got 0"),
        (lambda: train_runs(task(), [1], 2, None, Periodic(5)), "`perturbation` and `protocol` go together"),
        (lambda: train_runs(task(), [1], 2, ShrinkPerturb()), "go together: .* got ShrinkPerturb.* and None"),
        (
            lambda: train_runs(task(lambda: nn.Sequential(nn.BatchNorm1d(5)), engine="stacked"), [1], 2),
            "layer '0', BatchNorm1d.* engine \"single\"",
        ),
        (
            lambda: train_runs(task(nn.ReLU, engine="stacked"), [1], 2),
            "every parameter is trained, at least one; got 0 of 0",
        ),
        (
            lambda: train_runs(task(frozen, engine="stacked"), [1], 2),
            "every parameter is trained, at least one; got 3 of 4",
        ),
        (lambda: Task(DATA, perceptron, batch_size=2.5), "`batch_size` must be a whole number .* got 2.5"),
        (lambda: Task(3, perceptron), "`data` must be Data or have a method `load`, got 3"),
        (lambda: Task(DATA, perceptron, loss="mae"), "`loss` must be auto, cross_entropy, mse, .* got 'mae'"),
        (lambda: Hardware(device="tpu9"), '`device` must be "auto", "cpu", .* got \'tpu9\''),
        (lambda: Hardware(precision="float8"), "`precision` must be one of float32, tf32, bfloat16, got"),
        (lambda: SGD(learning_rate=0), "`learning_rate` must be positive and finite, got 0"),
        (lambda: SGD(momentum=1), "`momentum` must be at least 0 and below 1, got 1"),
        (lambda: SGD(momentum=0, nesterov=True), "`nesterov` needs a `momentum` above 0"),
        (lambda: AdamW(weight_decay=-1), "`weight_decay` must be a finite number of at least 0, got -1"),
        (lambda: Cosine(0), "`epochs` must be a whole number of epochs, at least 1, got 0"),
    ],
)
def test_errors_name_argument_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_said():
    settings = Task(DATA, perceptron, hardware=Hardware(device="cuda"))
    with pytest.raises(ValueError, match='`device` is "cuda", but torch finds no CUDA device'):
        settings.prepare()
