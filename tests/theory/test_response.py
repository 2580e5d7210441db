"""The measured response: by hand, against slow loops, and the exact decomposition in the sample."""

import numpy as np
import pytest

from theory import Ensemble, bootstrap_weights, constant_mean, cycle_mean, measure_response, periodic

from .problems import Renewal, ensemble


def tiny():
    unperturbed = ensemble([1, 3, 5, 4], 6, censored=[3])
    perturbed = ensemble([1, 3, 3, 6, 5], 6, period=2, censored=[4])
    return unperturbed, perturbed


def test_by_hand():
    response = measure_response(*tiny(), threshold=1, resamples=0)
    # Nine runs until epoch 2, then the unperturbed ones alone; the one censored at 4 is at risk until then.
    np.testing.assert_allclose(response.survival, [[1, 7 / 9, 7 / 9, 14 / 27, 14 / 27, 0, 0]])
    # Residuals 1, 1, 4 and 3+.
    np.testing.assert_allclose(response.tau, [1 + 0.5 + 0.5 + 0.5])
    # Too few runs for cycles of their own: both cycles in one, 6 and then 3 runs at risk.
    np.testing.assert_allclose(response.cycles, [[[1, 1 - 2 / 6, (1 - 2 / 6) * (1 - 1 / 3)]]])
    assert response.alive.tolist() == [6]
    assert (response.tau_censored, response.unperturbed_runs, response.perturbed_runs) == (1, 4, 5)
    assert (response.horizon, response.window, response.period) == (6, 2, 2)
    # The run censored at 5 might have arrived at 6 as the other did: 1 + 4/5 + 4/5 + 2/5 + 2/5 + 2/5.
    assert response.inverted_tau.value == pytest.approx((19 / 5 - 7 / 4) / (3 / 4))
    assert response.inverted_tau.lower_bound


def test_without_pooling_the_survival_is_that_of_the_unperturbed_runs():
    response = measure_response(*tiny(), threshold=1, resamples=0, pool=False)
    np.testing.assert_allclose(response.survival, [[1, 3 / 4, 3 / 4, 1 / 2, 1 / 2, 0, 0]])


def test_survival_is_unknown_once_nobody_is_watched():
    unperturbed = ensemble([1, 2, 3], 5, censored=[1, 2])
    response = measure_response(unperturbed, tiny()[1], threshold=1, resamples=3, pool=False)
    assert np.isnan(response.survival).tolist() == 4 * [[False] * 4 + [True] * 2]


def test_censored_residuals_give_a_lower_bound():
    response = measure_response(*tiny(), threshold=1, resamples=20)
    assert response.tau_estimate.lower_bound
    complete = Renewal(0.1, 0.3, 3).ensemble(50, seed=1, period=3)
    assert not measure_response(tiny()[0], complete, 1, resamples=20).tau_estimate.lower_bound


def same_until(period, runs=300, seed=0):
    """Unperturbed and perturbed runs of equal seeds, equal up to the first perturbation, none censored."""
    toy = Renewal(late=0.02, early=0.1, burst=4)
    perturbed = toy.ensemble(runs, seed, period)
    times = perturbed.first_passage(1).times.astype(int)
    later = period + np.random.default_rng(seed + 1).geometric(toy.late, runs)
    alone = np.where(times <= period, times, later)
    return ensemble(alone, int(alone.max()), seeds=perturbed.seeds), perturbed, times


@pytest.mark.parametrize("pool", [False, True])
def test_decomposition_is_exact_in_the_sample(pool):
    period = 6
    unperturbed, perturbed, times = same_until(period)
    response = measure_response(unperturbed, perturbed, 1, resamples=50, seed=3, pool=pool)
    # Also in each resample, where it is the weighted mean.
    expected = bootstrap_weights([unperturbed.seeds, perturbed.seeds], 50, seed=3)[1] @ times / times.size
    assert expected[0] == pytest.approx(times.mean()) and response.cycles.shape[1] > 3
    np.testing.assert_allclose(constant_mean(response, periodic(period)), expected, rtol=1e-9)
    np.testing.assert_allclose(cycle_mean(response, periodic(period))[0], expected, rtol=1e-9)
    # Inverting the decomposition then gives the same residual time.
    assert response.inverted_tau.value == pytest.approx(response.tau[0], rel=1e-9)
    assert not response.inverted_tau.lower_bound


def test_cycles_multiply_to_the_residual_survival():
    unperturbed, perturbed, times = same_until(6)
    response = measure_response(unperturbed, perturbed, 1, resamples=0)
    residual = times[times > 6] - 6
    product = np.cumprod(response.cycles[0, :-1, -1])
    expected = [np.mean(residual > 6 * n) for n in range(1, product.size + 1)]
    np.testing.assert_allclose(product, expected, rtol=1e-12)


def test_cycles_with_fewer_than_ten_runs_are_pooled():
    period = 4
    ends = [(30, 12), (18, 8), (10, 1), (9, 6), (3, 3)]  # alive at each perturbation, completing in the cycle
    times = np.concatenate([[period * (n + 1) + 2] * gone for n, (_, gone) in enumerate(ends)])
    perturbed = ensemble(times, 6 * period, period)
    response = measure_response(ensemble([30, 30], 30), perturbed, 1, resamples=0)
    assert response.alive.tolist() == [30, 18, 10 + 9 + 3]
    survivors = [1 - 12 / 30, 1 - 8 / 18, 1 - (1 + 6 + 3) / (10 + 9 + 3)]
    np.testing.assert_allclose(response.cycles[0], [[1, 1, g, g, g] for g in survivors])


def test_window_is_what_fits_after_the_first_perturbation():
    perturbed = ensemble(np.r_[np.full(15, 9), np.full(15, 13)], 13, period=8, censored=range(15, 30))
    response = measure_response(ensemble([30, 30], 30), perturbed, 1, resamples=0)
    assert response.window == 5
    np.testing.assert_allclose(response.cycles[0], [[1, 0.5, 0.5, 0.5, 0.5, 0.5]])


def slow_survival(groups, length):
    """Product of one minus hazard; a group is its passages, where it starts, how long it counts."""
    survival = [1.0]
    for s in range(1, length + 1):
        at_risk = arrived = 0
        for sample, start, until in groups:
            for time, censored in zip(sample.times, sample.censored, strict=True):
                if s <= until and time >= start + s:
                    at_risk += 1
                    arrived += time == start + s and not censored
        hazard = arrived / at_risk if at_risk else np.nan
        survival.append(survival[-1] * (1 - hazard) if survival[-1] else 0.0)
    return np.array(survival)


def random_traces(seed):
    """Metric traces of 40 runs without any structure: some diverge, some end early."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(40, 60))
    ends = rng.integers(10, 61, size=40)
    values[np.arange(60) >= np.where(rng.random(40) < 0.3, ends, 60)[:, None]] = np.nan
    return values, rng.permutation(1000)[:40]


@pytest.mark.parametrize("seed", range(3))
def test_against_slow_loops(seed):
    measured, threshold = 7, 1.8
    unperturbed = Ensemble(*random_traces(seed))
    perturbed = Ensemble(*random_traces(100 + seed), perturbation="kick", period=measured)
    response = measure_response(unperturbed, perturbed, threshold, resamples=0)
    free, kicked = unperturbed.first_passage(threshold), perturbed.first_passage(threshold)
    assert free.n_censored and response.tau_censored

    survival = slow_survival([(free, 0, 60), (kicked, 0, measured)], 60)
    np.testing.assert_allclose(response.survival[0], survival, atol=1e-12)
    tau = np.nansum(slow_survival([(kicked, measured, 60)], 60 - measured)[:-1])
    assert response.tau[0] == pytest.approx(tau)
    starts = range(measured, 60, measured)
    own = [start for start in starts if np.sum(kicked.times > start) >= 10 and start + measured <= 60]
    cycles = [slow_survival([(kicked, start, measured)], measured) for start in own[:-1]]
    pooled = [(kicked, start, measured) for start in starts if start >= own[-1]]
    cycles.append(slow_survival(pooled, measured))
    assert len(cycles) > 1
    np.testing.assert_allclose(response.cycles[0], cycles, atol=1e-12)

    for period in (3, 5, 7):
        early = sum(survival[t] for t in range(period))
        constant = early + survival[period] * tau  # eq. (3)
        reached, spent = 1.0, 0.0
        for n in range(5000):  # eq. (4)
            cycle = cycles[min(n, len(cycles) - 1)]
            spent += reached * sum(cycle[s] for s in range(period))
            reached *= cycle[period]
        assert constant_mean(response, periodic(period))[0] == pytest.approx(constant)
        resolved = cycle_mean(response, periodic(period))[0]
        assert resolved[0] == pytest.approx(early + survival[period] * spent)


def test_same_seed_same_response():
    first, second = (measure_response(*tiny(), threshold=1, resamples=9, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.survival, second.survival)
    np.testing.assert_array_equal(first.cycles, second.cycles)
    other = measure_response(*tiny(), threshold=1, resamples=9, seed=5)
    assert first.tau[0] == other.tau[0] and (first.tau[1:] != other.tau[1:]).all()


def test_tau_without_resamples_has_no_standard_error():
    estimate = measure_response(*tiny(), threshold=1, resamples=0).tau_estimate
    assert estimate.value == 2.5 and np.isnan(estimate.stderr)


def test_errors():
    unperturbed, perturbed = tiny()
    with pytest.raises(ValueError, match="`perturbed` must have a perturbation and a period"):
        measure_response(unperturbed, unperturbed, 1)
    early = ensemble([1, 2, 1, 5], 6, period=2)
    with pytest.raises(ValueError, match="`perturbed` kick:2: 1 of 4 runs are alive .* Raise the threshold"):
        measure_response(unperturbed, early, 1)
    ended = ensemble([2, 2, 2], 6, period=2, censored=[0, 1, 2])
    with pytest.raises(ValueError, match="0 of 3 runs are alive and watched after the first perturbation"):
        measure_response(unperturbed, ended, 1)


def test_the_inverted_residual_time_takes_runs_that_ended_early_as_not_arrived():
    problem = Renewal(late=0.02, delay=2, burst=10, early=0.1)
    free, kicked = problem.ensemble(40_000, 1), problem.ensemble(40_000, 2, 20)
    values = free.values.copy()
    lost = np.random.default_rng(0).random(len(free)) < 0.3
    values[lost, 5:] = np.nan
    broken = Ensemble(values, free.seeds)
    found = measure_response(broken, kicked, 0.5, resamples=200).inverted_tau
    exact = problem.response(20, 100).tau[0]
    assert abs(found.value - exact) < 4 * found.stderr and found.stderr < exact / 50
    # As if they had arrived: far off.
    times = broken.first_passage(0.5).times
    plain = (kicked.first_passage(0.5).times.mean() - np.minimum(times, 20).mean()) / np.mean(times > 20)
    assert abs(plain - exact) > 4 * found.stderr


def test_the_inverted_residual_time_is_not_known_beyond_the_unperturbed_runs():
    free, kicked = ensemble([1, 3, 5, 4], 6), ensemble([9, 12, 11, 8], 12, period=7)
    response = measure_response(free, kicked, 1, resamples=10, pool=False)
    assert np.isnan(response.inverted_tau.value) and np.isnan(response.inverted_tau.stderr)
