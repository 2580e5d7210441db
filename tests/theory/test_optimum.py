"""The best period, what is said about it, and the ranking of perturbations."""

import dataclasses

import numpy as np
import pytest

from stochreset import PlateauMixture
from theory import Study, best_period, choose_measured, rank
from theory.measured import measured_point
from theory.optimum import candidate_periods

from .problems import Renewal, ensemble, limits, steady

DELAYED = Renewal(late=0.02, early=0.15, burst=6, delay=3)
MEASURED, HORIZON = 30, 200


def best(toy, scales=None, study=None, horizon=HORIZON):
    scales = limits(MEASURED, HORIZON) if scales is None else scales
    return best_period(toy.response(MEASURED, HORIZON, rows=20), scales, horizon=horizon, study=study)


def restricted(toy, horizon, period=None):
    hazard = np.full(horizon, toy.late)
    if period is not None:
        hazard[period:] = np.tile(toy.hazard_after(period), horizon)[: horizon - period]
    return np.cumprod(np.r_[1, 1 - hazard])[:-1].sum()


def test_optimum_is_that_of_the_exact_means():
    exact = min(range(1, 41), key=DELAYED.mean)
    assert DELAYED.delay + 1 < exact < 20
    assert DELAYED.mean(exact) < 0.95 * min(DELAYED.mean(exact - 3), DELAYED.mean(exact + 5))
    optimum = best(DELAYED)
    assert optimum.prediction.period == exact == optimum.period_low == optimum.period_high
    assert optimum.prediction.mean == pytest.approx(DELAYED.mean(exact), rel=1e-9)
    assert optimum.prediction.model == "cycles" and optimum.perturbation == "kick"
    expected = restricted(DELAYED, HORIZON) / restricted(DELAYED, HORIZON, exact)
    assert optimum.speedup.value == pytest.approx(expected, rel=1e-9) and expected > 1.5
    assert optimum.advice == f"confirm with runs at period {exact}"


def test_runs_at_another_period_that_are_faster_than_the_prediction_are_named():
    # Perturbed at 20 a run needs 12 more epochs; at 4, which cannot be predicted from there, it arrives at once.
    free = ensemble(np.random.default_rng(0).integers(40, 60, 60), 60)
    slow = ensemble([32] * 30 + [33] * 30, 60, 20, seeds=100 + np.arange(60))
    quick = ensemble([6] * 30 + [7] * 30, 60, 4, seeds=200 + np.arange(60))
    for kinds, named in (([slow], False), ([slow, quick], True)):
        [best] = rank(Study(free, kinds), 0.5, measured={"kick": 20}, resamples=50).optima
        assert (
            best.advice.endswith("; the runs at period 4 are faster still, 6.5 epochs: rely on them") is named
        )
    # Not where they are as fast as predicted.
    [best] = rank(Study(free, [quick, slow]), 0.5, measured={"kick": 4}, resamples=50).optima
    assert "faster" not in best.advice


def test_without_resamples_nothing_is_shown():
    unknown = best_period(DELAYED.response(MEASURED, HORIZON), limits(MEASURED, HORIZON), horizon=HORIZON)
    assert unknown.speedup.value > 1.5 and np.isnan(unknown.speedup.low)
    assert unknown.advice == "no speed-up is shown: its interval is not known"


def test_an_interval_ends_at_the_horizon():
    study = Study(
        ensemble([40] * 28 + [5, 9], 40, censored=range(28)),
        [ensemble([40] * 18 + [7, 8], 40, 5, censored=range(18))],
    )
    ranking = rank(study, 0.5, resamples=200)
    for each in (ranking.unperturbed, ranking.optima[0].restricted):
        assert each.value < each.high == 40


def test_best_first_is_by_the_restricted_mean_not_by_speedups_of_different_denominators():
    # Some arrive before the first perturbation, which shortens the mean without any and with it.
    passages = [10] * 8 + [32] * 32, [32] * 40
    early = [ensemble(times, 60, 20, seeds=1000 * n + np.arange(40)) for n, times in enumerate(passages, 1)]
    kinds = [dataclasses.replace(each, perturbation=name) for each, name in zip(early, "ab", strict=True)]
    ranking = rank(Study(ensemble([50] * 40, 60), kinds), 0.5, resamples=50)
    means, speedups = (
        [getattr(each, name).value for each in ranking.optima] for name in ("restricted", "speedup")
    )
    assert means == sorted(means) and speedups != sorted(speedups, reverse=True)


def test_speedup_is_stated_up_to_the_horizon():
    optimum = best(DELAYED, horizon=30)
    expected = restricted(DELAYED, 30) / restricted(DELAYED, 30, optimum.prediction.period)
    assert optimum.speedup.value == pytest.approx(expected, rel=1e-9) and optimum.horizon == 30
    assert best(DELAYED, horizon=3).speedup.value == pytest.approx(1)


def test_optimum_on_the_edge_names_the_run_beyond():
    sooner_is_better = Renewal(late=0.02, early=0.3, burst=2)
    optimum = best(sooner_is_better, limits(MEASURED, HORIZON, settled_after=8))
    assert optimum.prediction.period == 8
    assert "at or below 8, the edge of the validated range" in optimum.advice
    assert "run period 4 to look beyond" in optimum.advice
    # Nothing is shorter than one epoch.
    assert "edge" not in best(sooner_is_better).advice and best(sooner_is_better).prediction.period == 1


def test_harmful_perturbations_are_not_recommended():
    harmful = Renewal(late=0.1, early=0.02, burst=10)
    optimum = best(harmful, limits(MEASURED, 40))
    assert optimum.speedup.high < 1 and "do not perturb" in optimum.advice
    assert optimum.prediction.period == 40


def test_useless_perturbations_show_no_speedup():
    response = Renewal(late=0.05, early=0.05, burst=1).response(MEASURED, HORIZON)
    hazard = 0.05 + 0.003 * np.random.default_rng(1).standard_normal((100, 1))
    hazard[0] = 0.05
    uncertain = dataclasses.replace(
        response,
        survival=(1 - hazard) ** np.arange(HORIZON + 1),
        tau=np.full(100, 20.0),
        cycles=np.tile(response.cycles, (100, 1, 1)),
    )
    optimum = best_period(uncertain, limits(MEASURED, HORIZON), horizon=HORIZON)
    assert optimum.speedup.value == pytest.approx(1)
    assert "no speed-up is shown: its interval contains 1" in optimum.advice


def test_only_the_measured_period_is_left_where_nothing_settles():
    optimum = best(DELAYED, limits(MEASURED, HORIZON, steady("not_reached", None), settled_after=None))
    assert optimum.prediction.period == MEASURED
    assert "only the measured period 30 is validated; measure at a longer period" in optimum.advice


def test_confirmed_by_runs_at_the_best_period():
    period = best(DELAYED).prediction.period
    free = DELAYED.ensemble(2000, seed=1)
    fresh = DELAYED.ensemble(2000, seed=2, period=period)
    optimum = best(DELAYED, study=Study(free, [fresh]))
    # These made-up resamples have no spread, so the error is that of the runs alone.
    assert optimum.confirmed and optimum.restricted.stderr < 1e-9
    found = optimum.confirmation
    assert (found.runs, found.censored, found.horizon) == (2000, 0, HORIZON)
    exact = restricted(DELAYED, HORIZON) / restricted(DELAYED, HORIZON, period)
    assert abs(found.speedup.value - exact) < 4 * found.speedup.stderr
    assert abs(found.speedup.value - 0.9 * exact) > 4 * found.speedup.stderr
    assert "confirm" not in optimum.advice


def test_runs_that_contradict_the_prediction_are_said_to():
    period = best(DELAYED).prediction.period
    slower = Renewal(late=0.02, early=0.10, burst=6, delay=3).ensemble(2000, seed=2, period=period)
    optimum = best(DELAYED, study=Study(DELAYED.ensemble(500, seed=1), [slower]))
    assert not optimum.confirmed and optimum.confirmation is not None
    assert f"the runs at period {period} do not agree" in optimum.advice


def test_runs_elsewhere_confirm_nothing():
    period = best(DELAYED).prediction.period
    elsewhere = DELAYED.ensemble(100, seed=2, period=period + 1)
    optimum = best(DELAYED, study=Study(DELAYED.ensemble(100, seed=1), [elsewhere]))
    assert optimum.confirmation is None and not optimum.confirmed
    assert f"confirm with runs at period {period}" in optimum.advice


def test_bootstrap_interval_of_the_best_period():
    response = DELAYED.response(MEASURED, HORIZON, rows=101)
    later = np.roll(response.cycles, 2, axis=-1)
    later[..., :2] = 1.0
    cycles = np.where(np.arange(101)[:, None, None] > 90, later, response.cycles)
    optimum = best_period(
        dataclasses.replace(response, cycles=cycles), limits(MEASURED, HORIZON), horizon=HORIZON
    )
    exact = min(range(1, 41), key=DELAYED.mean)
    assert (optimum.period_low, optimum.prediction.period) == (exact, exact)
    assert exact < optimum.period_high <= exact + 3
    assert optimum.speedup.stderr > 0 and optimum.speedup.low < optimum.speedup.value < optimum.speedup.high


def test_without_resamples_there_is_no_interval():
    response = DELAYED.response(MEASURED, HORIZON)
    optimum = best_period(response, limits(MEASURED, HORIZON), horizon=HORIZON)
    assert optimum.prediction.period == optimum.period_low == optimum.period_high
    assert optimum.speedup.value > 1.5 and np.isnan(optimum.speedup.stderr)


def test_periods_searched():
    assert candidate_periods(limits(20, 40, settled_before=3, settled_after=5)).tolist() == list(range(5, 41))
    long = candidate_periods(limits(20, 400))
    assert long[:50].tolist() == list(range(1, 51)) and long[-1] == 400
    assert np.diff(np.log(long[long >= 50])).max() < 0.07
    assert candidate_periods(limits(20, 400, settled_after=None)).min() == 20
    assert candidate_periods(limits(90, 60)).max() == 90  # the measured one always


def test_periods_searched_begin_where_cycles_settle():
    assert candidate_periods(limits(100, 300, settled_after=80)).min() == 80


TRAINING = PlateauMixture(
    plateau_mean=71.9,
    plateau_spread=0.5,
    noise=0.15,
    depth=30,
    relaxation_time=2,
    depth_after=20,
    relaxation_time_after=1,
)
FROZEN = dataclasses.replace(TRAINING, memory=1.0, depth_after=30, relaxation_time_after=4)
THRESHOLD = 72.0


@pytest.fixture(scope="module")
def study():
    return Study(
        TRAINING.simulate(2000, 100, seed=1),
        [
            FROZEN.simulate(300, 300, period=25, seed=2, perturbation="dip"),
            TRAINING.simulate(2000, 300, period=20, seed=3, perturbation="redraw"),
            TRAINING.simulate(500, 300, period=7, seed=4, perturbation="redraw"),
        ],
    )


@pytest.fixture(scope="module")
def ranking(study):
    return rank(study, THRESHOLD, measured={"redraw": 20}, resamples=300)


def test_ranking_of_simulated_training(study, ranking):
    assert [optimum.perturbation for optimum in ranking.optima] == ["redraw", "dip"]
    assert (ranking.horizon, ranking.unperturbed_runs, ranking.qss.verdict) == (100, 2000, "reached")
    exact = TRAINING.restricted_mean(THRESHOLD, 100)
    assert abs(ranking.unperturbed.value - exact) < 4 * ranking.unperturbed.stderr
    assert abs(ranking.unperturbed.value - 0.9 * exact) > 4 * ranking.unperturbed.stderr
    sample = study.unperturbed.first_passage(THRESHOLD)
    assert ranking.unperturbed_censored == sample.n_censored > 0

    redraw, dip = ranking.optima
    assert redraw.response.period == 20 and redraw.prediction.status == "valid"
    means = {period: TRAINING.mfpt(THRESHOLD, period) for period in range(1, 30)}
    exact_best = min(means, key=means.get)
    assert redraw.limits.shortest < exact_best < 15
    assert redraw.period_low <= exact_best <= redraw.period_high
    assert means[redraw.prediction.period] < 1.02 * means[exact_best]
    period = redraw.prediction.period
    exact = TRAINING.restricted_mean(THRESHOLD, 100) / TRAINING.restricted_mean(THRESHOLD, 100, period)
    assert abs(redraw.speedup.value - exact) < 4 * redraw.speedup.stderr
    assert abs(redraw.speedup.value - 0.9 * exact) > 4 * redraw.speedup.stderr
    assert dip.speedup.value < 1.05


def test_ranking_up_to_a_shorter_horizon(study, ranking):
    short = rank(study, THRESHOLD, measured={"redraw": 20}, horizon=30, qss=ranking.qss, resamples=100)
    exact = TRAINING.restricted_mean(THRESHOLD, 30)
    assert abs(short.unperturbed.value - exact) < 4 * short.unperturbed.stderr
    assert short.unperturbed_censored > ranking.unperturbed_censored
    assert short.optima[0].speedup.value < ranking.optima[0].speedup.value
    assert short.qss is ranking.qss


def test_ranking_errors(study):
    with pytest.raises(ValueError, match="`study` has no perturbed runs; add an ensemble"):
        rank(Study(study.unperturbed), THRESHOLD)
    with pytest.raises(ValueError, match="`measured` names other; this study has dip, redraw"):
        rank(study, THRESHOLD, measured={"other": 3})
    for horizon in (0, 101):
        with pytest.raises(ValueError, match=f"`horizon` must be from 1 to 100 epochs, got {horizon}"):
            rank(study, THRESHOLD, horizon=horizon)


def alive_at(period, alive):
    """Perturbed runs of which so many are alive at their first perturbation."""
    return ensemble(np.r_[np.full(alive, period + 1), np.ones(5)], 60, period)


def study_of(**alive):
    runs = [alive_at(int(name.lstrip("p")), count) for name, count in alive.items()]
    return Study(ensemble([1, 2, 3], 60), runs)


@pytest.mark.parametrize(
    ("alive", "relaxation_epoch", "chosen"),
    [
        (dict(p5=90, p10=40, p20=80), 10, 10),  # the shortest relaxed one with half as many runs as the best
        (dict(p5=90, p10=39, p20=80), 8, 20),
        (dict(p5=90, p10=30, p20=80), 30, 20),  # the longest with many, where none is relaxed
        (dict(p5=30, p10=30, p20=80), None, 20),
    ],
)
def test_choice_of_the_measured_period(alive, relaxation_epoch, chosen):
    qss = steady("not_reached" if relaxation_epoch is None else "reached", relaxation_epoch)
    assert choose_measured(study_of(**alive), "kick", 1, qss) == chosen


def test_choice_needs_a_known_perturbation():
    with pytest.raises(ValueError, match="`perturbation` 'other' is not in this study; it has: kick"):
        choose_measured(study_of(p5=9), "other", 1, steady())


def test_measured_point():
    found = measured_point(ensemble([2, 4, 9], 9, period=3, censored=[2]), 1)
    assert (found.period, found.runs, found.censored) == (3, 3, 1)
    assert found.mean.value == 5 and found.mean.lower_bound
