import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from theory.adaptive import PlateauLaw, check_epochs, estimate_law, next_epoch_hazard, settled_since
from theory.adaptive.trend import rises, upper_limit

LAW = PlateauLaw(mean=71.9, spread=0.5, noise=0.15)
GOAL = 72.5


def on_plateaus(runs, epochs, seed, law=LAW):
    """Runs that sit on plateaus of this law from the first epoch on."""
    rng = np.random.default_rng(seed)
    sd = np.full((runs, 1), law.noise)
    if math.isfinite(law.noise_dof):
        sd *= np.sqrt(law.noise_dof / rng.chisquare(law.noise_dof, (runs, 1)))
    levels = law.spread * sd / math.sqrt(law.variance) * rng.normal(size=(runs, 1))
    return law.mean + levels + sd * rng.normal(size=(runs, epochs))


def moments(values):
    values = np.atleast_2d(values)
    return values.shape[1], values.mean(axis=1), values.var(axis=1) * values.shape[1]


# The hazard of the next epoch


def test_before_any_value_the_hazard_is_that_of_the_ensemble():
    exact = stats.norm.sf(GOAL, 71.9, math.hypot(0.5, 0.15))
    assert next_epoch_hazard(0, 0.0, 0.0, GOAL, law=LAW) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_known_noise_gives_the_normal_posterior(n):
    values = 72.1 + 0.1 * np.sin(np.arange(n))
    precision = 1 / 0.5**2 + n / 0.15**2
    centre = (71.9 / 0.5**2 + values.sum() / 0.15**2) / precision
    exact = stats.norm.sf(GOAL, centre, math.sqrt(0.15**2 + 1 / precision))
    assert next_epoch_hazard(*moments(values), GOAL, law=LAW)[0] == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("n", [2, 3, 20])
def test_without_a_law_it_is_the_classical_prediction_interval(n):
    values = 72.1 + 0.1 * np.sin(np.arange(n))
    exact = stats.t.sf((GOAL - values.mean()) / (values.std(ddof=1) * math.sqrt(1 + 1 / n)), n - 1)
    assert next_epoch_hazard(*moments(values), GOAL)[0] == pytest.approx(exact, rel=1e-10)
    assert np.isnan(next_epoch_hazard(1, 72.0, 0.0, GOAL))


def test_with_and_without_a_law_agree_after_many_values():
    values = on_plateaus(50, 20_000, 1, PlateauLaw(72.2, 0.2, 0.15))
    with_law, without = (next_epoch_hazard(*moments(values), GOAL, law=law) for law in (LAW, None))
    np.testing.assert_allclose(with_law, without, atol=0.004)
    few = values[:, :3]
    assert np.abs(next_epoch_hazard(*moments(few), GOAL, law=LAW) - with_law).max() > 0.01


def test_runs_that_all_sit_on_one_plateau_are_judged_by_it_alone():
    law = PlateauLaw(71.9, 0.0, 0.15)
    hazard = next_epoch_hazard(*moments([[73.0, 73.0, 73.1]]), 72.2, law=law)[0]
    assert hazard == pytest.approx(stats.norm.sf(2.0), rel=1e-6)


def test_values_without_noise_decide():
    assert next_epoch_hazard(3, 71.0, 0.0, 72.0) == 0 and next_epoch_hazard(3, 73.0, 0.0, 72.0) == 1


@pytest.mark.parametrize("law", [LAW, PlateauLaw(71.9, 0.5, 0.15, 6.0), None])
def test_at_most_is_the_mirror_image(law):
    mirrored = None if law is None else replace(law, mean=-law.mean)
    n, mean, squares = moments([[72.0, 72.2, 72.1]])
    up = next_epoch_hazard(n, mean, squares, GOAL, law=law)
    assert next_epoch_hazard(n, -mean, squares, -GOAL, "at_most", mirrored) == pytest.approx(up, rel=1e-12)


def excess(law, assumed, runs=40_000, epochs=6):
    """Arrivals less predicted hazards over the epochs at risk, in standard errors: a martingale."""
    values, total, variance = on_plateaus(runs, epochs, 3, law), 0.0, 0.0
    alive = values[:, 0] < GOAL
    for n in range(1, epochs):
        hazard = next_epoch_hazard(*moments(values[alive, :n]), GOAL, law=assumed)
        arrived = values[:, n] >= GOAL
        total += arrived[alive].sum() - hazard.sum()
        variance += np.sum(hazard * (1 - hazard))
        alive &= ~arrived
    return total / math.sqrt(variance)


@pytest.mark.parametrize("law", [LAW, PlateauLaw(71.9, 0.3, 0.4, 8.0)])
def test_predicted_hazards_are_what_happens(law):
    assert abs(excess(law, law)) < 5


def test_a_noise_ten_per_cent_off_is_seen():
    assert abs(excess(LAW, replace(LAW, noise=0.135))) > 5
    assert abs(excess(LAW, replace(LAW, noise=0.165))) > 5


def test_on_a_plateau_the_next_epoch_is_the_best_of_all_waits():
    stay = stats.norm.cdf((GOAL - np.random.default_rng(1).normal(71.9, 0.5, 2_000)) / 0.15)
    survival = np.mean(stay[:, None] ** np.arange(40), axis=0)
    index = (1 - survival[1:]) / np.cumsum(survival)[:-1]
    assert np.all(np.diff(index) < 0)


# The law over runs


@pytest.mark.parametrize("dof", [math.inf, 8.0])
def test_the_law_is_recovered(dof):
    truth = PlateauLaw(71.9, 0.5, 0.15, dof)
    found = [estimate_law(on_plateaus(1_000, 30, seed, truth)) for seed in range(8)]

    def off(name, share=1.0):
        values = np.array([getattr(each, name) for each in found])
        return (values.mean() - share * getattr(truth, name)) / (values.std(ddof=1) / math.sqrt(8))

    assert abs(off("mean")) < 6
    # Where runs differ in their noise their plateaus are not normal, and medians and quartiles are biased.
    tolerance = 0.02 if math.isinf(dof) else 0.1
    assert np.mean([each.spread for each in found]) == pytest.approx(0.5, rel=tolerance)
    assert np.mean([each.noise for each in found]) == pytest.approx(0.15, rel=0.02 if dof > 9 else 0.06)
    assert abs(off("spread", 1.1)) > 6
    if math.isinf(dof):
        assert min(each.noise_dof for each in found) > 100
    else:
        assert np.mean([each.noise_dof for each in found]) == pytest.approx(dof, rel=0.3)


def test_leaps_of_single_runs_do_not_spoil_the_law():
    values = on_plateaus(500, 60, 5)
    values[::25, 10] -= 40
    found = estimate_law(values)
    assert found.noise == pytest.approx(0.15, rel=0.05) and found.spread == pytest.approx(0.5, rel=0.15)


def test_a_law_needs_runs_that_fluctuate():
    with pytest.raises(ValueError, match="`values` must hold at least 3 runs"):
        estimate_law(np.ones((2, 9)))
    with pytest.raises(ValueError, match="`values` do not fluctuate"):
        estimate_law(np.ones((9, 9)))


# The sequential test


def declared(values, alpha=0.05):
    return settled_since(values, 0.0, alpha=alpha)[1]


@pytest.mark.parametrize("window", [4, 9])
def test_each_check_has_its_level(window):
    # A line that is at the goal, 0, as far ahead as the window looks back; and a level one.
    noise, level = np.random.default_rng(1).normal(size=(200_000, window)), 0.05 / 2
    line = 0.3 * (np.arange(window) - (2 * window - 1))
    error = math.sqrt(level * (1 - level) / len(noise))
    for found in (np.mean(upper_limit(line + noise, level) < 0), np.mean(rises(noise, level))):
        assert abs(found - level) < 5 * error
        assert abs(found - 1.1 * level) > 5 * error


@pytest.mark.parametrize("drift", [0.0, 0.02])
def test_false_alarms_keep_to_alpha_over_all_checks(drift):
    runs, epochs = 4_000, 220
    values = drift * np.arange(epochs) + np.random.default_rng(2).normal(size=(runs, epochs))
    found = np.mean(declared(values) > 0)
    assert found < 0.05 + 5 * math.sqrt(0.05 * 0.95 / runs)


def test_checks_without_correction_would_not():
    runs, epochs = 4_000, 220
    values = np.random.default_rng(2).normal(size=(runs, epochs))
    ever = np.zeros(runs, dtype=bool)
    for epoch in check_epochs(epochs):
        recent = values[:, epoch - epoch // 2 : epoch]
        ever |= (upper_limit(recent, 0.05) < 0) & ~rises(recent, 0.05)
    assert np.mean(ever) > 0.1


@pytest.mark.parametrize("distance", [6.0, 15.0])
def test_power_is_that_of_the_noncentral_t(distance):
    values = np.random.default_rng(3).normal(size=(20_000, 4)) - distance
    m, ahead = 4, 5.5
    scale = math.sqrt(1 / m + 12 * ahead**2 / (m * (m * m - 1)))
    exact = stats.nct.cdf(-stats.t.ppf(0.975, m - 2), m - 2, -distance / scale)
    error = math.sqrt(exact * (1 - exact) / len(values))
    assert abs(np.mean(upper_limit(values, 0.025) < 0) - exact) < 5 * error


def test_a_run_that_settles_is_found_and_one_that_rises_steadily_is_not():
    noise = 0.15 * np.random.default_rng(4).normal(size=(400, 60))
    settled = -1.5 - 30 * np.exp(-np.arange(1, 61) / 3) + noise
    onset, at = settled_since(settled, 0.0)
    assert np.all(at > 0) and np.median(at) <= 28 and np.all(onset == at - at // 2 + 1)
    # Far from the goal, but with a slope that is seen: at every check unless the noise hides it.
    assert np.mean(declared(-40 + 0.5 * np.arange(60) + noise) > 0) < 0.02
    hidden = declared(-40 + 0.05 * np.arange(60) + noise)
    assert np.mean((hidden > 0) & (hidden < 20)) > 0.5


def test_the_test_has_a_mirror_image():
    values = np.random.default_rng(5).normal(size=(300, 60)) - 5
    one, other = settled_since(values, 0.0), settled_since(-values, 0.0, "at_most")
    assert np.array_equal(one, other) and one[1].any()
