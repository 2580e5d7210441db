"""The exact means that ``stochreset simulate`` shows beside its own: closed forms and numerical ones."""

import math

import pytest

from stochreset import (
    Brownian,
    DoubleWell,
    Interval,
    Kick,
    LatticeWalk,
    NewCycle,
    Once,
    PartialReset,
    Periodic,
    PlateauMixture,
    Poisson,
    Reset,
    ShrinkPerturb,
)
from stochreset import simulate as simulate_sample
from stochreset.exact_answers import _finite_volumes, exact_mean
from stochreset.processes.plateaus import Plateaus


@pytest.mark.parametrize(
    "process", [Brownian(drift=0.5), Interval(start=0.3), Brownian(start=2.0, drift=-1.0)]
)
@pytest.mark.parametrize("protocol", [Poisson(1.0), Periodic(0.7), Once(0.7)])
def test_finite_volumes_agree_with_closed_forms(process, protocol):
    exact = exact_mean(process, protocol)
    assert exact is not None and exact.source == "closed form"
    found = _finite_volumes(process, protocol, Reset(), math.inf)
    assert found == pytest.approx(exact.value, rel=1e-4)


@pytest.mark.parametrize(
    ("process", "protocol", "perturbation"),
    [
        (Brownian(diffusion=0.5, start=-1.0), Periodic(0.5), PartialReset(0.5)),
        (DoubleWell(), Poisson(0.1), ShrinkPerturb(0.5, 0.3)),
        (DoubleWell(), Once(1.0), Kick(0.5)),
        (DoubleWell(), None, None),
        (Interval(), Poisson(1.0), PartialReset(0.5)),
    ],
)
def test_numerical_answers_agree_with_simulation(process, protocol, perturbation):
    exact = exact_mean(process, protocol, perturbation)
    assert exact is not None
    sample = simulate_sample(process, protocol, perturbation, runs=4000, seed=5)
    stderr = sample.times.std() / math.sqrt(4000)
    assert abs(sample.times.mean() - exact.value) < 5 * stderr
    assert abs(sample.times.mean() - 1.12 * exact.value) > 5 * stderr


FROZEN = Plateaus(
    model=PlateauMixture(
        plateau_mean=71.9, plateau_spread=0.16, noise=0.15, depth=30, relaxation_time=3, memory=1
    ),
    target=72.0,
)


@pytest.mark.parametrize(
    ("process", "protocol", "perturbation", "horizon"),
    [
        (Brownian(), None, None, None),  # infinite
        (Brownian(), Once(1.0), None, None),  # infinite
        (Brownian(), Poisson(1.0), Kick(0.3), None),  # infinite
        (Brownian(), Poisson(1.0), None, 3.0),  # not implemented
        (Interval(), Poisson(1.0), Kick(0.5), None),  # kicked through the wall
        (LatticeWalk(target=3), None, None, 2e7),  # too many steps to sum
        (FROZEN, Periodic(20), None, None),  # infinite
    ],
)
def test_no_exact_answer(process, protocol, perturbation, horizon):
    assert exact_mean(process, protocol, perturbation, horizon) is None


def test_horizons_between_two_steps():
    """Runs left after step 10 of a walk wait for the horizon."""
    walk = LatticeWalk(target=3)
    found = exact_mean(walk, horizon=10.5)
    assert found.value == pytest.approx(walk.restricted_mean(10) + 0.5 * walk.survival(10))
    sample = simulate_sample(walk, runs=100_000, seed=1, horizon=10.5)
    assert abs(sample.times.mean() - found.value) < 4.5 * sample.times.std() / math.sqrt(100_000)


def test_a_new_cycle_is_no_reset():
    with pytest.raises(ValueError, match=r"`perturbation` NewCycle\(\) needs a process whose model says"):
        exact_mean(Brownian(drift=1.0), Poisson(2.5), NewCycle())
    with pytest.raises(ValueError, match="Brownian has none: use Reset"):
        simulate_sample(Brownian(drift=1.0), Poisson(2.5), NewCycle(), runs=10, seed=1)
