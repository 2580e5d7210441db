"""What holds for any runs whatever: bounds, symmetries, and what more data can and cannot do."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from theory import (
    Ensemble,
    PassageSample,
    QuasiSteadyState,
    ValidRange,
    kaplan_meier,
    linear_response,
    mean_passage_time,
    measure_response,
    moments,
    periodic,
    poisson,
    predict,
    predict_survival,
    restricted_mean,
)
from theory.prediction import constant_mean, cycle_mean, restricted_cycle_mean

bounded = settings(max_examples=60, deadline=None, derandomize=True)
NOTHING = np.empty(0)
REACHED = QuasiSteadyState("reached", 1, None, None, "", NOTHING.astype(int), NOTHING, NOTHING)


@st.composite
def samples(draw, whole=False, complete=False):
    """Passage times of a few runs, some of them censored."""
    runs = draw(st.integers(2, 25))
    numbers = st.integers(1, 30) if whole else st.floats(1e-3, 1e3)
    times = np.array(draw(st.lists(numbers, min_size=runs, max_size=runs)), dtype=float)
    censored = np.zeros(runs, bool) if complete else draw(arrays(bool, runs))
    return PassageSample(times, censored)


@st.composite
def pairs(draw, complete=False):
    """Unperturbed and perturbed runs whose metric jumps to 1 when they arrive; at least two are perturbed."""
    epochs, period = draw(st.integers(6, 24)), draw(st.integers(1, 5))
    runs = draw(st.integers(2, 12)), draw(st.integers(3, 12))
    latest = epochs if complete else epochs + 6
    free = draw(arrays(int, runs[0], elements=st.integers(1, latest)))
    kicked = draw(arrays(int, runs[1], elements=st.integers(1, latest)))
    kicked[:2] = draw(arrays(int, 2, elements=st.integers(period + 1, epochs)))
    return ensemble(free, epochs), ensemble(kicked, epochs, period)


def ensemble(times, epochs, period=None):
    values = (np.arange(1, epochs + 1) >= times[:, None]).astype(float)
    first = 0 if period is None else 1000
    return Ensemble(
        values,
        first + np.arange(len(times)),
        perturbation=None if period is None else "kick",
        period=period,
    )


def order(data, runs):
    return np.array(data.draw(st.permutations(range(runs))))


def limits(response):
    return ValidRange(response.period, response.horizon, REACHED, 1, 1)


@bounded
@given(samples(), st.lists(st.floats(0, 2e3), min_size=1, max_size=20))
def test_survival_falls_from_one_and_stays_in_its_interval(sample, times):
    curve = kaplan_meier(sample)
    values = curve.evaluate(np.sort([0.0, *times]))
    known = values[~np.isnan(values)]
    assert known[0] == 1 and np.all(np.diff(known) <= 0) and np.all((known >= 0) & (known <= 1))
    low, high = curve.confidence_interval(curve.times)
    inside = ~np.isnan(low)
    assert np.all(low[inside] <= curve.survival[inside]) and np.all(curve.survival[inside] <= high[inside])
    assert np.all((curve.hazard()[1] > 0) & (curve.hazard()[1] <= 1))


@bounded
@given(samples(complete=True))
def test_without_censoring_the_mean_is_that_of_the_times(sample):
    times = sample.times
    found = mean_passage_time(sample)
    np.testing.assert_allclose(found.value, times.mean(), rtol=1e-9)
    np.testing.assert_allclose(
        found.stderr, times.std(ddof=1) / np.sqrt(times.size), rtol=1e-6, atol=1e-9 * times.max()
    )
    assert found.low <= found.value * (1 + 1e-12) and found.value <= found.high * (1 + 1e-12)
    assert moments(sample).second.value >= moments(sample).mean.value ** 2 * (1 - 1e-12)


@bounded
@given(samples(), st.floats(0.05, 1), st.floats(0.05, 1))
def test_watching_longer_never_lowers_the_lower_bound(sample, first, second):
    # All runs are watched for one time, and then for a longer one.
    complete = PassageSample(sample.times, np.zeros(len(sample), bool))
    early, late = sorted(share * sample.horizon for share in (first, second))
    bounds = [mean_passage_time(complete.restrict(horizon)) for horizon in (early, late)]
    assert bounds[0].value <= bounds[1].value * (1 + 1e-12)
    assert bounds[1].value <= complete.times.mean() * (1 + 1e-12)
    assert bounds[1].lower_bound <= bounds[0].lower_bound
    # The same for one censored sample, whatever the runs were censored for.
    restricted = [restricted_mean(sample, horizon).value for horizon in (early, late)]
    assert restricted[0] <= restricted[1] * (1 + 1e-12) and restricted[1] <= late * (1 + 1e-12)


@bounded
@given(samples(complete=True), st.floats(1e-3, 1e3), st.floats(0.1, 100))
def test_another_unit_of_time_changes_only_the_unit(sample, factor, tau):
    scaled = PassageSample(sample.times * factor, sample.censored)
    for power, name in ((1, "mean"), (2, "second"), (0, "cv")):
        one, other = getattr(moments(sample), name), getattr(moments(scaled), name)
        np.testing.assert_allclose(other.value, one.value * factor**power, rtol=1e-9, atol=1e-12)
    one, other = linear_response(sample, tau), linear_response(scaled, tau * factor)
    size = moments(sample).second.value * factor**2
    np.testing.assert_allclose(other.critical_tau.value, one.critical_tau.value * factor, rtol=1e-9)
    np.testing.assert_allclose(other.slope.value, one.slope.value * factor**2, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(
        mean_passage_time(scaled).value, mean_passage_time(sample).value * factor, rtol=1e-9
    )


@bounded
@given(pairs(complete=True), st.integers(2, 4))
def test_epochs_of_another_length_scale_the_mean(pair, factor):
    # Every time and the period times a whole number: the exact mean in finer epochs, at the measured period.
    def mean(times, epochs, period, kicked):
        response = measure_response(
            ensemble(times, epochs), ensemble(kicked, epochs, period), 0.5, resamples=0, pool=False
        )
        return constant_mean(response, periodic(period))[0]

    free, kicked = (each.first_passage(0.5).times.astype(int) for each in pair)
    epochs, period = pair[0].horizon, pair[1].period
    coarse = mean(free, epochs, period, kicked)
    fine = mean(free * factor, epochs * factor, period * factor, kicked * factor)
    np.testing.assert_allclose(fine, coarse * factor, rtol=1e-9)


@bounded
@given(pairs(), st.integers(1, 40))
def test_a_perturbed_run_takes_an_epoch_at_least_and_has_a_law(pair, period):
    response = measure_response(*pair, 0.5, resamples=10)
    for point in predict(response, [period, response.period], limits(response)):
        assert point.mean >= 1 - 1e-12 or (np.isnan(point.mean) and point.status == "out_of_range")
    for law in (periodic(period), poisson(0.7)):
        for mean in (constant_mean(response, law), cycle_mean(response, law)[0]):
            assert np.all((mean >= 1 - 1e-9) | np.isnan(mean))
    if period <= response.horizon:
        survival = predict_survival(response, period, 60)
        assert np.all(survival[:, 0] == 1) and np.all((survival >= 0) & (survival <= 1))
        assert np.all(np.diff(survival, axis=1) <= 1e-15)


@bounded
@given(pairs(complete=True))
def test_at_the_measured_period_the_prediction_is_the_measurement(pair):
    free, kicked = pair
    # Where both have the same law before the first perturbation, as they are pooled: the perturbed runs themselves.
    response = measure_response(kicked_as_free(kicked), kicked, 0.5, resamples=0)
    law = periodic(response.period)
    measured = kicked.first_passage(0.5).times.mean()
    np.testing.assert_allclose(constant_mean(response, law)[0], measured, rtol=1e-9)
    # For any unperturbed runs: mean of min(T, P), and the residual time of those that were alive.
    response = measure_response(free, kicked, 0.5, resamples=0, pool=False)
    times, period = free.first_passage(0.5).times, response.period
    residual = kicked.first_passage(0.5).times - period
    exact = np.minimum(times, period).mean() + np.mean(times > period) * residual[residual > 0].mean()
    np.testing.assert_allclose(constant_mean(response, periodic(period))[0], exact, rtol=1e-9)


def kicked_as_free(kicked):
    """The same runs, taken for unperturbed ones: until the first perturbation nothing tells them apart."""
    return Ensemble(kicked.values, kicked.seeds - 1000)


@bounded
@given(st.data(), samples())
def test_the_order_of_runs_does_not_matter_to_a_sample(data, sample):
    rows = order(data, len(sample))
    other = PassageSample(sample.times[rows], sample.censored[rows])
    for one, two in zip(_answers(sample), _answers(other), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-12)


def _answers(sample):
    curve = kaplan_meier(sample)
    mean = mean_passage_time(sample)
    return curve.times, curve.survival, curve.at_risk, (mean.value, mean.stderr, mean.low, mean.high)


@bounded
@given(st.data(), pairs())
def test_the_order_of_runs_does_not_matter_to_a_response(data, pair):
    # The weights of the bootstrap belong to the seeds, so that its answers do not change either.
    shuffled = []
    for each in pair:
        rows = order(data, len(each))
        shuffled.append(
            Ensemble(each.values[rows], each.seeds[rows], perturbation=each.perturbation, period=each.period)
        )
    one, two = (measure_response(*each, 0.5, resamples=10, seed=3) for each in (pair, shuffled))
    for name in ("survival", "tau", "cycles", "alive"):
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=1e-12, atol=1e-12)


@bounded
@given(pairs(), st.integers(1, 20))
def test_restricted_means_grow_with_the_horizon_up_to_it(pair, period):
    response = measure_response(*pair, 0.5, resamples=0)
    horizons = range(1, response.horizon + 1)
    means = [
        restricted_cycle_mean(response, min(period, response.horizon), horizon, "nobody completes")[0]
        for horizon in horizons
    ]
    # Unknown from where no unperturbed run is watched any more, while pooled ones had not arrived.
    known = np.array(means)[~np.isnan(means)]
    assert np.all(np.diff(known) >= -1e-12) and np.all(known <= np.array(horizons)[: known.size] + 1e-9)
    assert not np.isnan(means[: known.size]).any()
    assert means[0] == 1


@bounded
@given(pairs(), st.integers(1, 40))
def test_the_two_bounds_of_what_was_not_measured_are_in_order(pair, period):
    response = measure_response(*pair, 0.5, resamples=0)
    low, _ = cycle_mean(response, periodic(period), "hazard continues")
    high, _ = cycle_mean(response, periodic(period), "nobody completes")
    assert np.isnan(low[0]) or low[0] <= high[0] * (1 + 1e-9)
