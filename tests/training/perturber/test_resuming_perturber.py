"""Runs that are saved and resumed with the state of their perturber, and states that are refused."""

import io

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from scipy import stats  # noqa: E402
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR  # noqa: E402

from theory.protocols import renewal  # noqa: E402
from training.perturbations import ShrinkPerturb, StochasticReset, WeightNoise  # noqa: E402
from training.protocols import Once, Periodic, Poisson, Renewal  # noqa: E402

from .training_loop import NOTHING, Training, assert_same, small  # noqa: E402


@pytest.mark.parametrize("stop", [2, 3, 4])
@pytest.mark.parametrize("perturbation", [ShrinkPerturb(0.4, 0.1), StochasticReset(), WeightNoise(0.1)])
def test_resumes_bit_for_bit_around_a_perturbation(stop, perturbation):
    def start():
        training = Training(perturbation, Periodic(3), optimizer="adam")
        torch.manual_seed(3)
        return training

    first = start()
    first.epochs(stop)
    saved = first.save()
    second = Training(perturbation, Periodic(3), optimizer="adam", seed=77)  # the seed is in the state
    second.load(saved)
    assert second.epochs(5) == [(stop + more) % 3 == 0 for more in range(1, 6)]
    whole = start()
    whole.epochs(stop + 5)
    assert_same(whole.model.state_dict(), second.model.state_dict())
    assert whole.perturber.state_dict() == second.perturber.state_dict()
    other = Training(perturbation, Periodic(3), optimizer="adam", seed=77)
    torch.manual_seed(3)
    other.epochs(stop + 5)
    assert not torch.equal(whole.model[0].weight, other.model[0].weight)


@pytest.mark.parametrize(
    "protocol",
    [Periodic(np.int64(4), first=6), Once(5), Poisson(0.4), Renewal(renewal(stats.gamma(4, scale=1)))],
    ids=lambda each: each.label,
)
@pytest.mark.parametrize("stop", [0, 4, 5, 9])
def test_a_continued_run_keeps_its_times(protocol, stop):
    first, second = small(protocol=protocol, seed=4), small(protocol=protocol, seed=8)
    done = [first.step() for _ in range(stop)]
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    second.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    done += [second.step() for _ in range(stop, 20)]
    assert [epoch for epoch, perturbed in enumerate(done, 1) if perturbed] == protocol.epochs(4, 21)


def test_a_state_is_a_copy():
    perturber = small()
    state = perturber.state_dict()
    perturber.step()
    assert state["epoch"] == 0
    state["groups"][0]["lr"] = 7
    assert perturber.state_dict()["groups"][0]["lr"] == 0.1


def test_a_state_of_equal_settings_is_taken():
    perturber = small(ShrinkPerturb(1, 0), Renewal(renewal(stats.gamma(4, scale=1))))
    perturber.load_state_dict(
        small(ShrinkPerturb(1.0, 0.0), Renewal(renewal(stats.gamma(4, scale=1)))).state_dict()
    )


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: small(ShrinkPerturb(0.9, 0)).state_dict(), "`state` was saved with the perturbation .*0.9"),
        (
            lambda: small(WeightNoise(0.1)).state_dict(),
            "`state` was saved with the perturbation .*weight_noise",
        ),
        (
            lambda: small(protocol=Periodic(3)).state_dict(),
            "`state` was saved with the protocol .*'period': 3",
        ),
        (lambda: small(protocol=Poisson(0.5)).state_dict(), "`state` was saved with the protocol .*poisson"),
        (lambda: {"epoch": 3}, "`state` must be what Perturber.state_dict returned, it lacks count, groups"),
        (lambda: None, "`state` must be what Perturber.state_dict returned"),
    ],
)
def test_a_state_of_something_else_is_refused_and_changes_nothing(other, message):
    perturber = small()
    perturber.step()
    before = perturber.state_dict()
    with pytest.raises(ValueError, match=message):
        perturber.load_state_dict(other())
    assert perturber.state_dict() == before


def test_laws_that_differ_in_one_of_many_epochs_are_told_apart():
    beyond = np.linspace(1, 0, 3000)
    changed = beyond.copy()
    changed[1500] = changed[1501]
    from theory.protocols import IntervalLaw

    laws = [Renewal(IntervalLaw("law", each)) for each in (beyond, changed)]
    assert repr(laws[0]) == repr(laws[1])  # which is why states do not hold it
    with pytest.raises(ValueError, match="saved with the protocol"):
        small(protocol=laws[0]).load_state_dict(small(protocol=laws[1]).state_dict())


def test_a_state_of_another_kind_of_schedule_is_refused():
    def cosine(optimizer):
        return CosineAnnealingLR(optimizer, 4)

    def one_cycle(optimizer):
        return OneCycleLR(optimizer, 0.1, total_steps=40)

    perturber = Training(NOTHING, Periodic(2), schedule=cosine).perturber
    before = perturber.state_dict()
    for other in (one_cycle, None):
        with pytest.raises(ValueError, match="`state` was saved with another kind of scheduler or optimizer"):
            perturber.load_state_dict(Training(NOTHING, Periodic(2), schedule=other).perturber.state_dict())
    assert perturber.state_dict() == before
