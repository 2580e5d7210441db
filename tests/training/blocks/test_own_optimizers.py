"""Optimizers of one's own, with several groups of parameters or a state that does not start at zero."""

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.blocks import BlockRun  # noqa: E402
from training.optimizers import Optimizer  # noqa: E402
from training.optimizers.zero_start import ZERO_START, check_zero_start  # noqa: E402
from training.perturbations import OptimizerReset  # noqa: E402
from training.protocols import Periodic  # noqa: E402
from training.task import SECONDS  # noqa: E402

from .small_tasks import task  # noqa: E402

STOPPED, EPOCHS = 2, 5


@dataclass(frozen=True)
class Grouped(Optimizer):
    learning_rate: float = 0.05

    def build(self, parameters, capturable=False):
        parameters = list(parameters)
        decayed = {"params": [value for value in parameters if value.dim() > 1], "weight_decay": 0.01}
        rest = {"params": [value for value in parameters if value.dim() == 1]}
        return torch.optim.SGD([decayed, rest], lr=self.learning_rate, momentum=0.9)

    def stacked(self, parameters):
        raise NotImplementedError


@dataclass(frozen=True)
class Named(Optimizer):
    learning_rate: float = 0.01
    kind: type = torch.optim.SGD

    def build(self, parameters, capturable=False):
        return self.kind(parameters, lr=self.learning_rate)

    def stacked(self, parameters):
        raise NotImplementedError


class Counting(torch.optim.Optimizer):
    """Keeps its number of steps as a number, as many do that are not of torch."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for value in group["params"]:
                state = self.state[value]
                state["step"] = state.get("step", 0) + 1
                value.sub_(value.grad, alpha=group["lr"] / state["step"])


KINDS = [
    *(getattr(torch.optim, name) for name in ("NAdam", "Rprop", "ASGD", "Adagrad", "RMSprop", "Adam")),
    Counting,
]


def start(optimizer, *perturbed):
    return BlockRun(task(optimizer=optimizer, engine="single").prepare(), [3], EPOCHS, *perturbed)


def finish(run):
    while not run.finished:
        run.step()
    return np.stack([values for name, values in run.traces.items() if name != SECONDS])


@pytest.mark.parametrize("optimizer", [Grouped(), *(Named(kind=kind) for kind in KINDS)], ids=repr)
def test_a_run_with_an_optimizer_of_ones_own_resumes_bit_for_bit(optimizer):
    whole = start(optimizer)
    for _ in range(STOPPED):
        whole.step()
    resumed = start(optimizer)
    resumed.load_state_dict(whole.state_dict())
    assert np.array_equal(finish(resumed), finish(whole))


@pytest.mark.parametrize("optimizer", [Grouped(), *(Named(kind=kind) for kind in KINDS)], ids=repr)
def test_a_reset_optimizer_is_a_fresh_one(optimizer):
    reset = start(optimizer, OptimizerReset(), Periodic(STOPPED, first=STOPPED))
    plain = start(optimizer)
    for _ in range(STOPPED):
        plain.step()
    state = plain.state_dict()
    state["runs"][0]["optimizer"] = start(optimizer).state_dict()["runs"][0]["optimizer"]
    fresh = start(optimizer)
    fresh.load_state_dict(state)
    found, expected, kept = finish(reset), finish(fresh), finish(plain)
    until = 2 * STOPPED  # the next reset
    assert np.array_equal(found[..., :until], expected[..., :until])
    assert not np.array_equal(found[..., :until], kept[..., :until])


def test_a_captured_step_is_for_optimizers_that_start_at_zero():
    values = [nn.Parameter(torch.ones(2))]
    for kind in ZERO_START:
        check_zero_start(kind(values, lr=0.1))
    for kind in KINDS[:3]:
        with pytest.raises(
            ValueError, match=rf"`optimizer` builds {kind.__name__}, .*Hardware.cuda_graphs=False"
        ):
            check_zero_start(kind(values, lr=0.1))
    with pytest.raises(ValueError, match="`optimizer` builds SGD with dampening, whose state"):
        check_zero_start(torch.optim.SGD(values, lr=0.1, momentum=0.9, dampening=0.1))


@pytest.mark.parametrize("kind", ZERO_START)
def test_zeros_are_where_their_state_starts(kind):
    found = []
    for used in (False, True):
        values = [nn.Parameter(torch.tensor([1.0, -2.0]))]
        optimizer = kind(values, lr=0.1)
        for step in range(-1 if used else 0, 3):
            values[0].grad = torch.tensor([0.5, 1.0 + step])
            optimizer.step()
            if step < 0:
                values[0].data.copy_(torch.tensor([1.0, -2.0]))
                for value in optimizer.state[values[0]].values():
                    value.zero_()
        found.append(values[0].detach())
    assert torch.equal(*found)
