"""The prior of the surrogate is the prediction of the theory, as wide as that may be off."""

import numpy as np
import pytest

from theory import Ensemble, measure_response, relaxation
from theory.prediction import constant_mean, predict
from theory.protocols import periodic
from theory.search.prior import GROWTH, INSIDE, UNKNOWN, flat_prior, theory_prior
from theory.validity import valid_range

from .toys import FREE, RISING

HORIZON, THRESHOLD, PERIOD = 400, 72.0, 14
VARIANCE = 0.2
"""Squared coefficient of variation of single runs."""
SHUFFLE = RISING["strong"]


@pytest.fixture(scope="module")
def runs():
    pilot = FREE.simulate(60, HORIZON, seed=1)
    return pilot, SHUFFLE.simulate(40, HORIZON, PERIOD, seed=2, perturbation="strong")


@pytest.fixture(scope="module")
def found(runs):
    return theory_prior(*runs, THRESHOLD, [2, 7, 14, 20, 50], settled=12, horizon=HORIZON)


def test_inside_the_valid_range_it_is_the_prediction_by_cycles(runs, found):
    pilot, branches = runs
    response = measure_response(pilot, branches, THRESHOLD, resamples=20, seed=0, pool=False)
    limits = valid_range(pilot, branches, response, relaxation(pilot))
    predicted = predict(response, [14, 20, 50], limits, model="cycles")
    # All arrive long before the horizon, so that the restricted mean is the mean.
    for each, log_mean in zip(predicted, found.log_mean[2:], strict=True):
        assert np.exp(log_mean) == pytest.approx(each.mean, rel=0.01)


def test_below_it_is_the_constant_response(runs, found):
    response = measure_response(*runs, THRESHOLD, resamples=20, seed=0, pool=False)
    for period, log_mean in zip([2, 7], found.log_mean, strict=False):
        assert np.exp(log_mean) == pytest.approx(constant_mean(response, periodic(period))[0], rel=1e-9)


def test_its_width_grows_below_the_valid_range(found):
    width = found.width(VARIANCE)
    assert (width >= INSIDE).all()
    assert width[0] >= INSIDE + GROWTH * np.log(12 / 2)
    assert width[0] > width[1] > width[2]


def test_the_mean_is_near_the_exact_one_at_the_period_measured(found):
    exact = np.log(SHUFFLE.restricted_mean(THRESHOLD, HORIZON, PERIOD))
    width = found.width(VARIANCE)[2]
    assert abs(found.log_mean[2] - exact) < 4 * width
    assert width < 0.25


def test_no_prediction_exceeds_the_horizon(runs):
    pilot, branches = runs
    found = theory_prior(pilot, branches, 73.5, [2, 14, 50], settled=12, horizon=60)
    assert (np.exp(found.log_mean) <= 60 + 1e-9).all()


def test_one_run_alive_is_not_enough(runs):
    pilot, branches = runs
    values = branches.values[:3].copy()
    values[:2, 3] = THRESHOLD
    few = Ensemble(values, branches.seeds[:3], perturbation="strong", period=PERIOD)
    assert theory_prior(pilot, few, THRESHOLD, [14], settled=12, horizon=HORIZON) is None


def test_few_runs_that_happen_to_agree_are_not_believed(runs):
    pilot, branches = runs
    tau = branches.first_passage(THRESHOLD).times - PERIOD
    alike = np.argsort(np.abs(tau - 20))[:3]
    few = Ensemble(branches.values[alike], branches.seeds[alike], perturbation="strong", period=PERIOD)
    prior = theory_prior(pilot, few, THRESHOLD, [14, 50], settled=12, horizon=HORIZON)
    assert prior.runs == 3 and prior.source == PERIOD
    widths = [prior.width(variance)[0] for variance in (0.0, 0.5)]
    assert widths[1] == pytest.approx(np.hypot(INSIDE, np.sqrt(0.5 / 3)))
    assert widths[0] == pytest.approx(INSIDE)


def test_a_flat_prior_knows_nothing():
    flat = flat_prior((2, 5), 50.0)
    np.testing.assert_allclose(np.exp(flat.log_mean), 50)
    np.testing.assert_array_equal(flat.width(VARIANCE), UNKNOWN)
