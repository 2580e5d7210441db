"""The exact means that ``stochreset simulate`` shows beside its own: closed forms and numerical ones."""

import math

import pytest

from stochreset import (
    Brownian,
    DoubleWell,
    Interval,
    Kick,
    Once,
    PartialReset,
    Periodic,
    Poisson,
    Reset,
    ShrinkPerturb,
)
from stochreset import simulate as simulate_sample
from stochreset.exact_answers import _finite_volumes, exact_mean


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


@pytest.mark.parametrize(
    ("process", "protocol", "perturbation", "horizon"),
    [
        (Brownian(), None, None, None),  # infinite
        (Brownian(), Once(1.0), None, None),  # infinite
        (Brownian(), Poisson(1.0), Kick(0.3), None),  # infinite
        (Brownian(), Poisson(1.0), None, 3.0),  # not implemented
        (Interval(), Poisson(1.0), Kick(0.5), None),  # kicked through the wall
    ],
)
def test_no_exact_answer(process, protocol, perturbation, horizon):
    assert exact_mean(process, protocol, perturbation, horizon) is None
