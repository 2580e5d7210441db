"""Kaplan–Meier, restricted means and moments against textbook numbers, lifelines and simulation."""

import numpy as np
import pytest

from theory import (
    CensoredSampleError,
    PassageSample,
    kaplan_meier,
    mean_passage_time,
    moments,
    restricted_mean,
)

from .problems import complete, lifelines

# Remission times of leukaemia patients under 6-MP (Freireich et al., Blood 21, 699 (1963)), in weeks.
FREIREICH = PassageSample(
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [c == "+" for c in "___+_+_++__+++__+++++"],
)


def censored_sample(runs, seed, limit=60):
    """Geometric times, censored at uniform random times and at the end."""
    rng = np.random.default_rng(seed)
    times, end = rng.geometric(0.05, runs), rng.integers(20, limit + 1, runs)
    return PassageSample(np.minimum(times, end), times > end)


def test_textbook_survival():
    curve = kaplan_meier(FREIREICH)
    times = [6, 7, 10, 13, 16, 22, 23]
    np.testing.assert_allclose(
        curve.evaluate(times), [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], atol=6e-4
    )
    stderr = np.sqrt(curve.variance[np.isin(curve.times, times)])
    np.testing.assert_allclose(stderr, [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], atol=6e-5)
    assert curve.at_risk[curve.events > 0].tolist() == [21, 17, 15, 12, 11, 7, 6]
    arrivals, hazard = curve.hazard()
    assert arrivals.tolist() == times
    np.testing.assert_allclose(hazard, [3 / 21, 1 / 17, 1 / 15, 1 / 12, 1 / 11, 1 / 7, 1 / 6])


@pytest.mark.parametrize("seed", range(4))
def test_survival_against_the_product_over_runs(seed):
    sample = censored_sample(50, seed)
    expected = []
    for t in range(61):
        survival = 1.0
        for u in range(1, t + 1):
            watched = sum(time >= u for time in sample.times)
            arrived = sum(time == u and not c for time, c in zip(sample.times, sample.censored, strict=True))
            survival *= 1 - arrived / watched if watched else 1
        expected.append(survival)
    curve = kaplan_meier(sample)
    inside = np.arange(61) <= sample.horizon
    np.testing.assert_allclose(curve.evaluate(np.arange(61))[inside], np.array(expected)[inside], atol=1e-12)


def test_survival_beyond_the_data():
    assert np.isnan(kaplan_meier(FREIREICH).evaluate(35.1))
    finished = kaplan_meier(PassageSample([1, 2, 2], [True, False, False]))
    assert finished.evaluate([0.9, 1, 2, 99]).tolist() == [1, 1, 0, 0]
    assert finished.integral(99) == 2


def test_all_censored():
    sample = PassageSample([3, 5, 5], [True] * 3)
    curve = kaplan_meier(sample)
    assert curve.evaluate([0, 3, 5]).tolist() == [1, 1, 1]
    assert curve.at_risk.tolist() == [3, 2] and curve.hazard()[0].size == 0
    low, high = curve.confidence_interval([0, 4])
    assert low.tolist() == high.tolist() == [1, 1]
    mean = mean_passage_time(sample)
    assert (mean.value, mean.stderr, mean.lower_bound) == (5, 0, True)


def test_a_run_that_was_never_seen_changes_nothing():
    seen = PassageSample([2, 4, 4], [False, False, True])
    more = PassageSample([0, 2, 4, 4], [True, False, False, True])
    t = np.arange(5)
    np.testing.assert_array_equal(kaplan_meier(seen).evaluate(t), kaplan_meier(more).evaluate(t))
    assert restricted_mean(seen, 4).value == restricted_mean(more, 4).value


def test_interval_is_that_of_lifelines():
    sample = censored_sample(40, seed=5)
    with lifelines() as package:
        table = package.KaplanMeierFitter().fit(*sample.to_durations()).confidence_interval_.loc[1:]
    times, theirs = table.index.to_numpy(), table.to_numpy()
    curve = kaplan_meier(sample)
    known = curve.evaluate(times) > 0
    assert known.sum() > 20
    np.testing.assert_allclose(
        np.transpose(curve.confidence_interval(times))[known], theirs[known], atol=1e-9
    )
    narrow = curve.confidence_interval(10, level=0.5)
    wide = curve.confidence_interval(10)
    assert wide[0] < narrow[0] < curve.evaluate(10) < narrow[1] < wide[1]


def test_uncensored_mean_is_the_plain_one():
    times = np.random.default_rng(0).geometric(0.1, 70).astype(float)
    estimate = restricted_mean(complete(times))
    assert estimate.value == pytest.approx(times.mean(), rel=1e-12)
    assert estimate.stderr == pytest.approx(times.std(ddof=1) / np.sqrt(70), rel=1e-12)
    assert estimate == mean_passage_time(complete(times)) and not estimate.lower_bound
    cut = np.minimum(times, 8)
    early = restricted_mean(complete(times), 8)
    assert early.value == pytest.approx(cut.mean(), rel=1e-12)
    assert early.stderr == pytest.approx(cut.std(ddof=1) / np.sqrt(70), rel=1e-12)


def test_censored_mean_is_that_of_lifelines():
    sample = censored_sample(60, seed=6)
    with lifelines() as package:
        fitter = package.KaplanMeierFitter().fit(*sample.to_durations())
        theirs = package.utils.restricted_mean_survival_time(fitter, t=30)
    assert restricted_mean(sample, 30).value == pytest.approx(theirs, rel=1e-9)


def test_mean_is_a_lower_bound_where_the_tail_was_not_seen():
    mean = mean_passage_time(FREIREICH)
    assert mean.lower_bound and mean.value == restricted_mean(FREIREICH, 35).value
    # The last run watched arrived, so censoring before it leaves no tail unseen.
    assert not mean_passage_time(PassageSample([1, 2, 3], [False, True, False])).lower_bound


def test_censored_stderr_is_that_of_the_bootstrap():
    sample, resamples = censored_sample(100, seed=7), 1500
    rng = np.random.default_rng(8)
    values = []
    for _ in range(resamples):
        drawn = rng.integers(100, size=100)
        values.append(kaplan_meier(PassageSample(sample.times[drawn], sample.censored[drawn])).integral(40))
    ratio = restricted_mean(sample, 40).stderr / np.std(values, ddof=1)
    tolerance = 4 / np.sqrt(2 * resamples)
    assert abs(ratio - 1) < tolerance
    assert max(abs(1.1 * ratio - 1), abs(0.9 * ratio - 1)) > tolerance


def test_censored_mean_is_unbiased():
    exact = np.sum(0.95 ** np.arange(40))
    estimate = restricted_mean(censored_sample(20_000, seed=9), 40)
    assert abs(estimate.value - exact) < 4 * estimate.stderr
    assert abs(estimate.value - 0.9 * exact) > 4 * estimate.stderr


@pytest.mark.parametrize("horizon", [-1, 0, 35.5])
def test_restricted_mean_needs_a_watched_horizon(horizon):
    with pytest.raises(ValueError, match="`horizon` must be positive and at most 35, the last time any run"):
        restricted_mean(FREIREICH, horizon)


def test_one_run_has_no_standard_error():
    estimate = restricted_mean(complete([4]))
    assert estimate.value == 4 and np.isnan(estimate.stderr)


def test_moments_are_exact():
    result = moments(complete([1, 2, 3, 6]))
    assert (result.mean.value, result.second.value) == (3, 12.5)
    assert result.cv.value == pytest.approx(np.sqrt(14 / 3) / 3)
    assert result.mean.stderr == pytest.approx(np.sqrt(14 / 3 / 4))
    assert result.second.stderr == pytest.approx(np.std([1, 4, 9, 36], ddof=1) / 2)
    assert moments(complete([2, 2, 2])).cv.value == 0


def test_moment_errors_against_simulation():
    rng, replicas, runs = np.random.default_rng(10), 2500, 400
    found = [moments(complete(rng.gamma(4.0, size=runs))) for _ in range(replicas)]
    for name in ("mean", "second", "cv"):
        values = [getattr(m, name).value for m in found]
        stderr = np.mean([getattr(m, name).stderr for m in found])
        ratio, tolerance = stderr / np.std(values, ddof=1), 4 / np.sqrt(2 * replicas)
        assert abs(ratio - 1) < tolerance
        assert abs(1.1 * ratio - 1) > tolerance and abs(0.9 * ratio - 1) > tolerance


def test_moments_of_censored_samples_are_refused():
    with pytest.raises(CensoredSampleError, match="`sample` has 12 of 21 runs censored"):
        moments(FREIREICH)
    with pytest.raises(ValueError, match="`sample` needs at least 2 runs"):
        moments(complete([1]))


def test_nothing_is_known_at_no_time():
    curve = kaplan_meier(PassageSample([1, 2], [False, True]))
    np.testing.assert_array_equal(curve.evaluate([np.nan, 1.5]), [np.nan, 0.5])


def test_runs_that_were_never_watched_have_no_mean():
    with pytest.raises(
        ValueError, match="`sample` must hold a run that was watched for some time, got 2 that ended"
    ):
        mean_passage_time(PassageSample([0, 0], [True, True]))
