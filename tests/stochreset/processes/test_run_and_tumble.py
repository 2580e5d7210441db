import numpy as np
import pytest

from stochreset import Informed, Periodic, Poisson, simulate
from stochreset.processes.run_and_tumble import RunAndTumble

from ..statistics_of_passages import agrees, same_law, same_sample_law

RUNS = 100_000


def process(tumble_rate=3.0, **kwargs):
    return RunAndTumble(**{"speed": 1.5, "tumble_rate": tumble_rate, "start": 0.0, "target": 2.0, **kwargs})


def mean(speed, rate, distance, resetting):
    """Mean under resets at a constant rate (Evans and Majumdar, J. Phys. A 51, 475003 (2018), eq. 34)."""
    root = np.sqrt(resetting * (resetting + 2 * rate))
    transform = (1 + (resetting + rate - root) / rate) / 2 * np.exp(-root * distance / speed)
    return (1 / transform - 1) / resetting


@pytest.mark.parametrize("tumble_rate, rate", [(3.0, 0.3), (200.0, 0.002)])  # one by one, and many at once
def test_poisson_resets(tumble_rate, rate):
    sample = simulate(process(tumble_rate), Poisson(rate), runs=5000, seed=1)
    exact = mean(1.5, tumble_rate, 2.0, rate)
    assert agrees(sample, exact) and not agrees(sample, 1.1 * exact)
    assert process(tumble_rate).mfpt_poisson(rate) == pytest.approx(exact, rel=1e-8)


def test_sharp_resets():
    left = process(target=-2.0)
    sample = simulate(left, Periodic(3.0), runs=RUNS, seed=1)
    assert agrees(sample, left.mfpt_sharp(3.0)) and not agrees(sample, 1.1 * left.mfpt_sharp(3.0))


@pytest.mark.parametrize("tumble_rate, horizon", [(3.0, 30.0), (200.0, 100.0)])
def test_survival(tumble_rate, horizon):
    runs = 20_000
    sample = simulate(process(tumble_rate), runs=runs, seed=3, horizon=horizon)
    times = np.where(sample.censored, horizon * (1 + np.linspace(0, 1, runs)), sample.times)

    def cdf(model):
        # What is censored is put beyond the horizon, where its law is of no interest.
        last = 1 - model.survival(horizon)
        return lambda t: np.where(
            t <= horizon, 1 - model.survival(np.minimum(t, horizon)), last + (1 - last) * (t / horizon - 1)
        )

    assert same_law(times, cdf(process(tumble_rate)))
    assert not same_law(times, cdf(process(tumble_rate, target=2.2)))


def test_nobody_arrives_before_a_straight_run():
    sample = simulate(process(), runs=RUNS, seed=1, horizon=10.0)
    first = 2.0 / 1.5
    assert sample.times.min() == first
    straight = 0.5 * np.exp(-3.0 * first)
    assert np.mean(sample.times == first) == pytest.approx(straight, abs=4.5 * np.sqrt(straight / RUNS))


def test_reversals_one_by_one_and_many_at_once():
    # 0.05 is ten reversals, which are made one by one; without interruption hundreds are made at once.
    one_by_one = simulate(
        process(200.0), Informed(Periodic(0.05), above=1e9), runs=5000, seed=3, horizon=20.0
    )
    at_once = simulate(process(200.0), runs=5000, seed=4, horizon=20.0)
    assert same_sample_law(one_by_one.times, at_once.times)


def test_arrival():
    assert process().arrives and not process().finite_mean
