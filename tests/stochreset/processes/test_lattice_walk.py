import numpy as np
import pytest
from scipy.special import gammaln

from stochreset import Informed, Kick, PartialReset, Periodic, Poisson, Reset, simulate
from stochreset.processes.lattice_walk import LatticeWalk

from ..statistics_of_passages import agrees
from .laws import geometric_mean, same_discrete_law, sharp_mean

RUNS = 200_000


def survival(ahead, distance, steps):
    """Pr(T > t), by the ballot theorem: Pr(T = t) = (distance / t) Pr(at the target at t)."""
    t = np.arange(distance, steps + 1, 2)
    up = (t + distance) / 2
    log_walks = gammaln(t + 1) - gammaln(up + 1) - gammaln(t - up + 1)
    f = np.zeros(steps + 1)
    f[t] = distance / t * np.exp(log_walks + up * np.log(ahead) + (t - up) * np.log(1 - ahead))
    return 1 - np.cumsum(f)


@pytest.mark.parametrize(
    "right, start, target, steps",
    [(0.5, 0, 1, 300), (0.5, 3, -5, 1000), (0.7, 0, 4, 200), (0.3, 0, -600, 3000), (0.5, 0, 600, 400_000)],
)
def test_survival(right, start, target, steps):
    walk = LatticeWalk(right=right, start=start, target=target)
    ahead = right if target > start else 1 - right
    sample = simulate(walk, runs=RUNS // 4, seed=1, horizon=steps)
    assert same_discrete_law(sample, survival(ahead, abs(target - start), steps))
    assert not same_discrete_law(sample, survival(ahead * 0.9, abs(target - start), steps))


def test_mean_of_a_biased_walk():
    walk = LatticeWalk(right=0.6, target=50)
    sample = simulate(walk, runs=RUNS, seed=1)
    assert walk.mfpt() == pytest.approx(250)
    assert agrees(sample, 250.0) and not agrees(sample, 275.0)
    assert np.all(sample.times % 2 == 0)


@pytest.mark.parametrize("right", [0.5, 0.45])
def test_resets(right):
    walk, s = LatticeWalk(right=right, target=5), survival(right, 5, 3000)
    sharp = simulate(walk, Periodic(20), runs=RUNS, seed=1)
    assert agrees(sharp, sharp_mean(s, 20)) and not agrees(sharp, 1.1 * sharp_mean(s, 20))
    # Interrupted in the middle of a step, the walk is reset at the end of it.
    between = simulate(walk, Periodic(19.5), runs=RUNS, seed=1)
    assert np.array_equal(between.times, sharp.times)
    poisson = simulate(walk, Poisson(0.05), runs=RUNS, seed=1)
    assert agrees(poisson, geometric_mean(s, 0.05)) and not agrees(poisson, 1.1 * geometric_mean(s, 0.05))


def test_closed_form_agrees():
    walk = LatticeWalk(right=0.45, target=5)
    s = survival(0.45, 5, 3000)
    np.testing.assert_allclose(walk.survival(np.arange(100)), s[:100], atol=1e-9)
    assert walk.mfpt_poisson(0.05) == pytest.approx(geometric_mean(s, 0.05), rel=1e-6)
    assert walk.mfpt_sharp(20) == pytest.approx(sharp_mean(s, 20), rel=1e-6)


def test_state_is_kept_between_perturbations():
    walk = LatticeWalk(right=0.5, target=8)
    sample = simulate(walk, Informed(Periodic(7), above=100.0), runs=RUNS, seed=1, horizon=500)
    assert same_discrete_law(sample, survival(0.5, 8, 500))
    # A reset at 8 steps and later only shows where it happens.
    assert not same_discrete_law(
        simulate(walk, Periodic(17), runs=RUNS, seed=1, horizon=500), survival(0.5, 8, 500)
    )


def test_positions_between_sites_are_rounded():
    walk = LatticeWalk(right=1.0, target=10)
    # At 4 after 4 steps, then at 2.4, rounded to 2; 8 steps are left, but the next reset comes first.
    once = simulate(walk, Periodic(4), PartialReset(0.6), runs=10, seed=1, horizon=50)
    assert np.all(once.censored)  # 4 -> 2, 6 -> 4, 8 -> 5, 9 -> 5, ...
    assert np.all(simulate(walk, Periodic(4), Kick(shift=5.6), runs=10, seed=1).times == 4)


def test_arrival():
    assert LatticeWalk(right=0.5, target=1).arrives and not LatticeWalk(right=0.5, target=1).finite_mean
    assert LatticeWalk(right=0.6, target=1).finite_mean and not LatticeWalk(right=0.4, target=1).arrives
    with pytest.raises(ValueError, match="`horizon` is needed"):
        simulate(LatticeWalk(right=0.4, target=1), runs=10, seed=1)
    with pytest.raises(ValueError, match="`method` 'bridge' cannot simulate LatticeWalk"):
        simulate(LatticeWalk(right=0.6, target=1), Poisson(1.0), Reset(), runs=10, seed=1, method="bridge")
