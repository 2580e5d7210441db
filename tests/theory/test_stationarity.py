"""The test that a metric has one law at several epochs: level, power, dependence, missing runs."""

import numpy as np
import pytest

from theory import test_stationarity as stationarity
from theory.stationarity import SPLITS

REPLICAS = 100


def study(seed, runs=100, epochs=5, correlation=0.64, shift=0.0):
    """Normal values of standard deviation 1, the first epoch shifted."""
    rng = np.random.default_rng(seed)
    own, noise = rng.standard_normal((runs, 1)), rng.standard_normal((runs, epochs))
    values = np.sqrt(correlation) * own + np.sqrt(1 - correlation) * noise
    values[:, 0] += shift
    return values


def rejections(**settings):
    return np.mean([stationarity(study(k, **settings), seed=k).p_value <= 0.05 for k in range(REPLICAS)])


def test_stated_power_is_the_power():
    studies = (stationarity(study(k), power=True, seed=k) for k in range(1000, 1020))
    shift = np.mean([result.detectable_shift for result in studies])
    assert rejections(shift=shift) == pytest.approx(0.8, abs=0.15)
    assert rejections(shift=0.6 * shift) < 0.8 - 0.15


def test_more_runs_see_smaller_shifts():
    few, many = (stationarity(study(1, runs), power=True).detectable_shift for runs in (50, 800))
    assert many < few / 2.5


def test_tolerated_shifts_are_not_found():
    values = study(2, runs=800, shift=0.2)
    assert stationarity(values).p_value < 0.01
    assert stationarity(values, tolerance=0.25).p_value > 0.05
    assert stationarity(values + 1.0 * (np.arange(5) == 0), tolerance=0.25).p_value < 0.01


def test_clear_differences_need_no_simulation():
    result = stationarity(study(0, shift=5.0))
    assert result.p_value < 1e-3 and np.isnan(result.detectable_shift)
    assert result.distances[0, 1:].min() > 0.95
    assert result.distances[1:, 1:].max() < 0.3


def test_distances_are_a_symmetric_matrix():
    distances = stationarity(study(3)).distances
    assert distances.shape == (5, 5) and (np.diag(distances) == 0).all()
    np.testing.assert_array_equal(distances, distances.T)
    assert (distances >= 0).all() and (distances <= 1).all()


def test_distances_of_few_levels_against_the_definition():
    values = np.random.default_rng(4).integers(4, size=(30, 3)).astype(float)
    rng = np.random.default_rng(7)  # the splits are the first thing drawn
    order = rng.permuted(np.tile(np.arange(30), (SPLITS, 1)), axis=1)
    expected = np.zeros((3, 3))
    for split in order:
        half = split < 15
        for i in range(3):
            for j in range(3):
                if i != j:
                    gaps = [
                        abs(np.mean(values[half, i] <= x) - np.mean(values[~half, j] <= x)) for x in range(4)
                    ]
                    expected[i, j] += max(gaps) / SPLITS
    np.testing.assert_allclose(stationarity(values, seed=7).distances, (expected + expected.T) / 2, atol=1e-6)


def test_missing_runs_are_left_out():
    values = study(5, runs=200)
    gaps = values.copy()
    gaps[np.random.default_rng(6).random(gaps.shape) < 0.3] = np.nan
    assert stationarity(gaps).p_value > 0.05
    gaps[:, 0] += 2
    assert stationarity(gaps).p_value < 1e-3
    assert stationarity(np.where(np.isnan(gaps), np.inf, gaps)).p_value < 1e-3  # divergences as well


def test_equal_values_are_stationary():
    result = stationarity(np.full((20, 5), 3.0), power=True)
    assert (result.statistic, result.p_value, result.detectable_shift) == (0, 1, 0)


def test_same_seed_same_result():
    values = study(8)
    first, second, other = (stationarity(values, power=True, seed=seed) for seed in (1, 1, 2))
    assert (first.p_value, first.detectable_shift) == (second.p_value, second.detectable_shift)
    np.testing.assert_array_equal(first.distances, second.distances)
    assert not np.array_equal(first.distances, other.distances)


def test_too_few_runs():
    with pytest.raises(ValueError, match="`values` needs at least 8 runs recorded at each epoch, got 7"):
        stationarity(study(0, runs=7))
    values = study(0, runs=20)
    values[5:, 2] = np.nan
    with pytest.raises(ValueError, match="got 5; add runs"):
        stationarity(values)


def test_tolerance_is_not_negative():
    with pytest.raises(ValueError, match="`tolerance` must be non-negative, .* got -0.1"):
        stationarity(study(0), tolerance=-0.1)
