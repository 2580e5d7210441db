"""Measured means from branches and independent runs."""

import numpy as np
import pytest

from theory import Ensemble
from theory.search import Candidate
from theory.search.evidence import Evidence, Point, held, joined, relative_variance

from .toys import FREE, GOAL, HORIZON, RISING, rising

STRONG = Candidate("strong")
Z = 4.0


def evidence_of(runs, pilot=None, branches=None, period=7):
    found = Evidence()
    found.pilot = pilot
    for each, branched in ((branches, True), (runs, False)):
        if each is not None:
            found.add((STRONG, period), each, branched)
    return found


def traces(times, period, epochs=40):
    """Runs that arrive at these epochs, perturbed every ``period``."""
    values = np.zeros((len(times), epochs))
    for run, time in zip(values, times, strict=True):
        run[time - 1 :] = 1.0
    return Ensemble(values, np.arange(len(times)), perturbation="strong", period=period)


@pytest.mark.parametrize("threshold", [71.5, GOAL, 74.0])
def test_independent_runs_alone_give_their_plain_mean(threshold):
    runs = RISING["strong"].simulate(50, HORIZON, 7, seed=1)
    point = evidence_of(runs).point((STRONG, 7), threshold, HORIZON)
    assert point.mean == pytest.approx(runs.first_passage(threshold).times.mean(), rel=1e-12)
    assert point.censored == 0  # up to the horizon nothing is missing


def test_the_decomposition_by_hand():
    # Of four pilot runs two arrive before epoch 10: <min(T, 10)> = (4 + 6 + 10 + 10) / 4 and S(10) = 1/2.
    pilot = Ensemble(traces([4, 6, 20, 30], 10).values, np.arange(4))
    branches = traces([13, 18], 10)
    point = evidence_of(None, pilot, branches, 10).point((STRONG, 10), 1.0, 40)
    assert point.mean == pytest.approx(7.5 + 0.5 * (3 + 8) / 2)
    assert (point.runs, point.censored) == (2, 0)


def test_a_pilot_that_ends_at_the_period_tells_who_is_alive_at_it():
    pilot = Ensemble(traces([4, 6, 20, 30], 10).values[:, :10], np.arange(4))
    point = evidence_of(None, pilot, traces([13, 18], 10), 10).point((STRONG, 10), 1.0, 40)
    assert point.mean == pytest.approx(7.5 + 0.5 * (3 + 8) / 2)


def test_runs_that_all_arrived_early_do_not_hide_what_the_pilot_shows():
    pilot = Ensemble(traces([4, 6, 20, 30], 10).values, np.arange(4))
    early = traces([5], 10)
    point = evidence_of(early, pilot, period=10).point((STRONG, 10), 1.0, 40)
    # Nothing is known of the time after the period: one run of five epochs, not five runs of <min(T, 10)>.
    assert (point.mean, point.runs) == (5.0, 1)
    # Branches that are past an easier threshold tell nothing at all of it.
    assert evidence_of(None, pilot, early, 10).point((STRONG, 10), 1.0, 40) is None


def test_where_all_arrive_before_the_period_the_mean_needs_no_response():
    pilot = Ensemble(traces([4, 6], 10).values, np.arange(2))
    point = evidence_of(traces([5, 9], 10), pilot, period=10).point((STRONG, 10), 1.0, 40)
    assert point == Point(6.0, pytest.approx(np.var([4, 6, 5, 9])), 4, 0)


def test_runs_that_were_given_up_count_as_if_they_arrived_at_a_constant_rate():
    runs = traces([12, 30], 10)
    runs = Ensemble(runs.values[:, :25], runs.seeds, perturbation="strong", period=10)
    point = evidence_of(runs).point((STRONG, 7), 1.0, 40)
    # One arrival in (12 - 7) + (25 - 7) epochs after the period, 33 epochs before the horizon.
    assert point.mean == pytest.approx(7 + 23 * (1 - np.exp(-33 / 23)))
    assert (point.runs, point.censored, point.informative) == (2, 1, 1)


def test_without_runs_there_is_no_point():
    assert Evidence().point((STRONG, 7), GOAL, HORIZON) is None


def mean_of_replicas(period, threshold, replicas=150):
    means = []
    for seed in range(replicas):
        world = rising(seed, goal=threshold)
        strong = next(each for each in world.candidates if each.name == "strong")
        found = Evidence()
        found.pilot = world.pilot(15, period)
        found.add((strong, period), world.branch(strong, period, 5), branched=True)
        found.add((strong, period), world.fresh(strong, period, 5), branched=False)
        means.append(found.point((strong, period), threshold, HORIZON).mean)
    return np.mean(means), np.std(means, ddof=1) / np.sqrt(replicas)


@pytest.mark.parametrize(("period", "threshold"), [(7, 72.5), (20, 72.0)])
def test_branches_and_independent_runs_together_give_the_exact_mean(period, threshold):
    mean, error = mean_of_replicas(period, threshold)
    exact = RISING["strong"].restricted_mean(threshold, HORIZON, period)
    assert abs(mean - exact) < Z * error
    # The same comparison fails where the answer is 10 % off.
    assert abs(mean - 0.9 * exact) > Z * error


def test_joined_runs_are_padded_to_the_longest():
    short, long = FREE.simulate(2, 10, seed=1), FREE.simulate(3, 15, seed=2)
    both = joined([short, long])
    assert both.values.shape == (5, 15)
    assert np.isnan(both.values[:2, 10:]).all()
    np.testing.assert_array_equal(both.lengths, [10, 10, 15, 15, 15])
    np.testing.assert_array_equal(both.seeds, [*short.seeds, *long.seeds])


def test_the_relative_variance_pools_points_with_what_is_assumed():
    # (2 * 0.6^2 + 3 * 0.25 + 1 * 0.01) / 6, the single run left out.
    points = [Point(10, 25.0, 4, 0), Point(20, 4.0, 2, 0), Point(5, np.nan, 1, 0)]
    assert relative_variance(points) == pytest.approx((0.72 + 0.75 + 0.01) / 6)
    assert relative_variance([]) == pytest.approx(0.36)


def test_whether_anything_reached_is_asked_of_all_runs():
    pilot = Ensemble(traces([4, 6], 10).values, np.arange(2))
    assert evidence_of(None, pilot).reached(1.0)
    assert not evidence_of(traces([40], 10), pilot).reached(2.0)


def test_runs_that_diverged_are_held_and_never_arrive():
    values = np.array([[0.1, np.nan, np.nan], [0.1, 0.2, 1.0], [0.1, 0.2, 0.3], [np.nan] * 3])
    runs = Ensemble(values, np.arange(4), perturbation="strong", period=1)
    whole = held(runs, 1.0, 3, 5)
    sample = whole.first_passage(1.0)
    np.testing.assert_array_equal(sample.times, [5, 3, 3, 5])
    np.testing.assert_array_equal(sample.censored, [True, False, True, True])
    # A run that was not asked to be longer is given up, not diverged.
    assert held(Ensemble(values[1:3, :2], np.arange(2)), 1.0, 2, 5).horizon == 2
