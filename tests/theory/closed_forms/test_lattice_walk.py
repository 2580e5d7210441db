"""The lattice walk against the recursion of its occupation probabilities, and against 50-digit sums."""

import mpmath
import numpy as np
import pytest

from theory.closed_forms import Brownian, LatticeWalk

CASES = [(0.5, 0, 1), (0.5, 2, -3), (0.6, 0, 4), (0.3, 1, -4), (0.45, 0, 5), (0.7, 3, 0)]


def recursion(right, start, target, steps):
    """Pr(T = n) for n up to ``steps``, by moving the probability on all sites step by step."""
    side = 1 if target > start else -1
    distance, ahead = abs(target - start), right if side > 0 else 1 - right
    gap = np.zeros(distance + steps + 2)
    gap[distance] = 1
    arrived = np.zeros(steps + 1)
    for n in range(1, steps + 1):
        moved = np.zeros_like(gap)
        moved[:-1] += ahead * gap[1:]
        moved[1:] += (1 - ahead) * gap[:-1]
        arrived[n], moved[0] = moved[0], 0
        gap = moved
    return arrived


@pytest.mark.parametrize("right, start, target", CASES)
def test_probabilities_against_the_recursion(right, start, target):
    walk, steps = LatticeWalk(right=right, start=start, target=target), np.arange(401)
    pmf = recursion(right, start, target, 400)
    np.testing.assert_allclose(walk.pmf(steps), pmf, rtol=2e-12, atol=1e-300)
    np.testing.assert_allclose(np.exp(walk.log_cdf(steps)), np.cumsum(pmf), rtol=2e-12, atol=1e-300)
    np.testing.assert_allclose(walk.survival(steps), 1 - np.cumsum(pmf), atol=1e-13)
    mean = np.concatenate([[0], np.cumsum(1 - np.cumsum(pmf))[:-1]])
    np.testing.assert_allclose(walk.restricted_mean(steps), mean, rtol=1e-12)
    wrong = LatticeWalk(right=1.01 * right, start=start, target=target)
    assert np.abs(wrong.pmf(steps) - pmf).max() > 1e-4
    assert np.abs(wrong.survival(steps) - walk.survival(steps)).max() > 1e-3


@pytest.mark.parametrize("right, start, target", CASES)
def test_resetting_against_sums(right, start, target):
    walk, wrong = (LatticeWalk(right=p, start=start, target=target) for p in (right, 1.01 * right))
    pmf = recursion(right, start, target, 2000)
    survival = 1 - np.cumsum(pmf)
    for rate in (0.05, 0.7, 3.0):
        # Either the target or the reset, each step; a reset at the step of an arrival comes too late.
        alive = np.exp(-rate * np.arange(2001))
        expected = (survival @ alive) / (pmf[1:] @ alive[:-1])
        assert walk.mfpt_poisson(rate) == pytest.approx(expected, rel=1e-11)
        assert walk.log_mfpt_poisson(rate) == pytest.approx(np.log(expected), rel=1e-11)
        assert wrong.mfpt_poisson(rate) != pytest.approx(expected, rel=1e-4)
        assert walk.laplace(rate) == pytest.approx(pmf @ alive, rel=1e-12)
        assert walk.generating_function(np.exp(-rate)) == pytest.approx(pmf @ alive, rel=1e-12)
    for period in (6, 31, 500):
        expected = survival[:period].sum() / pmf[: period + 1].sum()
        assert walk.mfpt_sharp(period) == pytest.approx(expected, rel=1e-11)
        assert wrong.mfpt_sharp(period) != pytest.approx(expected, rel=1e-4)
    times = np.arange(40)
    cycles = survival[7] ** (times // 7) * survival[times % 7]
    np.testing.assert_allclose(walk.survival_sharp(times, 7), cycles, rtol=1e-11)


@pytest.mark.parametrize("right, start, target", CASES)
def test_best_period_and_rate_against_all(right, start, target):
    walk = LatticeWalk(right=right, start=start, target=target)
    pmf = recursion(right, start, target, 600)
    cdf = np.cumsum(pmf)
    means = np.cumsum(1 - cdf)[:-1] / np.maximum(cdf[1:], 1e-300)
    best = walk.optimal_period()
    if means.min() < walk.mfpt() * (1 - 1e-6):
        assert best == np.argmin(means) + 1
        assert walk.mfpt_sharp(best) == pytest.approx(means.min(), rel=1e-11)
    else:
        assert best == np.inf
    rates = np.geomspace(1e-6, 30, 2000)
    rate = walk.optimal_rate()
    value = walk.mfpt_poisson(rate) if 0 < rate < np.inf else walk.mfpt_poisson(30.0) if rate else walk.mfpt()
    assert value <= walk.mfpt_poisson(rates).min() * (1 + 1e-9)


def test_moments_and_escape():
    walk, n = LatticeWalk(right=0.6, target=3), np.arange(1, 3001)
    pmf = recursion(0.6, 0, 3, 3000)[1:]
    assert walk.mfpt() == pytest.approx(pmf @ n, rel=1e-12) == pytest.approx(15)
    assert walk.second_moment() == pytest.approx(pmf @ n**2, rel=1e-11)
    assert LatticeWalk(right=0.606, target=3).mfpt() != pytest.approx(pmf @ n, rel=1e-2)
    assert walk.decay_rate() == pytest.approx(walk.log_survival(20_000) - walk.log_survival(20_001), abs=0.1)
    drop = (walk.log_survival(10_000) - walk.log_survival(20_000)) / 10_000
    assert walk.decay_rate() == pytest.approx(drop, rel=1e-2)
    away = LatticeWalk(right=0.4, target=3)
    assert away.laplace(0.0) == pytest.approx((2 / 3) ** 3) == pytest.approx(1 - away.survival(np.inf))
    assert away.mfpt() == away.second_moment() == np.inf and away.resetting_helps()
    sure, never = LatticeWalk(right=1.0, target=4), LatticeWalk(right=0.0, target=4)
    assert sure.survival([3, 4]).tolist() == [1, 0] and sure.mfpt() == sure.mfpt_sharp(4) == 4
    assert sure.mfpt_poisson(0.3) == pytest.approx((np.exp(1.2) - 1) / (1 - np.exp(-0.3)) * np.exp(-0.3))
    assert never.survival(100) == 1 and never.mfpt_sharp(9) == never.mfpt_poisson(0.1) == np.inf
    assert sure.optimal_period() == never.optimal_period() == np.inf


def exact_survival(right, distance, t):
    """Survival probability in 50 digits, from the sum of the ballot probabilities."""
    with mpmath.workdps(50):
        p = mpmath.mpf(right)
        term = p**distance
        total, n = term, distance
        while n + 2 <= t:
            up = mpmath.mpf(n + distance) / 2
            term *= mpmath.mpf(n) * (n + 1) / ((up + 1) * (up - distance + 1)) * p * (1 - p)
            total, n = total + term, n + 2
        return float(mpmath.log(1 - total))


@pytest.mark.parametrize(
    "right, distance, t, tolerance",
    [(0.5, 3, 5000, 1e-11), (0.6, 3, 2000, 1e-11), (0.75, 20, 500, 1e-11), (0.52, 2, 9000, 1e-10)],
)
def test_late_survival_keeps_its_relative_accuracy(right, distance, t, tolerance):
    expected = exact_survival(right, distance, t)
    assert LatticeWalk(right=right, target=distance).log_survival(t) == pytest.approx(expected, abs=tolerance)
    if right < 0.75:
        assert LatticeWalk(right=1.01 * right, target=distance).log_survival(t) < expected - 0.005


def test_early_arrivals_beyond_the_smallest_float():
    walk, n = LatticeWalk(right=0.3, target=1000), np.arange(1000, 1041)
    assert walk.log_cdf(1000) == pytest.approx(1000 * np.log(0.3), rel=1e-13)
    summed = np.logaddexp.accumulate(walk.log_pmf(n))
    np.testing.assert_allclose(walk.log_cdf(n), summed, rtol=1e-11)
    assert np.isfinite(walk.log_mfpt_sharp(1100)) and walk.mfpt_sharp(1000) == np.inf
    assert LatticeWalk(target=3000).mfpt_poisson(60.0) == np.inf
    assert np.isfinite(LatticeWalk(target=3000).log_mfpt_poisson(60.0))


def test_limits():
    assert LatticeWalk(right=0.25, target=1).mfpt_poisson(900.0) == pytest.approx(4)
    assert LatticeWalk(right=0.25, target=1).mfpt_poisson(np.inf) == pytest.approx(4)
    assert LatticeWalk(right=0.25, target=1).mfpt_sharp(1) == pytest.approx(4)
    assert LatticeWalk(right=0.6, target=5).mfpt_poisson(1e-13) == pytest.approx(25, rel=1e-9)
    assert LatticeWalk(right=0.6, target=5).mfpt_sharp(10**9) == pytest.approx(25)
    far, line = LatticeWalk(target=1000), Brownian(diffusion=0.5, target=1000.0)
    assert far.survival(10**6) == pytest.approx(line.survival(1e6), abs=1e-3)
    assert far.optimal_period() == pytest.approx(line.optimal_period(), rel=0.01)
    assert LatticeWalk(target=3).survival([2.9, 3.0]).tolist() == [1.0, 0.875]
    assert isinstance(LatticeWalk().survival(1), float)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: LatticeWalk(right=1.2), "`right` must be a probability from 0 to 1, got 1.2"),
        (lambda: LatticeWalk(start=0.5), "`start` must be a whole number, got 0.5"),
        (lambda: LatticeWalk(target=0), "`start` must differ from `target`"),
        (
            lambda: LatticeWalk().mfpt_sharp(2.5),
            "`period` must be a whole number of steps, 1 or larger, got 2.5",
        ),
        (lambda: LatticeWalk().log_mfpt_sharp(0), "`period` must be a whole number of steps, 1 or larger"),
        (lambda: LatticeWalk().survival_sharp(3, 1.5), "`period` must be a whole number of steps"),
        (lambda: LatticeWalk().restricted_mean([2, 2.5]), "`period` must be a whole number of steps, 0"),
        (lambda: LatticeWalk().restricted_mean(1e9), "`period` must be at most 10000000 steps"),
        (lambda: LatticeWalk(target=5000).optimal_period(), "`target` must be less than about 1800 sites"),
        (lambda: LatticeWalk().pmf(-1), "`n` must be a whole number of steps, 0 or larger, got -1"),
        (lambda: LatticeWalk().mfpt_poisson(0.0), "`rate` must be positive"),
        (lambda: LatticeWalk().generating_function(1.1), "`z` must be above 0 and at most 1, got 1.1"),
        (lambda: LatticeWalk().density(1.0), "use `pmf`"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
