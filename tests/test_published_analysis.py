"""The published ResNet-18/CIFAR-10 runs: reference numbers, and predictions from one period."""

import numpy as np
import pytest

from theory import (
    choose_measured,
    kaplan_meier,
    mean_passage_time,
    measured_points,
    predict,
    rank,
    relaxation,
    respond,
    restricted_mean,
)
from training import read_study

THRESHOLDS = (72, 72.5, 73, 74, 75)
NAMES = ("shrink_perturb", "partial_reset")


@pytest.fixture(scope="module")
def study(published_runs):
    return read_study(published_runs)


@pytest.fixture(scope="module")
def qss(study):
    return relaxation(study.unperturbed)


@pytest.fixture(scope="module")
def comparison(study, qss):
    """Every prediction from period 20 beside its measured point, with the constant response alone."""
    rows = []
    for name in NAMES:
        for threshold in THRESHOLDS:
            response, limits = respond(study, name, 20, threshold, qss)
            points = measured_points(study, name, threshold)
            periods = [point.period for point in points]
            predicted = predict(response, periods, limits)
            constant = predict(response, periods, limits, model="constant")
            rows += [(name, threshold, *row) for row in zip(predicted, points, constant, strict=True)]
    return rows


def valid_rows(comparison):
    return [row for row in comparison if row[2].status == "valid" and not row[3].censored]


def test_unperturbed_accuracy(study):
    values = study.unperturbed.values
    for epoch, mean, sd in ((10, 68.49, 1.35), (15, 71.83, 0.54), (20, 71.92, 0.53), (50, 71.93, 0.54)):
        assert round(values[:, epoch - 1].mean(), 2) == mean
        assert round(values[:, epoch - 1].std(ddof=1), 2) == sd


def test_unperturbed_survival_at_72(study):
    sample = study.unperturbed.first_passage(72)
    assert (len(sample), sample.n_censored) == (1000, 293)
    assert round(restricted_mean(sample, 200).value, 1) == 77.0
    np.testing.assert_allclose(
        kaplan_meier(sample).evaluate([15, 20, 50, 100, 200]), [0.571, 0.455, 0.363, 0.331, 0.293], atol=5e-4
    )


MEANS = {
    "shrink_perturb": {
        1: 7.64, 2: 5.83, 3: 6.32, 4: 7.47, 5: 8.18, 7: 10.27, 10: 13.89, 15: 16.54, 20: 18.92, 30: 21.69,
        50: 29.74, 100: 44.33,
    },
    "partial_reset": {
        1: 12.22, 2: 12.09, 3: 11.76, 4: 11.56, 5: 12.51, 6: 13.59, 7: 13.63, 10: 15.99, 12: 17.12, 15: 17.57,
        20: 19.62, 30: 23.75, 50: 30.58, 100: 46.19,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_measured_means_at_72(study, name):
    for period, mean in MEANS[name].items():
        sample = study.ensemble(name, period).first_passage(72)
        assert sample.n_censored == 0
        assert round(mean_passage_time(sample).value, 2) == mean


def test_measured_standard_errors_at_72(study):
    points = {p.period: p for p in measured_points(study, "shrink_perturb", 72)}
    assert round(points[1].mean.stderr, 2) == 0.27
    assert round(points[100].mean.stderr, 2) == 2.31


TAU = {
    "shrink_perturb": {15: 3.79, 20: 4.10, 30: 3.85, 50: 4.01, 100: 4.17},
    "partial_reset": {15: 5.86, 20: 6.16, 30: 6.29, 50: 6.29, 100: 6.26},
}


@pytest.mark.parametrize("name", NAMES)
def test_direct_residual_times_at_72(study, qss, name):
    for period, tau in TAU[name].items():
        response, _ = respond(study, name, period, 72, qss, resamples=50)
        assert round(response.tau_estimate.value, 2) == tau


def test_inversion_is_far_noisier(study, qss):
    for period, stderr in ((20, 0.7), (50, 3.3), (100, 7.0)):
        response, _ = respond(study, "shrink_perturb", period, 72, qss)
        assert response.tau_estimate.stderr < 0.2
        assert response.inverted_tau.stderr == pytest.approx(stderr, rel=0.1)


def test_greater_or_equal_matters(study):
    values = study.unperturbed.values
    strictly = np.where((values > 72).any(axis=1), (values > 72).argmax(axis=1) + 1, 201)
    sample = study.unperturbed.first_passage(72)
    reached = np.where(sample.observed, sample.times, 201)
    assert np.sum(strictly != reached) == 50


def test_quasi_steady_state_reached(study, qss):
    assert qss.verdict == "reached"
    assert 14 <= qss.relaxation_epoch <= 20
    assert qss.stationary_until >= 50
    for name in NAMES:
        assert choose_measured(study, name, 74, qss) == 20


def test_valid_predictions_are_accurate(comparison):
    rows = valid_rows(comparison)
    errors = np.array([abs(predicted.mean / point.mean.value - 1) for *_, predicted, point, _ in rows])
    assert len(rows) >= 45
    assert errors.max() < 0.10
    assert np.median(errors) < 0.025


def test_valid_range_includes_10_to_50_and_excludes_the_breakdown(comparison):
    for name, threshold, predicted, _, _ in comparison:
        if 10 <= predicted.period <= 50:
            assert predicted.status == "valid", (name, threshold, predicted)
        if predicted.period <= 7:
            assert predicted.status == "out_of_range", (name, threshold, predicted)


def test_intervals_of_the_difference_cover_zero(comparison):
    rows = valid_rows(comparison)
    z = [
        (predicted.mean - point.mean.value) / np.hypot(predicted.stderr, point.mean.stderr)
        for *_, predicted, point, _ in rows
    ]
    assert np.mean(np.abs(z) < 1.96) >= 0.90


def test_the_constant_response_alone_fails_where_cycles_matter(comparison):
    (row,) = [r for r in comparison if r[:2] == ("partial_reset", 75) and r[2].period == 10]
    _, _, predicted, point, constant = row
    assert round(constant.mean, 1) == 41.8
    assert round(point.mean.value, 1) == 29.0
    assert round(predicted.mean, 1) == 29.8
    assert constant.status == "out_of_range"


def test_breakdown_below_settling_is_marked(study, qss):
    response, limits = respond(study, "partial_reset", 20, 72.5, qss)
    (forced,) = predict(response, [6], limits, model="cycles")
    measured = mean_passage_time(study.ensemble("partial_reset", 6).first_passage(72.5))
    assert abs(forced.mean / measured.value - 1) > 0.05
    assert forced.status == "out_of_range"


def test_ranking_at_74(study, qss):
    ranking = rank(study, 74, qss=qss)
    assert [optimum.perturbation for optimum in ranking.optima] == ["shrink_perturb", "partial_reset"]
    assert ranking.optima[0].speedup.low > ranking.optima[1].speedup.high
    assert ranking.optima[1].speedup.low > 5
