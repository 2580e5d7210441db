"""Estimates of positive quantities: intervals that know of skewness."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from theory import Estimate
from theory.estimates import positive_estimate, ratio_estimate, sample_skewness


def test_interval():
    estimate = positive_estimate(10.0, 1.0, runs=16, skewness=1.5)
    z, c, g = stats.norm.ppf(0.975), 0.4, 1.5
    shift = 0.1 * ((2 * z**2 + 1) / 6 * g / 4 - z**2 / 2 * 0.1)
    half = stats.t.ppf(0.975, 15 / (1 + 0.75 * g**2 - 2 * g * c + 2 * c**2)) / 10
    expected = 10 * np.exp(shift - half), 10 * np.exp(shift + half)
    assert (estimate.low, estimate.high) == pytest.approx(expected)
    many = positive_estimate(10.0, 1e-3, runs=10**6)
    assert (many.low, many.high) == pytest.approx((10 - 1.96e-3, 10 + 1.96e-3), abs=1e-6)


def test_a_law_counts_as_no_less_skewed_than_a_gamma_law_unless_cut():
    gamma = positive_estimate(10.0, 1.0, runs=16, skewness=2 * 0.4)
    assert gamma == positive_estimate(10.0, 1.0, runs=16) == positive_estimate(10.0, 1.0, 16, skewness=-1)
    assert gamma == positive_estimate(10.0, 1.0, runs=16, skewness=2 * 0.4, most=100)
    assert positive_estimate(10.0, 1.0, runs=16, skewness=-1, most=100).high < gamma.high
    cut = positive_estimate(10.0, 1.0, runs=16, skewness=2 * 0.4, most=11)
    assert cut == replace(gamma, high=11) and gamma.high > 11


@pytest.mark.parametrize("runs", [20, 50, 200])
def test_sample_skewness_of_an_exponential_law_is_2_on_average(runs):
    samples = np.random.default_rng(runs).exponential(size=(4000, runs))
    found = [sample_skewness(sample) for sample in samples]
    assert abs(np.mean(found) - 2) < 0.06
    assert found[0] == pytest.approx(stats.skew(samples[0], bias=False) * (1 + 8 / runs))
    assert sample_skewness(-samples[0]) == pytest.approx(-found[0])


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [3.0] * 5])
def test_nothing_can_be_said_of_the_skewness_of_too_few_or_equal_values(values):
    assert sample_skewness(values) == 0.0


@pytest.mark.parametrize("runs", [8, 20, 60])
@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0])
def test_means_of_gamma_laws_are_covered_and_missed_on_both_sides_alike(shape, runs):
    rng = np.random.default_rng(runs)
    times = rng.gamma(shape, 1 / shape, (4000, runs))
    means, errors = times.mean(axis=1), times.std(axis=1, ddof=1) / np.sqrt(runs)
    found = [positive_estimate(mean, error, runs) for mean, error in zip(means, errors, strict=True)]
    below, above = (
        np.mean([each.high < 1 for each in found]),
        np.mean([each.low > 1 for each in found]),
    )
    assert 0.94 < 1 - below - above < 0.962
    assert abs(below - above) < 0.025
    if shape <= 1 and runs == 8:  # an interval that knows of neither
        half = stats.t.ppf(0.975, runs - 1) * errors
        assert np.mean(np.abs(means - 1) < half) < 0.92


def test_however_uncertain_the_value_lies_inside():
    for relative in (0.5, 1, 3, 30):
        for runs in (2, 5, 1000):
            for skewness in (-5, 0, 50):
                estimate = positive_estimate(2.0, 2 * relative, runs, skewness=skewness, most=1e300)
                assert 0 <= estimate.low < 2 < estimate.high


def test_ratio_of_means_has_an_interval_symmetric_in_its_logarithm():
    estimate = ratio_estimate(10.0, 1.0, runs=16)
    factor = np.exp(stats.t.ppf(0.975, 15) / 10)
    assert (estimate.low, estimate.high) == pytest.approx((10 / factor, 10 * factor))
    assert np.isnan(ratio_estimate(1.0, np.inf, 16).low)


def test_values_that_are_not_positive_have_a_plain_interval():
    estimate = positive_estimate(0.0, 1.0, runs=10**6)
    assert (estimate.low, estimate.high) == pytest.approx((-1.96, 1.96), abs=1e-3)


@pytest.mark.parametrize(
    ("value", "stderr", "runs"), [(np.inf, 1, 9), (3, np.nan, 9), (3, np.inf, 9), (3, 1, 1)]
)
def test_unknown_errors_give_no_interval(value, stderr, runs):
    estimate = positive_estimate(value, stderr, runs, lower_bound=True)
    assert estimate.value == value and estimate.lower_bound
    assert np.isnan([estimate.stderr, estimate.low, estimate.high]).all()


def test_text():
    assert str(Estimate(12.3456, 0.789, 10.8, 13.9)) == "12.35 ± 0.79 [10.8, 13.9]"
    assert str(Estimate(1, 0, 1, 1, lower_bound=True)).startswith("at least 1")
