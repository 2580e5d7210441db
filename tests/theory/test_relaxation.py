"""The verdict on a quasi-steady state, and how long the metric takes to settle."""

import dataclasses

import numpy as np
import pytest

from theory import Ensemble, relaxation
from theory.settling import (
    correlation_time,
    settling_after_perturbation,
    settling_after_start,
    settling_epoch,
)

from .problems import plateaus


def mirrored(ensemble):
    """The same runs, of a metric to be minimised."""
    return dataclasses.replace(ensemble, values=-ensemble.values, direction="at_most")


@pytest.mark.parametrize("onset", [1, 5, 12, 20])
def test_finds_the_epoch_from_which_the_law_is_constant(onset):
    qss = relaxation(plateaus(onset=onset, seed=onset))
    assert (qss.verdict, qss.relaxation_epoch, qss.stationary_until) == ("reached", onset, 60)
    assert f"unchanged from epoch {onset} to 60" in qss.reason
    assert qss.epochs.tolist() == list(range(1, qss.epochs.size + 1))
    assert (qss.p_values[: onset - 1] <= 0.05).all() and qss.p_values[onset - 1] > 0.05
    assert qss.distances.shape == qss.p_values.shape and 0 < qss.smallest_detectable_shift < 1


def test_more_runs_find_the_end_of_a_slow_rise_later():
    def slow_rise(runs):
        epoch = np.arange(1, 101)
        own = np.random.default_rng(1).standard_normal((runs, 1))
        noise = np.random.default_rng(2).standard_normal((runs, 100))
        return Ensemble(own + noise - 10 * np.exp(-epoch / 5), np.arange(runs))

    few, many = (relaxation(slow_rise(runs), tolerance=0.0) for runs in (50, 1000))
    assert few.verdict == many.verdict == "reached"
    assert few.relaxation_epoch < many.relaxation_epoch
    assert few.smallest_detectable_shift > 3 * many.smallest_detectable_shift


@pytest.mark.parametrize(("slope", "kind"), [(0.2, "still improves"), (-0.2, "drifts back")])
def test_never_stationary(slope, kind):
    rising = plateaus(onset=1, slope=slope)
    for ensemble, direction in ((rising, kind), (mirrored(rising), kind)):
        qss = relaxation(ensemble)
        assert qss.verdict == "not_reached" and direction in qss.reason
        assert (qss.relaxation_epoch, qss.stationary_until) == (None, None)
        assert (qss.p_values <= 0.05).all() and qss.epochs.size > 20


def test_drift_after_a_plateau():
    still = plateaus(epochs=120, onset=5, seed=3)
    drift = -0.1 * np.maximum(0, np.arange(120) - 60)
    qss = relaxation(dataclasses.replace(still, values=still.values + drift))
    assert (qss.verdict, qss.relaxation_epoch) == ("reached", 5)
    assert 20 <= qss.stationary_until < 80
    assert f"drifts after epoch {qss.stationary_until}" in qss.reason


@pytest.mark.parametrize(
    ("runs", "epochs", "reason"),
    [(19, 60, "these have 19 runs and 0 epochs"), (100, 10, "these have 100 runs and 10 epochs")],
)
def test_too_little_data(runs, epochs, reason):
    qss = relaxation(plateaus(runs, epochs))
    assert qss.verdict == "undecided" and reason in qss.reason
    assert qss.epochs.size == 0 and qss.relaxation_epoch is None


def test_runs_that_could_not_have_shown_a_shift():
    independent = np.random.default_rng(3).standard_normal((20, 60))
    qss = relaxation(Ensemble(independent, np.arange(20)))
    assert qss.verdict == "undecided"
    assert "add runs" in qss.reason and qss.smallest_detectable_shift > 1
    assert qss.relaxation_epoch is None


def test_law_given_survival():
    # Some runs arrive at epoch 11 and jump up; the others stay as they are.
    still = plateaus(onset=1, seed=6)
    jump = np.zeros((200, 60))
    jump[:80, 10:] = 30
    mixed = dataclasses.replace(still, values=still.values + jump)
    assert relaxation(mixed).relaxation_epoch != 1
    alive = relaxation(mixed, threshold=20)
    assert (alive.verdict, alive.relaxation_epoch, alive.stationary_until) == ("reached", 1, 60)


def test_ends_where_too_few_runs_are_left():
    values = plateaus(onset=5, seed=7).values.copy()
    values[:181, 40:] = np.nan
    values[0, 3] = np.inf  # a divergence; what comes later does not count
    values[0, 4:] = 1e6
    qss = relaxation(Ensemble(values, np.arange(200)))
    assert (qss.verdict, qss.relaxation_epoch, qss.stationary_until) == ("reached", 5, 40)


def test_onsets_that_leave_no_window_decide_nothing():
    values = np.random.default_rng(0).normal(size=(60, 100))
    verdict = relaxation(Ensemble(values, np.arange(60)), onsets=[90, 95])
    assert verdict.verdict == "undecided" and verdict.epochs.size == 0
    assert verdict.reason.startswith(
        "none of the onsets leaves a window of 10 epochs and one doubling in 100"
    )
    assert relaxation(Ensemble(values, np.arange(60)), onsets=[40, 90]).relaxation_epoch == 40


def test_same_seed_same_verdict():
    ensemble = plateaus(onset=8, seed=9)
    first, second = relaxation(ensemble, seed=1), relaxation(ensemble, seed=1)
    np.testing.assert_array_equal(first.p_values, second.p_values)
    assert first.reason == second.reason
    assert not np.array_equal(first.p_values, relaxation(ensemble, seed=2).p_values)


def noiseless(shape, runs=3):
    return np.tile(np.asarray(shape, dtype=float), (runs, 1))


def test_settling_epoch():
    rise = noiseless(10 - 10 * 0.5 ** np.arange(20))
    # Halves at every epoch: below 5 % of the excursion after five halvings.
    assert settling_epoch(rise, 10, 0.05) == 6
    assert settling_epoch(rise, 10, 0.20) == 4
    assert settling_epoch(-rise, -10, 0.20) == 4
    assert settling_epoch(noiseless([5, 5, 5]), 5, 0.05) == 1
    assert settling_epoch(noiseless([0, 10, 10, 0]), 10, 0.05) is None
    # Not the first time within the tolerance: from then on.
    assert settling_epoch(noiseless([0, 10, 4, 10, 10]), 10, 0.05) == 4


def test_settling_ignores_what_noise_explains():
    noise = np.random.default_rng(1).standard_normal((50, 200))
    noise -= noise.mean(axis=0) - 1.9 * noise.std(axis=0) / np.sqrt(50)
    assert settling_epoch(noise, 0.0, 0.0) == 1
    assert settling_epoch(1.1 * noise.mean(axis=0) + noise - noise.mean(axis=0), 0.0, 0.0) is None


def test_settling_needs_runs():
    with pytest.raises(ValueError, match="`values` has no run recorded at epoch 2; shorten it"):
        settling_epoch(noiseless([1, np.nan, 1]), 1, 0.05)


def test_settling_after_the_start():
    rise = 10 - 10 * 0.5 ** np.arange(20)
    runs = Ensemble(noiseless(rise), range(3))
    assert settling_after_start(runs, 20, 0.05) == 6
    assert settling_after_start(runs, 500, 0.05) == 6
    assert settling_after_start(runs, 4, 0.05) == 4  # relative to the level at epoch 4
    assert settling_after_start(Ensemble(noiseless([1, np.nan]), range(3)), 2, 0.05) is None


def cycles(*shapes, runs=12):
    period = len(shapes[0])
    values = noiseless(np.concatenate([np.zeros(period), *shapes]), runs)
    return Ensemble(values, np.arange(runs), perturbation="kick", period=period)


def test_settling_after_a_perturbation():
    quick = 10 - 10 * 0.1 ** np.arange(8)  # 1 % left in the third epoch
    slow = 10 - 10 * 0.5 ** np.arange(8)
    assert settling_after_perturbation(cycles(quick, quick), 2, 0.05, 10) == 3
    assert settling_after_perturbation(cycles(quick, slow), 2, 0.05, 10) == 6  # the longest
    assert settling_after_perturbation(cycles(quick, slow), 1, 0.05, 10) == 3
    assert settling_after_perturbation(cycles(quick, np.arange(8.0)), 2, 0.05, 10) is None  # still moves
    assert settling_after_perturbation(cycles(quick, runs=9), 1, 0.05, 10) is None
    # A mean that gets there only in the last quarter may not have settled at all.
    for outside, settled in ((5, 6), (6, None)):
        assert settling_after_perturbation(cycles(np.arange(8) >= outside), 1, 0.05, 10) == settled


def test_settling_takes_only_cycles_that_were_recorded_to_their_end():
    quick = 10 - 10 * 0.1 ** np.arange(8)
    runs = cycles(quick, np.arange(8.0))
    values = runs.values.copy()
    values[:5, -1] = np.nan
    cut = dataclasses.replace(runs, values=values)
    assert settling_after_perturbation(cut, 2, 0.05, 10) == 3
    assert settling_after_perturbation(cut, 9, 0.05, 10) == 3


def test_settling_ignores_what_follows_a_divergence():
    rise = noiseless(10 - 10 * 0.5 ** np.arange(20), runs=12)
    rise[0, 3], rise[0, 4:] = np.nan, 1e6
    assert settling_after_start(Ensemble(rise, range(12)), 20, 0.05) == 6


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_the_correlation_time_is_that_of_an_autoregression(memory):
    rng = np.random.default_rng(1)
    values, shocks = np.zeros((200, 2000)), rng.normal(size=(200, 2000))
    for epoch in range(1, 2000):
        values[:, epoch] = memory * values[:, epoch - 1] + shocks[:, epoch]
    exact = (1 + memory) / (1 - memory) / 2
    # Levels that differ between runs for good, and the unit, make no difference.
    values = 1e300 * (values[:, 100:] / 100 + rng.normal(size=(200, 1)))
    assert correlation_time(values) == pytest.approx(exact, rel=0.05)


def test_a_metric_that_does_not_move_has_no_memory():
    assert correlation_time(np.full((3, 20), 7.0)) == 0.5
    assert correlation_time(np.zeros((3, 1))) == 0.5
    # The mean of equal values may differ from them by rounding.
    levels = np.random.default_rng(0).normal(70, 1, size=(6, 1))
    assert correlation_time(np.repeat(levels, 203, axis=1)) == 0.5
