"""Runs that branch off unperturbed ones: further measurements of the response."""

import numpy as np
import pytest

from theory import Ensemble, Study, measure_response
from theory.ensembles import ensemble_name

PERIOD, FIRST, EPOCHS, RUNS = 10, 30, 80, 400
ALONE, AFTER = 0.02, 0.1


def traces(times, epochs=EPOCHS):
    """Metric 1 from the epoch of arrival on, 0 before."""
    return (np.arange(1, epochs + 1) >= np.asarray(times)[:, None]).astype(float)


def sample(seed, onset, perturbed=True):
    """Times with hazard ALONE up to ``onset`` and AFTER beyond."""
    rng = np.random.default_rng(seed)
    times = rng.geometric(ALONE, RUNS)
    late = times > onset
    if perturbed:
        times[late] = onset + rng.geometric(AFTER, late.sum())
    return times


@pytest.fixture
def ensembles():
    seeds = np.arange(RUNS)
    free = Ensemble(traces(sample(1, 0, perturbed=False)), seeds)
    plain = Ensemble(traces(sample(2, PERIOD)), seeds + 1000, perturbation="kick", period=PERIOD)
    branch = Ensemble(traces(sample(3, FIRST)), seeds + 2000, perturbation="kick", period=PERIOD, first=FIRST)
    return free, plain, branch


def test_a_branch_tells_what_its_runs_would_tell_if_they_were_shifted(ensembles):
    free, plain, branch = ensembles
    found = measure_response(free, plain, 1.0, resamples=0, branches=[branch], pool=False)
    times = branch.first_passage(1.0).times
    alive = times > FIRST
    # The same traces from 20 epochs later on; the epochs cut off at the end are 80 at most, as in the branch.
    shifted = np.full((alive.sum(), EPOCHS), np.nan)
    shifted[:, : EPOCHS - (FIRST - PERIOD)] = branch.values[alive, FIRST - PERIOD :]
    together = Ensemble(
        np.concatenate([plain.values, shifted]),
        np.arange(RUNS + alive.sum()),
        perturbation="kick",
        period=PERIOD,
    )
    expected = measure_response(free, together, 1.0, resamples=0, pool=False)
    np.testing.assert_allclose(found.tau, expected.tau, rtol=1e-12)
    np.testing.assert_allclose(found.cycles, expected.cycles, rtol=1e-12)
    assert found.alive.tolist() == expected.alive.tolist()
    assert (
        found.perturbed_alive
        == expected.perturbed_alive
        == alive.sum() + np.sum(plain.first_passage(1.0).times > PERIOD)
    )


def test_branches_sharpen_the_residual_time_and_leave_the_survival_alone(ensembles):
    free, plain, branch = ensembles
    alone = measure_response(free, plain, 1.0, resamples=400)
    both = measure_response(free, plain, 1.0, resamples=400, branches=[branch])
    np.testing.assert_allclose(both.survival[0], alone.survival[0], rtol=1e-12)
    assert both.tau_estimate.stderr < 0.9 * alone.tau_estimate.stderr
    for response in (alone, both):
        assert abs(response.tau_estimate.value - 1 / AFTER) < 4 * response.tau_estimate.stderr
        assert abs(response.tau_estimate.value - 1.4 / AFTER) > 4 * response.tau_estimate.stderr


def test_a_study_keeps_branches_apart(ensembles):
    free, plain, branch = ensembles
    study = Study(free, (branch, plain))
    assert branch.name == "kick:10@30" == ensemble_name("kick", 10, 30) and branch.onset == 30
    assert study.periods("kick") == (10,) and study.perturbations == ("kick",)
    assert study.ensemble("kick", 10) is plain and study.branches("kick", 10) == (branch,)
    assert Ensemble(plain.values, plain.seeds, perturbation="kick", period=10, first=10).first is None


def test_errors(ensembles):
    free, plain, branch = ensembles
    with pytest.raises(
        ValueError, match="`branches` must be of kick:10 from other epochs on, got kick:20@30"
    ):
        other = Ensemble(branch.values, branch.seeds, perturbation="kick", period=20, first=30)
        measure_response(free, plain, 1.0, branches=[other])
    with pytest.raises(ValueError, match="`branches` kick:10@30: no run is alive and watched after"):
        done = Ensemble(np.ones((2, 50)), [1, 2], perturbation="kick", period=10, first=30)
        measure_response(free, plain, 1.0, branches=[done])
    with pytest.raises(ValueError, match="`first` needs a `perturbation` and a `period`, got 5 alone"):
        Ensemble(free.values, free.seeds, first=5)
    with pytest.raises(ValueError, match="`first` must be a whole number of epochs, at least 1, got 0"):
        Ensemble(free.values, free.seeds, perturbation="kick", period=10, first=0)


def test_branches_that_are_watched_for_longer_count_to_their_end():
    rng = np.random.default_rng(5)
    free = Ensemble(traces(rng.geometric(ALONE, RUNS), 300), np.arange(RUNS))
    # Of these all arrive soon, of the branches half do so after the last epoch of the others.
    plain = Ensemble(
        traces(10 + rng.integers(1, 20, RUNS), 30), np.arange(RUNS), perturbation="kick", period=10
    )
    late = rng.integers(1, 200, RUNS)
    branch = Ensemble(traces(60 + late, 300), np.arange(RUNS), perturbation="kick", period=10, first=60)
    found = measure_response(free, plain, 1.0, resamples=0, branches=[branch])
    expected = np.concatenate([plain.first_passage(1.0).times - 10, late])
    assert found.tau[0] == pytest.approx(expected.mean()) and found.tau_censored == 0
    assert found.alive.sum() == sum(np.sum(expected > 10 * n) for n in range(20))
