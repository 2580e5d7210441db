"""Settings of tasks that are refused when they are made, and what the messages say."""

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.checks import check_number  # noqa: E402
from training.data import Data, Digits, Regression  # noqa: E402
from training.losses import Metric  # noqa: E402
from training.networks import MLP  # noqa: E402
from training.optimizers import SGD, AdamW, Cosine, Step  # noqa: E402
from training.task import Hardware, Task  # noqa: E402


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SGD(learning_rate="0.1"),
            "`learning_rate` must be a number, got '0.1'; leave out the quotes",
        ),
        (lambda: SGD(momentum=None), "`momentum` must be a number, got None"),
        (lambda: SGD(weight_decay=[0.1]), r"`weight_decay` must be a number, got \[0.1\]"),
        (lambda: AdamW(beta2="0.9"), "`beta2` must be a number, got '0.9'"),
        (lambda: AdamW(epsilon=None), "`epsilon` must be a number, got None"),
        (lambda: Cosine(4, "0"), "`floor` must be a number, got '0'"),
        (lambda: Step(4, True), "`factor_per_step` must be a number, got True"),
        (lambda: Regression(noise="1"), "`noise` must be a number, got '1'; leave out the quotes"),
        (lambda: Hardware(device=0), '`device` must be "auto", "cpu", "cuda" or "cuda:N", got 0'),
        (lambda: Hardware(device=None), '`device` must be "auto", .*, got None'),
        (lambda: Hardware(device="gpu"), "`device` must be \"auto\", .*, got 'gpu'"),
    ],
)
def test_numbers_and_devices(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": Digits}, r"`data` must be settings, got their class; give Digits\(\), with brackets"),
        ({"data": "digits"}, "`data` must be Data or have a method `load`, got 'digits'"),
        ({"data": "x" * 300}, r"got 'x{199}\.\.\.$"),
        ({"network": MLP}, r"`network` must be settings, got their class; give MLP\(\), with brackets"),
        (
            {"network": nn.Linear(2, 2)},
            "`network` must make networks, and got one network, Linear; give a fu",
        ),
        ({"network": "mlp"}, "`network` must be settings with a method build.*, got 'mlp'"),
        ({"optimizer": "sgd"}, "`optimizer` must be one of training.optimizers, got 'sgd'"),
        ({"optimizer": SGD}, r"`optimizer` must be settings, got their class; give SGD\(\), with brackets"),
        ({"schedule": SGD()}, r"`schedule` must be one of training.optimizers, got SGD\("),
        ({"hardware": "cpu"}, r"`hardware` must be Hardware, such as Hardware\(device=\"cpu\"\), got 'cpu'"),
        (
            {"loss": "huber"},
            "`loss` must be auto, cross_entropy, mse, or a function of your own, got 'huber'",
        ),
        ({"loss": 3}, "`loss` must be auto, cross_entropy, mse, or a function of your own, got 3"),
        (
            {"metrics": Metric("size", len)},
            "`metrics` must be a sequence, got a single Metric; put it in square",
        ),
        ({"metrics": 3}, "`metrics` must be a sequence of Metric, got 3"),
        ({"metrics": {"size": len}}, "`metrics` must hold Metric objects, got 'size'"),
        ({"batch_size": "25"}, "`batch_size` must be a whole number of samples, at least 1, got '25'"),
    ],
)
def test_tasks(settings, message):
    with pytest.raises(ValueError, match=message):
        Task(**{"data": Digits(), "network": MLP(), **settings})


def test_what_tasks_take():
    class Source:
        def load(self) -> Data:
            return Regression().load()

    def network():
        return nn.Linear(10, 1)

    task = Task(Source(), network, loss=lambda outputs, targets: outputs, metrics=[Metric("size", len)])
    assert task.metrics == (Metric("size", len),)
    for number in (1, 0.5, float("inf"), float("nan")):
        check_number("number", number)
