"""The surrogate against a Gaussian process written out, and the improvement against an integral."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma, polygamma
from scipy.stats import norm

from theory.search import Candidate
from theory.search.choosing import augmented_improvement
from theory.search.evidence import Point
from theory.search.prior import Prior
from theory.search.surrogate import fit_surrogate, log_of_mean

PERIODS = np.array([2, 5, 10, 20, 50])
LENGTH, APART, PARAMETER_LENGTH = 1.4, 0.6, 0.5
ONE, TWO, OTHER = (
    Candidate("shrink a", "shrink", (("keep", 0.2),)),
    Candidate("shrink b", "shrink", (("keep", 0.8),)),
    Candidate("kick"),
)


def prior(level=40.0):
    return Prior(PERIODS, np.log(np.linspace(level, 2 * level, 5)), np.array([0.6, 0.4, 0.2, 0.1, 0.3]))


PRIORS = {ONE: prior(), TWO: replace(prior(60.0), runs=3), OTHER: prior(50.0)}
POINTS = {
    (ONE, 2): Point(55.0, 1.0, 4, 0),
    (ONE, 20): Point(70.0, 1.0, 2, 0),
    (TWO, 5): Point(50.0, 1.0, 9, 0),
}


def matern(distance):
    scaled = np.sqrt(5) * distance
    return (1 + scaled + scaled**2 / 3) * np.exp(-scaled)


def by_hand(relative_variance):
    """Posterior of the family of ``ONE`` and ``TWO``, from the formulas of Gaussian conditioning."""
    keys = [(each, int(period)) for each in (ONE, TWO) for period in PERIODS]
    mean = np.concatenate([PRIORS[each].log_mean for each in (ONE, TWO)])
    error = np.concatenate([PRIORS[each].error for each in (ONE, TWO)])
    place = np.array([np.log(period) / LENGTH - APART / period**3 for _, period in keys])
    keep = np.array([dict(each.parameters)["keep"] for each, _ in keys])
    distance = np.hypot(place[:, None] - place, (keep[:, None] - keep) / (PARAMETER_LENGTH * np.ptp(keep)))
    covariance = error[:, None] * error * matern(distance)
    covariance[5:, 5:] += relative_variance / 3  # what the three runs behind the prior of TWO tell
    seen = [row for row, key in enumerate(keys) if key in POINTS]
    shapes = np.array([POINTS[keys[row]].runs / relative_variance for row in seen])
    noise = np.diag(polygamma(1, shapes))
    gain = covariance[:, seen] @ np.linalg.inv(covariance[np.ix_(seen, seen)] + noise)
    surprise = (
        np.log([POINTS[keys[row]].mean for row in seen]) - digamma(shapes) + np.log(shapes) - mean[seen]
    )
    posterior = covariance - gain @ covariance[seen]
    return keys, mean + gain @ surprise, np.sqrt(np.diag(posterior))


def test_it_is_the_gaussian_process_written_out():
    found = fit_surrogate(PRIORS, POINTS, 0.09)
    keys, mean, std = by_hand(0.09)
    assert list(found.keys[:10]) == keys
    np.testing.assert_allclose(found.mean[:10], mean, rtol=1e-9)
    np.testing.assert_allclose(found.std[:10], std, rtol=1e-7)
    assert found.noise == pytest.approx(0.3)


def test_without_points_it_is_the_prior():
    found = fit_surrogate(PRIORS, {}, 0.09)
    np.testing.assert_array_equal(found.mean, np.concatenate([each.log_mean for each in PRIORS.values()]))
    np.testing.assert_array_equal(found.std, np.concatenate([each.width(0.09) for each in PRIORS.values()]))


def test_points_without_noise_are_interpolated():
    found = fit_surrogate(PRIORS, POINTS, 1e-12)
    for key, point in POINTS.items():
        mean, std = found.at(key)
        assert mean == pytest.approx(np.log(point.mean), abs=1e-6)
        assert std < 1e-4
    assert found.at((ONE, 10))[1] > 0.01


def test_a_family_shares_what_it_learns_and_others_do_not():
    found = fit_surrogate(PRIORS, {(ONE, 10): Point(20.0, 1.0, 50, 0)}, 0.09)
    expected = fit_surrogate(PRIORS, {}, 0.09)
    shift = found.mean - expected.mean
    assert (shift[:5] < -0.02).all()  # the candidate itself, at all periods
    assert (shift[5:10] < 0).all() and (
        found.std[5:10] < expected.std[5:10]
    ).all()  # another one of the family
    np.testing.assert_array_equal(shift[10:], 0)
    np.testing.assert_array_equal(found.std[10:], expected.std[10:])


def test_more_runs_move_it_more():
    few, many = (
        fit_surrogate(PRIORS, {(ONE, 10): Point(20.0, 1.0, runs, 0)}, 0.09).at((ONE, 10)) for runs in (1, 20)
    )
    assert np.log(20) < many[0] < few[0] < PRIORS[ONE].log_mean[2]
    assert many[1] < few[1]


def test_what_periods_share_moves_all_of_them():
    level = Prior(PERIODS, np.log(np.full(5, 40.0)), np.full(5, 0.01), source=10, runs=1)
    found = fit_surrogate({OTHER: level}, {(OTHER, 2): Point(20.0, 1.0, 300, 0)}, 0.25)
    np.testing.assert_allclose(np.exp(found.mean), 20, rtol=0.02)
    assert (found.std < 0.05).all()


def test_a_prior_of_few_runs_is_as_wide_as_the_scatter_seen_since_says():
    few = Prior(PERIODS, np.log(np.full(5, 40.0)), np.full(5, 0.05), source=10, runs=4)
    found = {}
    for variance in (0.1, 0.8):
        before = fit_surrogate({OTHER: few}, {}, variance)
        np.testing.assert_allclose(before.std, np.hypot(0.05, np.sqrt(variance / 4)))
        found[variance] = fit_surrogate({OTHER: few}, {(OTHER, 2): Point(80.0, 1.0, 20, 0)}, variance)
    for surrogate in found.values():
        # One period is found to take twice as long: the others follow, none of them further than that one.
        assert (np.diff(surrogate.mean) < 1e-9).all() and (surrogate.mean > np.log(55)).all()
        assert surrogate.mean[0] < np.log(80)


def test_runs_that_a_prior_was_made_from_count_once():
    prior_of_ten = replace(prior(), source=10)
    found = fit_surrogate({OTHER: prior_of_ten}, {(OTHER, 10): Point(10.0, 1.0, 50, 0)}, 0.09)
    np.testing.assert_array_equal(found.mean, prior_of_ten.log_mean)


@pytest.mark.parametrize(("runs", "variance"), [(1, 1.0), (1, 0.3), (4, 1.0)])
def test_the_logarithm_of_a_mean_is_that_of_gamma_times(runs, variance):
    rng = np.random.default_rng(0)
    logs = np.log(rng.gamma(1 / variance, variance, size=(200_000, runs)).mean(axis=1))
    bias, spread = log_of_mean(np.array([runs]), variance)
    assert abs(logs.mean() - bias[0]) < 5 * logs.std() / np.sqrt(logs.size)
    assert logs.var() == pytest.approx(spread[0], rel=0.02)
    assert abs(bias[0]) > 10 * logs.std() / np.sqrt(logs.size)  # the plain logarithm would be wrong


@pytest.mark.parametrize(("mean", "std", "noise"), [(4.2, 0.3, 0.2), (3.9, 0.05, 0.3), (4.0, 0.5, 0.0)])
def test_the_improvement_is_the_integral(mean, std, noise):
    best = 4.0
    expected, _ = quad(
        lambda f: max(best - f, 0) * norm.pdf(f, mean, std), mean - 12 * std, best, epsabs=1e-13
    )
    expected *= 1 - noise / np.hypot(std, noise)
    found = augmented_improvement(best, np.array([mean]), np.array([std]), np.array([noise]))
    assert found[0] == pytest.approx(expected, rel=1e-8)


def test_what_is_known_for_sure_promises_nothing_more():
    found = augmented_improvement(4.0, np.array([3.0, 5.0]), np.zeros(2), np.full(2, 0.3))
    np.testing.assert_allclose(found, 0, atol=1e-9)
