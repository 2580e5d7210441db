import mpmath
import numpy as np
import pytest

from stochreset import Informed, Kick, Periodic, Poisson, simulate
from stochreset.processes.ctrw import CTRW

from ..statistics_of_passages import agrees, same_law, same_sample_law

RUNS = 100_000


@pytest.mark.parametrize("exponent, rate", [(0.5, 0.02), (0.8, 0.1), (1.7, 0.05)])
def test_poisson_resets(exponent, rate):
    walk = CTRW(exponent=exponent, time_unit=0.5, step=0.1, start=0.2, target=-0.1)
    sample = simulate(walk, Poisson(rate), runs=RUNS, seed=1)
    assert agrees(sample, walk.mfpt_poisson(rate)) and not agrees(sample, 1.1 * walk.mfpt_poisson(rate))


@pytest.mark.parametrize("exponent", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("s", [1e-4, 0.3, 20.0])
def test_transform_of_the_waiting_time(exponent, s):
    """The law of passage over one step, from the exponential integral a E_(1+a)(s)."""
    with mpmath.workdps(40):
        psi = exponent * mpmath.expint(1 + exponent, s)
        exact = (1 - mpmath.sqrt(1 - psi**2)) / psi
    assert CTRW(exponent=exponent).laplace(s) == pytest.approx(float(exact), rel=1e-6, abs=0)


def test_first_hop():
    """One step away, half of the runs arrive with the first hop, after a Pareto waiting time."""
    walk = CTRW(exponent=0.5, time_unit=2.0)
    sample = simulate(walk, runs=RUNS, seed=2, horizon=6.0)  # the third hop comes later

    def cdf(t):
        return 1 - (2.0 / np.maximum(t, 2.0)) ** 0.5

    assert same_law(sample.times[sample.observed], lambda t: cdf(t) / cdf(6.0))
    assert not same_law(sample.times[sample.observed], lambda t: cdf(t / 1.1) / cdf(6.0 / 1.1))
    assert sample.observed.mean() == pytest.approx(cdf(6.0) / 2, abs=0.007)


def test_waiting_goes_on_unless_perturbed():
    walk = CTRW(exponent=0.5, target=2.0)
    free = simulate(walk, runs=RUNS, seed=1, horizon=100.0)
    watched = simulate(walk, Informed(Periodic(1.7), above=50.0), runs=RUNS, seed=2, horizon=100.0)
    renewed = simulate(walk, Periodic(1.7), Kick(), runs=RUNS, seed=3, horizon=100.0)
    assert same_sample_law(free.times, watched.times)
    assert not same_sample_law(free.times, renewed.times)


def test_rounded_positions_need_no_further_hop():
    assert CTRW(step=0.1, target=0.3).hops == 3 and CTRW(step=0.1, target=0.31).hops == 4
    steps = 0.1 + 0.1 + 0.1 - 0.3
    assert steps != 0
    a = simulate(CTRW(exponent=2.0, step=0.1, target=0.3), Poisson(0.01), runs=1000, seed=1)
    b = simulate(CTRW(exponent=2.0, step=1.0, target=3.0), Poisson(0.01), runs=1000, seed=1)
    assert np.array_equal(a.times, b.times)


def test_mean_is_infinite():
    assert CTRW().arrives and not CTRW().finite_mean and CTRW().mfpt() == np.inf


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"exponent": 0.05}, "`exponent` must be at least 0.1, got 0.05"),
        ({"exponent": -1.0}, "`exponent` must be positive"),
        ({"time_unit": 0.0}, "`time_unit` must be positive"),
        ({"step": 0.0}, "`step` must be positive"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        CTRW(**arguments)
