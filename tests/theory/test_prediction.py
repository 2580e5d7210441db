"""Predictions against exact answers, Monte Carlo of random intervals, and the rules of validity."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from theory import (
    constant_mean,
    constant_stderr,
    cycle_mean,
    first_passage,
    measure_response,
    periodic,
    poisson,
    predict,
    predict_survival,
    renewal,
)
from theory.passages import PassageSample
from theory.prediction import restricted_cycle_mean

from .problems import Renewal, ensemble, exact_response, limits, steady, z_score

TOY = Renewal(late=0.03, early=0.2, burst=3)
MEASURED = 12


@pytest.fixture(scope="module")
def measured():
    return measure_response(
        TOY.ensemble(3000, seed=1), TOY.ensemble(3000, seed=2, period=MEASURED), 1, resamples=200
    )


def test_toy_samples_its_own_mean():
    times = TOY.times(20_000, 3, lambda rng, runs: np.full(runs, MEASURED))
    exact = TOY.mean(MEASURED)
    assert abs(z_score(times, exact)) < 4 < abs(z_score(times, 0.9 * exact))
    # Cycles that repeat themselves: the closed form of eq. (4).
    cycle, survival = TOY.cycle(MEASURED), TOY.survival(MEASURED)
    closed = survival[:-1].sum() + survival[-1] * cycle[:-1].sum() / (1 - cycle[-1])
    assert exact == pytest.approx(closed, rel=1e-12)


@pytest.mark.parametrize("period", [1, 4, 8, 12, 20, 40])
def test_exact_response_gives_exact_means(period):
    response = TOY.response(MEASURED, horizon=50)
    # Beyond the measured window the late hazard continues, as the toy does.
    assert cycle_mean(response, periodic(period))[0][0] == pytest.approx(TOY.mean(period), rel=1e-10)
    assert constant_mean(response, periodic(MEASURED))[0] == pytest.approx(TOY.mean(MEASURED), rel=1e-10)


@pytest.mark.parametrize("period", [4, 8, 12])
def test_predictions_from_one_measured_period(measured, period):
    (prediction,) = predict(measured, [period], limits(MEASURED), model="cycles")
    exact = TOY.mean(period)
    assert (prediction.period, prediction.model) == (period, "cycles")
    assert abs(prediction.mean - exact) < 4 * prediction.stderr
    assert abs(prediction.mean - 0.9 * exact) > 4 * prediction.stderr
    assert prediction.low < prediction.mean < prediction.high


@pytest.mark.parametrize("period", [16, 25])
def test_periods_longer_than_the_measured_one_have_bounds(measured, period):
    exact = TOY.mean(period)
    fast, _ = cycle_mean(measured, periodic(period), "hazard continues")
    slow, _ = cycle_mean(measured, periodic(period), "nobody completes")
    stderr = fast[1:].std(ddof=1)
    assert abs(fast[0] - exact) < 4 * stderr < abs(fast[0] - 0.9 * exact)
    assert fast[0] < slow[0]
    (prediction,) = predict(measured, [period], limits(MEASURED), model="cycles")
    assert fast[0] < prediction.mean < slow[0] and prediction.low < exact < prediction.high
    assert prediction.stderr > (slow[0] - fast[0]) / 4


def test_upper_bound_is_nobody_completing_after_the_window():
    survival, cycle = TOY.survival(50), TOY.cycle(MEASURED)
    frozen = np.r_[cycle, np.full(8, cycle[-1])]
    expected = survival[:20].sum() + survival[20] * frozen[:20].sum() / (1 - frozen[20])
    slow, _ = cycle_mean(TOY.response(MEASURED, 50), periodic(20), "nobody completes")
    assert slow[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("law", "draw"),
    [
        (poisson(0.1), lambda rng, runs: np.ceil(rng.exponential(10, runs)).astype(int)),
        (
            renewal(stats.uniform(3, 14)),
            lambda rng, runs: np.ceil(rng.uniform(3, 17, runs)).astype(int),
        ),
    ],
    ids=["poisson", "uniform"],
)
def test_random_intervals_against_monte_carlo(law, draw):
    response = TOY.response(300, horizon=300)
    value = cycle_mean(response, law)[0][0]
    times = TOY.times(30_000, 4, draw)
    assert abs(z_score(times, value)) < 4 < abs(z_score(times, 0.9 * value))


def test_poisson_activation_in_closed_form():
    hazard, rate, tau = 0.05, 0.1, 3.0
    response = exact_response(10, (1 - hazard) ** np.arange(400.0), np.ones(11), tau)
    chance = -np.expm1(-rate)  # of an activation per epoch
    either = 1 - (1 - hazard) * (1 - chance)
    exact = 1 / either + chance * (1 - hazard) / either * tau
    assert constant_mean(response, poisson(rate))[0] == pytest.approx(exact, rel=1e-7)


def test_rare_perturbation_is_no_perturbation():
    response = TOY.response(MEASURED, horizon=5000)
    for mean in (constant_mean(response, periodic(4000)), cycle_mean(response, periodic(4000))[0]):
        assert mean[0] == pytest.approx(1 / TOY.late)


def test_unknown_survival_gives_an_unknown_mean():
    response = TOY.response(MEASURED, horizon=30)
    assert np.isnan(constant_mean(response, periodic(31))).all()
    assert np.isnan(cycle_mean(response, periodic(31))[0]).all()
    (prediction,) = predict(response, [31], limits(MEASURED, horizon=30))
    assert np.isnan(prediction.mean) and prediction.status == "out_of_range"
    assert "unperturbed runs end at epoch 30" in prediction.reason


def test_survival_under_perturbation_is_exact():
    response = TOY.response(MEASURED, horizon=50)
    for period in (5, 12, 20):
        hazard = np.r_[np.full(period, TOY.late), np.tile(TOY.hazard_after(period), 30)][:100]
        expected = np.cumprod(np.r_[1, 1 - hazard])
        np.testing.assert_allclose(predict_survival(response, period, 100)[0], expected, rtol=1e-10)


@pytest.mark.parametrize("period", [3, 12, 20])
def test_survival_under_perturbation_sums_to_the_mean(measured, period):
    law = predict_survival(measured, period, 3000)
    np.testing.assert_allclose(law.sum(axis=1), cycle_mean(measured, periodic(period))[0], rtol=1e-8)
    assert (law >= 0).all() and (law <= 1).all() and (np.diff(law, axis=1) <= 0).all()
    np.testing.assert_array_equal(law[:, : period + 1], measured.survival[:, : period + 1])
    assert predict_survival(measured, period, period - 1).shape == (201, period)
    slow = predict_survival(measured, period, 3000, "nobody completes")
    assert (slow >= law).all()


@pytest.mark.parametrize("late", ["hazard continues", "nobody completes"])
@pytest.mark.parametrize(("period", "horizon"), [(3, 100), (12, 12), (12, 13), (20, 50), (20, 7)])
def test_restricted_mean_is_the_sum_of_the_survival(measured, period, horizon, late):
    law = predict_survival(measured, period, horizon - 1, late)
    means = restricted_cycle_mean(measured, period, horizon, late)
    np.testing.assert_allclose(means, law.sum(axis=1), rtol=1e-10)


@pytest.mark.parametrize("period", [0, 51])
def test_survival_needs_a_known_start(period):
    with pytest.raises(ValueError, match=f"`period` must be from 1 to 50, .*, got {period}"):
        predict_survival(TOY.response(MEASURED, horizon=50), period, 100)


def test_infinite_mean_where_nobody_completes():
    times = np.r_[np.full(20, 3), np.full(20, 40)]
    never = dict(censored=range(20, 40))
    response = measure_response(ensemble(times, 40, **never), ensemble(times, 40, 5, **never), 1, resamples=9)
    for prediction in predict(response, [4, 5, 8], limits(5), model="cycles"):
        assert np.isinf(prediction.mean) and np.isnan(prediction.stderr)
        assert prediction.status == "out_of_range" and "no run completes within" in prediction.reason
    assert predict_survival(response, 4, 100)[0, -1] == 0.5


def test_nobody_left_at_the_perturbation():
    response = exact_response(2, [1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 1.0], 4.0)
    mean, repeats = cycle_mean(response, periodic(2))
    assert mean[0] == 1.5 and repeats[0] == 0


def test_delta_method_agrees_with_the_bootstrap():
    measured_at, runs = 10, 800
    unperturbed, perturbed = TOY.ensemble(runs, seed=5), TOY.ensemble(runs, seed=6, period=measured_at)
    response = measure_response(unperturbed, perturbed, 1, resamples=2000, seed=7)
    free, kicked = (e.first_passage(1) for e in (unperturbed, perturbed))
    before = kicked.restrict(measured_at)
    pooled = PassageSample(np.r_[free.times, before.times], np.r_[free.censored, before.censored])
    late = kicked.times[kicked.times > measured_at]
    residual = PassageSample(late - measured_at, np.zeros(late.size, dtype=bool))
    for prediction in predict(response, [5, 10, 20], limits(measured_at), model="constant"):
        assert constant_stderr(pooled, residual, prediction.period) == pytest.approx(
            prediction.stderr, rel=0.1
        )


def test_delta_method_against_simulation():
    rng, replicas, runs, period = np.random.default_rng(8), 3000, 150, 5
    values, stderrs = [], []
    for _ in range(replicas):
        free = PassageSample(rng.geometric(0.1, runs), np.zeros(runs, dtype=bool)).restrict(20)
        residual = PassageSample(rng.geometric(0.3, 60), np.zeros(60, dtype=bool))
        survival = np.array([np.mean(free.times > t) for t in range(period + 1)])
        values.append(survival[:-1].sum() + survival[-1] * residual.times.mean())
        stderrs.append(constant_stderr(free, residual, period))
    ratio, tolerance = np.mean(stderrs) / np.std(values), 4 / np.sqrt(2 * replicas)
    assert abs(ratio - 1) < tolerance
    assert abs(1.1 * ratio - 1) > tolerance and abs(0.9 * ratio - 1) > tolerance


def test_delta_method_needs_complete_residuals():
    sample = first_passage([[0, 1.0], [0, 0]], 1)
    with pytest.raises(ValueError, match="`residual` has 1 censored times; .* use the bootstrap"):
        constant_stderr(sample, sample, 1)


# Validity: completion within a few epochs of a perturbation, everything settled at once.
QUICK = exact_response(10, 0.97 ** np.arange(201.0), 0.4 ** np.arange(11.0), 1 / 0.6)
SLOW = exact_response(10, 0.97 ** np.arange(201.0), 0.9 ** np.arange(11.0), 10.0)
CENSORED = dataclasses.replace(QUICK, tau_censored=3)
NOT_REACHED = steady("not_reached", relaxation_epoch=None)
FINE = limits(10, 200)


@pytest.mark.parametrize("model", ["constant", "cycles"])
@pytest.mark.parametrize(
    ("period", "scales", "status", "reason"),
    [
        (15, FINE, "valid", "within the range of the measured time scales"),
        (
            10,
            limits(10, 200, NOT_REACHED, None, None),
            "valid",
            "within the range",
        ),  # the measured one itself
        (15, limits(10, 200, NOT_REACHED), "extrapolated", "quasi-steady state not reached"),
        (15, limits(10, 200, steady("undecided", None)), "extrapolated", "quasi-steady state undecided"),
        (
            15,
            limits(10, 200, steady(relaxation_epoch=12)),
            "extrapolated",
            "measured period 10 is below the relaxation epoch 12",
        ),
        (15, limits(10, 200, steady(until=14)), "extrapolated", "the metric drifts after epoch 14"),
        (15, limits(10, 14), "out_of_range", "unperturbed runs end at epoch 14"),
    ],
)
def test_validity_of_any_model(model, period, scales, status, reason):
    (prediction,) = predict(QUICK, [period], scales, model=model)
    assert (prediction.status, prediction.model) == (status, model)
    assert reason in prediction.reason


@pytest.mark.parametrize(
    ("period", "response", "scales", "model", "status", "reason"),
    [
        (8, QUICK, limits(10, 200, steady(relaxation_epoch=9)), "constant", "out_of_range", "epoch 9"),
        (8, SLOW, FINE, "constant", "out_of_range", "43% of the runs need more than one cycle"),
        (8, CENSORED, FINE, "constant", "extrapolated", "3 residual times are censored"),
        (8, CENSORED, FINE, "cycles", "valid", "within the range"),
        (8, QUICK, limits(10, 200, settled_after=9), "cycles", "out_of_range", "needs 9 epochs to settle"),
        (8, QUICK, limits(10, 200, settled_after=None), "cycles", "extrapolated", "cannot be measured"),
        (
            8,
            QUICK,
            limits(10, 200, settled_before=9),
            "cycles",
            "out_of_range",
            "80 % of its rise only by epoch 9",
        ),
        (
            8,
            QUICK,
            limits(10, 200, settled_before=None),
            "cycles",
            "out_of_range",
            "no unperturbed run is recorded",
        ),
        (40, SLOW, FINE, "cycles", "extrapolated", "10 epochs after a perturbation was not measured"),
        (8, SLOW, FINE, "cycles", "extrapolated", "of the mean lies in cycles beyond the measured ones"),
    ],
)
def test_validity_of_each_model(period, response, scales, model, status, reason):
    (prediction,) = predict(response, [period], scales, model=model)
    assert prediction.status == status and reason in prediction.reason


def test_worst_status_wins_with_all_its_reasons():
    scales = limits(10, 200, NOT_REACHED, settled_before=9, settled_after=9)
    (prediction,) = predict(QUICK, [8], scales, model="cycles")
    assert prediction.status == "out_of_range"
    assert prediction.reason.count(";") == 1 and "quasi-steady" not in prediction.reason


@pytest.mark.parametrize(
    ("settled_after", "period", "model"),
    [(5, 4, "constant"), (5, 5, "cycles"), (None, 9, "constant"), (None, 10, "cycles"), (15, 10, "cycles")],
)
def test_automatic_choice_of_the_model(settled_after, period, model):
    (prediction,) = predict(QUICK, [period], limits(10, 200, settled_after=settled_after))
    assert prediction.model == model


def test_range_of_validity():
    scales = limits(10, 200, steady(until=150), settled_before=4, settled_after=6)
    assert (scales.shortest, scales.longest) == (6, 150)
    assert limits(10, 100, steady(until=150)).longest == 100
    assert limits(10, 200, NOT_REACHED, settled_after=None).shortest is None
    assert limits(10, 200, NOT_REACHED).longest == 10


def test_errors():
    with pytest.raises(ValueError, match="`model` must be one of auto, constant, cycles, got 'exponential'"):
        predict(QUICK, [5], FINE, model="exponential")
    with pytest.raises(ValueError, match="`period` must be a whole number of epochs"):
        predict(QUICK, [0], FINE)
