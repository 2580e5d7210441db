"""Estimates of positive quantities: an interval symmetric in the logarithm."""

import numpy as np
import pytest
from scipy import stats

from theory import Estimate
from theory.estimates import positive_estimate


def test_interval():
    estimate = positive_estimate(10.0, 1.0, runs=16)
    factor = np.exp(stats.t.ppf(0.975, 15) / 10)
    assert (estimate.low, estimate.high) == pytest.approx((10 / factor, 10 * factor))
    many = positive_estimate(10.0, 1e-3, runs=10**6)
    assert (many.low, many.high) == pytest.approx((10 - 1.96e-3, 10 + 1.96e-3), abs=1e-6)


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
