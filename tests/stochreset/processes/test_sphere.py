import numpy as np
import pytest
from scipy import special, stats

from stochreset import Informed, Kick, PartialReset, Periodic, Poisson, Reset, simulate
from stochreset.processes.sphere import Sphere

from ..statistics_of_passages import agrees, same_law, same_sample_law

RUNS = 100_000


def transform(dimension, start, target, s):
    """Mean of exp(-s T) for D = 1 by Bessel functions (Redner 2001, section 6.3)."""
    order, k = dimension / 2 - 1, np.sqrt(s)
    bessel = special.iv if start < target else special.kv
    return (target / start) ** order * bessel(order, k * start) / bessel(order, k * target)


def mean(dimension, start, target, rate):
    """Mean under resets at a constant rate, D = 1."""
    chance = transform(dimension, start, target, rate)
    return (1 - chance) / (rate * chance)


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("start", [0.5, 2.0])
def test_bridge_under_poisson_resets(dimension, start):
    process = Sphere(dimension=dimension, start=start, target=1.0)
    rate = 1.0 if start > 1 else 3.0
    sample = simulate(process, Poisson(rate), runs=RUNS // 4, seed=1, method="bridge")
    exact = mean(dimension, start, 1.0, rate)
    assert agrees(sample, exact) and not agrees(sample, 1.1 * exact)
    assert process.mfpt_poisson(rate) == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize("dimension", [1, 2, 3, 6])
@pytest.mark.parametrize("start", [0.0, 0.9])
def test_mean_inside(dimension, start):
    process = Sphere(dimension=dimension, start=start, target=1.0, diffusion=0.5)
    sample = simulate(process, runs=RUNS, seed=2)
    exact = (1 - start**2) / dimension
    assert sample.method == "bridge" and sample.dt > 0
    assert agrees(sample, exact) and not agrees(sample, 1.1 * exact)
    assert process.mfpt() == pytest.approx(exact)


@pytest.mark.parametrize("dimension", [2, 6])
def test_bias_is_small_by_default_and_seen_with_coarse_steps(dimension):
    disc, exact = Sphere(dimension=dimension, start=0.6, target=1.0), 0.32 / dimension
    fine = simulate(disc, runs=1_000_000, seed=3)
    assert agrees(fine, exact) and fine.times.mean() == pytest.approx(exact, rel=4e-3)
    coarse = simulate(disc, runs=1_000_000, seed=3, dt=0.1)
    assert not agrees(coarse, exact)
    assert coarse.expected_bias.startswith("small, of order dt^3/2")


OUTSIDE = Sphere(dimension=3, start=2.0, target=1.0, diffusion=0.5)


def survival(t, distance=1.0):
    """Outside in three dimensions, from twice the radius of the target, with D = 1/2."""
    return 1 - special.erfc(distance / np.sqrt(2 * t)) / 2


def test_exact_outside_in_three_dimensions():
    sample = simulate(OUTSIDE, runs=RUNS, seed=4, horizon=50.0)
    assert sample.method == "exact" and np.all(sample.times[sample.censored] == 50.0)
    arrived, last = sample.times[sample.observed], 1 - survival(50.0)
    assert same_law(arrived, lambda t: (1 - survival(t)) / last)
    assert not same_law(arrived, lambda t: (1 - survival(t, 1.1)) / (1 - survival(50.0, 1.1)))
    assert sample.observed.mean() == pytest.approx(last, abs=4.5 * 0.5 / np.sqrt(RUNS))


@pytest.mark.parametrize("interval", [0.1, 1.0, 30.0])
def test_exact_with_the_state_is_exact_without_it(interval):
    """Steps of the bridge over whole intervals, which resets do not need but other perturbations do."""
    direct = simulate(OUTSIDE, runs=RUNS, seed=5, horizon=60.0)
    watched = simulate(OUTSIDE, Informed(Periodic(interval), above=1e9), runs=RUNS, seed=6, horizon=60.0)
    assert same_sample_law(direct.times, watched.times)
    assert not same_sample_law(1.1 * direct.times, watched.times)


@pytest.mark.parametrize("perturbation", [PartialReset(0.8), Kick(noise=0.5, shift=-0.3), Reset(to=1.5)])
def test_exact_and_bridge_agree_under_other_perturbations(perturbation):
    exact = simulate(OUTSIDE, Poisson(1.0), perturbation, runs=RUNS // 4, seed=7, horizon=20.0)
    steps = simulate(
        OUTSIDE, Poisson(1.0), perturbation, runs=RUNS // 4, seed=8, horizon=20.0, method="bridge"
    )
    assert same_sample_law(exact.times, steps.times)
    assert not same_sample_law(1.1 * exact.times, steps.times)


def test_one_dimension_outside_is_brownian_motion():
    sample = simulate(Sphere(dimension=1, start=2.0, diffusion=0.5), runs=RUNS // 4, seed=9, horizon=1e4)
    assert same_law(sample.times[sample.observed], lambda t: stats.levy.cdf(t) / stats.levy.cdf(1e4))


def test_inside_and_outside_in_time():
    """Survival by the closed form, also where steps are cut short by a reset."""
    disc = Sphere(dimension=2, start=0.3, target=1.0)
    times = simulate(disc, runs=RUNS, seed=1).times
    grid = np.linspace(0.0, times.max(), 1000)  # between its points the law is linear up to 1e-4
    arrived = 1 - disc.survival(grid)
    assert same_law(times, lambda t: np.interp(t, grid, arrived))
    assert not same_law(1.1 * times, lambda t: np.interp(t, grid, arrived))
    resets = simulate(disc, Periodic(0.1), runs=RUNS, seed=1)
    assert agrees(resets, disc.mfpt_sharp(0.1)) and not agrees(resets, 1.1 * disc.mfpt_sharp(0.1))


def test_arrival():
    assert Sphere(dimension=2, start=2.0).arrives and not Sphere(dimension=2, start=2.0).finite_mean
    assert not OUTSIDE.arrives and Sphere(dimension=5, start=0.5).finite_mean
    with pytest.raises(ValueError, match="`horizon` is needed"):
        simulate(OUTSIDE, runs=10, seed=1)
    with pytest.raises(ValueError, match="`horizon` is needed: the mean first-passage time is infinite"):
        simulate(Sphere(dimension=2, start=2.0), runs=10, seed=1)
    with pytest.raises(ValueError, match="`dt` must be at most 0.125"):
        simulate(Sphere(dimension=2, start=0.5), runs=10, seed=1, dt=1.0)
    with pytest.raises(ValueError, match="`method` 'exact' cannot simulate Sphere"):
        simulate(Sphere(dimension=2, start=0.5), runs=10, seed=1, method="exact")
