"""Warm restarts: a perturber sets the learning-rate schedule back to its start."""

import io

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR  # noqa: E402

from training import Perturber  # noqa: E402
from training.perturbations import Composed, ShrinkPerturb, WarmRestart  # noqa: E402
from training.protocols import Once, Periodic  # noqa: E402

from .training_loop import OPTIMIZERS, Training  # noqa: E402

SCHEDULES = {
    "cosine": lambda optimizer: CosineAnnealingLR(optimizer, 6),
    "one-cycle": lambda optimizer: OneCycleLR(optimizer, 0.1, total_steps=12),
}


def rates(training, epochs):
    """What the optimizer is set to in each epoch."""
    found = []
    for _ in range(epochs):
        group = training.optimizer.param_groups[0]
        found.append([float(group["lr"]), group.get("momentum", group.get("betas"))])
        training.epoch()
    return found


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_warm_restart_sets_the_schedule_back(schedule, optimizer):
    plain = rates(Training(optimizer=optimizer, schedule=SCHEDULES[schedule]), 8)
    restarted = Training(WarmRestart(), Periodic(3), optimizer=optimizer, schedule=SCHEDULES[schedule])
    assert rates(restarted, 8) == plain[:3] + plain[:3] + plain[:2]
    assert len({rate for rate, _ in plain[:3]}) == 3
    assert restarted.optimizer.state


def test_a_warm_restart_within_others_restarts_too():
    both = Composed((ShrinkPerturb(0.4, 0.1), WarmRestart()))
    training = Training(both, Once(2), schedule=SCHEDULES["cosine"])
    first = rates(training, 2)
    assert not training.optimizer.state
    assert rates(training, 2) == first


def test_a_learning_rate_in_a_tensor_stays_that_tensor():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    rate = torch.tensor(0.1)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    scheduler = CosineAnnealingLR(optimizer, 6)
    perturber = Perturber(model, optimizer, WarmRestart(), Periodic(2), scheduler=scheduler)
    found = []
    for _ in range(4):
        found.append(float(rate))
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        scheduler.step()
        perturber.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert found[:2] == found[2:] and found[1] < found[0]
    file = io.BytesIO()
    torch.save(perturber.state_dict(), file)
    perturber.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("stop", [2, 3, 4])
def test_warm_restarts_resume(schedule, stop):
    def start():
        return Training(WarmRestart(), Periodic(3), schedule=SCHEDULES[schedule])

    whole, first, second = start(), start(), start()
    expected = rates(whole, 9)
    begun = rates(first, stop)
    second.load(first.save())
    assert begun + rates(second, 9 - stop) == expected


def test_the_start_of_the_schedule_comes_from_the_state():
    first = Training(WarmRestart(), Periodic(3), schedule=SCHEDULES["one-cycle"])
    expected = rates(first, 2)
    second = Training(schedule=SCHEDULES["one-cycle"])
    rates(second, 2)
    # Built where the schedule is under way, as after a checkpoint was loaded.
    arguments = second.model, second.optimizer, WarmRestart(), Periodic(3)
    second.perturber = Perturber(*arguments, scheduler=second.scheduler)
    second.perturber.load_state_dict(first.perturber.state_dict())
    second.epoch()
    assert rates(second, 2) == expected


def test_a_group_of_parameters_that_came_later_is_refused_and_nothing_changes():
    torch.manual_seed(0)
    first, second = nn.Linear(3, 2), nn.Linear(2, 2)
    optimizer = torch.optim.SGD(first.parameters(), 0.1)
    scheduler = CosineAnnealingLR(optimizer, 6)
    perturber = Perturber(
        nn.Sequential(first, second), optimizer, WarmRestart(), Periodic(1), scheduler=scheduler
    )
    optimizer.step()
    scheduler.step()
    optimizer.add_param_group({"params": second.parameters()})
    before = scheduler.state_dict(), [group["lr"] for group in optimizer.param_groups]
    message = "`optimizer` has 2 groups of parameters, and had 1 .* `scheduler` cannot be set back .* make both anew"
    with pytest.raises(ValueError, match=message):
        perturber.step()
    assert (scheduler.state_dict(), [group["lr"] for group in optimizer.param_groups]) == before
    assert perturber.count == 0
