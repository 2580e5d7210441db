"""The autoregression: its exact law against finer grids, simulation, and closed forms."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from stochreset import Autoregression

THRESHOLD, HORIZON = 2.0, 120
MODEL = Autoregression(memory=0.95, start=1.0, keep=0.4, noise=0.3)
Z = 4.0


def like(**changes):
    return Autoregression(**({name: getattr(MODEL, name) for name in MODEL.__slots__} | changes))


@pytest.mark.parametrize("changes", [{}, {"keep": 0.0, "noise": 0.0}, {"start": -3.0}, {"memory": 0.995}])
def test_a_finer_grid_changes_nothing(changes):
    coarse, fine = (like(**changes).survival(THRESHOLD, HORIZON, 7, refine=refine) for refine in (1, 2))
    np.testing.assert_allclose(coarse, fine, atol=1e-10)


def test_the_error_falls_faster_than_any_second_order():
    exact = MODEL.survival(THRESHOLD, HORIZON, 7, refine=2)
    errors = [np.abs(MODEL.survival(THRESHOLD, HORIZON, 7, refine=r) - exact).max() for r in (0.25, 0.5)]
    assert errors[0] > 100 * errors[1]
    assert errors[1] < 1e-4


@pytest.mark.parametrize("period", [None, 5, 20])
def test_survival_agrees_with_simulation(period):
    runs = 20_000
    traces = MODEL.traces(np.arange(runs), HORIZON, period)
    hit = np.maximum.accumulate(traces, axis=1) >= THRESHOLD
    alive, exact = 1 - hit.mean(axis=0), MODEL.survival(THRESHOLD, HORIZON, period)[1:]
    error = np.sqrt(exact * (1 - exact) / runs)
    inside = error > 1e-3
    assert inside.sum() > 10
    assert (np.abs(alive - exact) < Z * error)[inside].all()
    # The same comparison fails for a law that is 10 % off.
    assert not (np.abs(alive - 0.9 * exact) < Z * error)[inside].all()


@pytest.mark.parametrize("period", [None, 7])
def test_the_restricted_mean_agrees_with_simulation(period):
    traces = MODEL.traces(np.arange(10_000), HORIZON, period)
    hit = traces >= THRESHOLD
    times = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, HORIZON)
    error, exact = times.std(ddof=1) / 100, MODEL.restricted_mean(THRESHOLD, HORIZON, period)
    assert abs(times.mean() - exact) < Z * error
    assert abs(times.mean() - 0.9 * exact) > Z * error


def test_without_memory_the_passage_is_geometric():
    np.testing.assert_allclose(like(memory=0.0).survival(1.2, 30, 4), ndtr(1.2) ** np.arange(31), rtol=1e-12)


def test_three_epochs_are_an_orthant_of_the_joint_law():
    a, start = MODEL.memory, MODEL.start
    mean = start * a ** np.arange(1, 4)
    covariance = np.array(
        [[a ** abs(i - j) * (1 - a ** (2 * min(i, j))) for j in (1, 2, 3)] for i in (1, 2, 3)]
    )
    precision = {"abseps": 1e-8, "releps": 1e-8, "maxpts": 1_000_000}
    below = multivariate_normal.cdf(np.full(3, 1.2), mean, covariance, **precision)
    assert MODEL.survival(1.2, 3)[3] == pytest.approx(below, abs=1e-6)


def test_a_perturbation_that_keeps_everything_changes_nothing():
    kept = like(keep=1.0, noise=0.0)
    np.testing.assert_allclose(kept.survival(THRESHOLD, 60, 7), kept.survival(THRESHOLD, 60), rtol=1e-12)


def test_resets_renew_the_process():
    reset, period = like(keep=0.0, noise=0.0), 10
    once = reset.survival(THRESHOLD, period)
    cycles = [once[:-1] * once[-1] ** cycle for cycle in range(5)]
    np.testing.assert_allclose(reset.survival(THRESHOLD, 49, period), np.concatenate(cycles), rtol=1e-10)
    # With noise the cycles are not all alike, and the same formula misses them.
    assert np.abs(like(keep=0.0).survival(THRESHOLD, 49, period) - np.concatenate(cycles)).max() > 0.01


def test_there_is_a_best_period():
    means = [like(keep=0.0, noise=0.0).restricted_mean(THRESHOLD, 400, period) for period in (2, 10, 200)]
    assert means[1] < 0.8 * min(means[0], means[2])


def test_runs_agree_up_to_the_first_perturbation():
    seeds, later = np.arange(5), np.arange(5) + 100
    free, kicked = MODEL.traces(seeds, 30), MODEL.traces(seeds, 20, 7)
    branched = MODEL.traces(seeds, 20, 7, later=later)
    for each in (kicked, branched):
        np.testing.assert_array_equal(each[:, :7], free[:, :7])
    assert not (branched[:, 7:] == kicked[:, 7:]).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory": 1.0}, "`memory` must be at least 0 and below 1, got 1.0"),
        ({"keep": 1.1}, "`keep` must lie between 0 .* and 1"),
        ({"noise": -0.1}, "`noise` must not be negative, got -0.1"),
        ({"memory": "a"}, "`memory` must be a finite number, got 'a'"),
        ({"start": np.nan}, "`start` must be a finite number, got nan"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        like(**changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.5, 10, 0), "`period` must be a whole number, 1 or larger, got 0"),
        ((1.5, -1), "`epochs` must be a whole number, 0 or larger, got -1"),
        ((np.inf, 3), "`threshold` must be a finite number, got inf"),
        ((np.nan, 3), "`threshold` must be a finite number, got nan"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        MODEL.survival(*arguments)


def test_a_threshold_below_all_runs_is_refused():
    with pytest.raises(ValueError, match="`threshold` must be above -9"):
        MODEL.survival(-10.0, 5)
