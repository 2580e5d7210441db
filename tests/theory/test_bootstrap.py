"""Bootstrap weights: one per seed, the spread of the resampled mean, reproducible."""

import numpy as np
import pytest

from theory import bootstrap_weights
from theory.bootstrap import percentile_interval


def test_shape_and_sums():
    first, second = bootstrap_weights([np.arange(5), np.arange(3, 11)], resamples=50)
    assert first.shape == (51, 5) and second.shape == (51, 8)
    assert (first[0] == 1).all() and (second[0] == 1).all()
    np.testing.assert_allclose(first.sum(axis=1), 5)
    np.testing.assert_allclose(second.sum(axis=1), 8)
    assert (first > 0).all() and (second > 0).all()
    assert [w.shape for w in bootstrap_weights([[1], [2, 3]], resamples=0)] == [(1, 1), (1, 2)]


def test_equal_seeds_are_resampled_together():
    first, second = bootstrap_weights([[7, 1, 5], [5, 9, 7, 2]], resamples=100)
    np.testing.assert_allclose(first[:, 0] / first[:, 2], second[:, 2] / second[:, 0])
    other = bootstrap_weights([[7, 1, 5], [15, 9, 17, 2]], resamples=100)[1]
    assert np.abs(first[1:, 0] / first[1:, 2] - other[1:, 2] / other[1:, 0]).max() > 0.1


def test_resampled_mean_has_the_error_of_the_mean():
    data, resamples = np.random.default_rng(1).lognormal(size=50), 20_000
    (weights,) = bootstrap_weights([np.arange(50)], resamples)
    means = weights[1:] @ data / 50
    stderr = data.std(ddof=1) / np.sqrt(50)
    assert abs(means.mean() - data.mean()) < 4 * stderr / np.sqrt(resamples)
    kurtosis = np.mean((means - means.mean()) ** 4) / means.var() ** 2
    tolerance = 4 * np.sqrt((kurtosis - 1) / resamples) / 2
    assert abs(means.std() / stderr - 1) < tolerance
    assert abs(1.1 * means.std() / stderr - 1) > tolerance


def test_reproducible():
    args = [np.arange(6)], 10
    np.testing.assert_array_equal(bootstrap_weights(*args, seed=3)[0], bootstrap_weights(*args, seed=3)[0])
    generator = np.random.default_rng(3)
    np.testing.assert_array_equal(
        bootstrap_weights(*args, seed=3)[0], bootstrap_weights(*args, seed=generator)[0]
    )
    assert (bootstrap_weights(*args, seed=3)[0][1:] != bootstrap_weights(*args, seed=4)[0][1:]).all()


def test_errors():
    with pytest.raises(ValueError, match="`resamples` must be non-negative, got -1"):
        bootstrap_weights([[1, 2]], -1)


def test_percentile_interval():
    values = np.arange(1001)
    assert percentile_interval(values) == (25, 975)
    assert percentile_interval(values, level=0.5) == (250, 750)
    assert percentile_interval(np.where(values > 900, np.inf, values)) == (25, np.inf)
    assert np.isnan(percentile_interval([1.0, np.nan])).all()
    assert np.isnan(percentile_interval([])).all()
