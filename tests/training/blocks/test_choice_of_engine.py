"""Networks and losses that torch cannot compute for many runs at once, and layers that look at their mode."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from training.blocks import make_block  # noqa: E402
from training.blocks.single import SingleBlock  # noqa: E402
from training.blocks.stacked import StackedBlock  # noqa: E402
from training.losses import cross_entropies  # noqa: E402

from .small_tasks import METRICS, Residual, perceptron, task, train  # noqa: E402


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.GRU(1, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, inputs):
        return self.last(self.inner(inputs.unsqueeze(-1))[0][:, -1])


class Dropping(Residual):
    def forward(self, inputs):
        return functional.dropout(super().forward(inputs), 0.5, self.training)


class Branching(Residual):
    def forward(self, inputs):
        outputs = super().forward(inputs)
        return outputs if outputs.abs().max() < 100 else outputs / 10


class Modes(Residual):
    """Computes something else in training than afterwards."""

    def forward(self, inputs):
        outputs = super().forward(inputs)
        return outputs if self.training else outputs.sin()


def leaky():
    return nn.Sequential(nn.Linear(5, 4), nn.RReLU(), nn.Linear(4, 3))


def branching_loss(outputs, targets):
    losses = cross_entropies(outputs, targets)
    return losses if losses.max() < 100 else losses / 10


UNSTACKED = [
    *((factory, "auto") for factory in (Recurrent, Dropping, Branching)),
    (perceptron, branching_loss),
]


@pytest.mark.parametrize(("factory", "loss"), UNSTACKED)
def test_what_cannot_be_stacked_is_trained_singly(factory, loss):
    settings = task(factory, loss=loss)
    torch.manual_seed(4)
    before = torch.get_rng_state()
    assert isinstance(make_block(settings.prepare(), range(3)), SingleBlock)
    assert torch.equal(torch.get_rng_state(), before)
    found = train(settings, range(3), 3)
    assert np.array_equal(found, train(task(factory, loss=loss, engine="single"), range(3), 3))
    message = (
        '`engine` is "stacked", but torch cannot .* for many runs at once: .*; .* Hardware.engine="single"'
    )
    with pytest.raises(ValueError, match=message):
        train(task(factory, loss=loss, engine="stacked"), range(3), 3)


def test_random_activations_are_layers_that_are_not_stacked():
    assert isinstance(make_block(task(leaky).prepare(), [1]), SingleBlock)
    with pytest.raises(ValueError, match="layer '1', RReLU.* engine \"single\""):
        train(task(leaky, engine="stacked"), [1], 2)


@pytest.mark.parametrize("factory", [perceptron, Residual, Modes])
def test_others_are_stacked_as_before(factory):
    assert isinstance(make_block(task(factory).prepare(), range(3)), StackedBlock)
    found, expected = (train(task(factory, engine=engine), range(3), 4) for engine in ("stacked", "single"))
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_the_modes_are_seen_in_training_and_in_evaluation():
    found = dict(zip(METRICS, train(task(Modes), range(3), 2), strict=True))
    plain = dict(zip(METRICS, train(task(Residual), range(3), 2), strict=True))
    assert np.array_equal(found["train_loss"], plain["train_loss"])
    assert np.abs(found["test_loss"] / plain["test_loss"] - 1).min() > 1e-3


def test_a_lack_of_memory_is_not_taken_for_a_network_that_cannot_be_stacked(monkeypatch):
    def attempt(block):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(StackedBlock, "attempt", attempt)
    with pytest.raises(torch.OutOfMemoryError):
        make_block(task().prepare(), range(3))
