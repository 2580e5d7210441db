"""First-passage times from traces: what counts as arrival, and what is censored where."""

import numpy as np
import pytest
from scipy.stats import CensoredData

from theory import PassageSample, first_passage, kaplan_meier

from .problems import lifelines

NAN, INF = np.nan, np.inf


def passage(traces, *args, **kwargs):
    sample = first_passage(traces, *args, **kwargs)
    return sample.times.tolist(), sample.censored.tolist()


@pytest.mark.parametrize(
    ("trace", "time", "censored"),
    [
        ([0.1, 0.5, 0.9], 2, False),  # reached exactly
        ([0.1, 0.5 - 1e-12, 0.9], 3, False),
        ([0.7, 0.1, 0.1], 1, False),  # epochs count from 1; a later fall does not matter
        ([0.1, 0.2, 0.3], 3, True),  # right-censored at its end
        ([0.1, 0.2, NAN], 2, True),  # diverged or shorter: at the last finite epoch
        ([0.1, NAN, 0.9], 1, True),  # what comes after is ignored
        ([0.1, INF, 0.9], 1, True),  # an infinite metric is a divergence, not an arrival
        ([0.1, -INF, 0.9], 1, True),
        ([NAN, 0.9, 0.9], 0, True),  # diverged at once: never seen
        ([0.1, 0.6, NAN], 2, False),
    ],
)
def test_arrival_and_censoring(trace, time, censored):
    assert passage([trace], 0.5) == ([time], [censored])
    # To be minimised: the mirror image.
    assert passage([np.negative(trace)], -0.5, "at_most") == ([time], [censored])


def test_strictly_above_would_give_other_times():
    quantised = np.random.default_rng(0).integers(40, 60, size=(200, 30)) / 100
    times = first_passage(quantised, 0.55).times
    naive = [next((t + 1 for t, a in enumerate(run) if a >= 0.55), 30) for run in quantised]
    np.testing.assert_array_equal(times, naive)
    assert np.mean(times != first_passage(quantised, 0.5500001).times) > 0.1


def test_horizon_ignores_what_comes_later():
    traces = [[0.1, 0.2, 0.9], [0.1, 0.9, 0.9], [0.1, NAN, NAN]]
    assert passage(traces, 0.5, horizon=2) == ([2, 2, 1], [True, False, True])
    assert passage(traces, 0.5, horizon=99) == passage(traces, 0.5) == ([3, 2, 1], [False, False, True])


def test_horizon_is_the_same_as_restricting_the_sample():
    traces = np.random.default_rng(1).random((100, 20))
    cut, whole = first_passage(traces, 0.95, horizon=7), first_passage(traces, 0.95)
    np.testing.assert_array_equal(cut.times, whole.restrict(7).times)
    np.testing.assert_array_equal(cut.censored, whole.restrict(7).censored)
    assert whole.restrict(1e9).n_censored == whole.n_censored


def test_properties():
    sample = PassageSample([3, 1, 7], [False, True, False])
    assert (len(sample), sample.n_censored, sample.horizon) == (3, 1, 7)
    assert sample.observed.tolist() == [True, False, True]


def test_arrays_are_read_only_copies():
    times = np.array([1.0, 2.0])
    sample = PassageSample(times, [False, True])
    times[0] = 99
    assert sample.times[0] == 1
    for array in (sample.times, sample.censored):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    durations, observed = sample.to_durations()
    durations[0], observed[0] = 5, False
    assert sample.times[0] == 1 and sample.observed[0]


def test_censored_data_round_trip():
    sample = PassageSample([3, 1, 7, 7], [False, True, False, True])
    back = PassageSample.from_censored_data(sample.to_censored_data())
    assert sorted(zip(back.times, back.censored, strict=True)) == sorted(
        zip(sample.times, sample.censored, strict=True)
    )
    exact = PassageSample.from_censored_data(CensoredData([1.0, 2.0]))
    assert exact.n_censored == 0


def test_durations_feed_lifelines():
    sample = first_passage(np.random.default_rng(2).random((80, 25)), 0.97)
    with lifelines() as package:
        fitter = package.KaplanMeierFitter().fit(*sample.to_durations())
        theirs = fitter.survival_function_at_times(np.arange(26)).to_numpy()
    assert 0 < sample.n_censored < 80
    np.testing.assert_allclose(kaplan_meier(sample).evaluate(np.arange(26)), theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: first_passage([1.0, 2.0], 1), r"`traces` must be a non-empty .* got shape \(2,\)"),
        (lambda: first_passage(np.empty((0, 3)), 1), r"`traces` must be .* got shape \(0, 3\)"),
        (
            lambda: first_passage([[1.0]], NAN),
            "`threshold` must be a finite number, in the unit of the metric, got nan",
        ),
        (
            lambda: first_passage([[1.0]], 1, "above"),
            "`direction` must be 'at_least' or 'at_most', got 'above'",
        ),
        (
            lambda: first_passage([[1.0]], 1, horizon=0),
            "`horizon` must be a whole number of epochs, at least 1, got 0",
        ),
        (lambda: PassageSample([], []), "`times` must be a non-empty 1-D array"),
        (lambda: PassageSample([[1.0]], [[True]]), r"`times` must be .* got shape \(1, 1\)"),
        (lambda: PassageSample([1.0], [True, False]), "`censored` must have the shape of `times`"),
        (lambda: PassageSample([1.0, NAN], [False, True]), "finite and non-negative, got nan at index 1"),
        (lambda: PassageSample([1.0, -2.0], [False, True]), "got -2.0 at index 1; mark a run"),
        (lambda: PassageSample([1.0], [True]).restrict(0), "`horizon` must be positive, got 0"),
        (lambda: PassageSample([1.0], [True]).restrict(NAN), "`horizon` must be positive, got nan"),
        (
            lambda: PassageSample.from_censored_data(CensoredData.left_censored([1.0], [True])),
            "`data` must hold only exact and right-censored times",
        ),
        (
            lambda: PassageSample.from_censored_data(CensoredData(interval=[[1.0, 2.0]])),
            "`data` must hold only exact and right-censored times",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
