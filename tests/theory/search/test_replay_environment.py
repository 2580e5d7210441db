"""Replay of recorded runs: nothing dealt twice, every epoch counted once."""

from dataclasses import replace

import numpy as np
import pytest

from theory import Ensemble, Study
from theory.search import Candidate, ReplayEnvironment
from theory.search.baselines import grid_search
from theory.traces import StoredTraces

from .toys import GOAL, HORIZON, recorded

STRONG, MILD = Candidate("strong"), Candidate("mild")


@pytest.fixture(scope="module")
def study():
    return recorded()


@pytest.fixture
def world(study):
    return ReplayEnvironment(study, GOAL, seed=3)


def passage(values, goal=GOAL):
    """First passage by brute force: epoch of arrival, or the number of epochs."""
    for epoch, value in enumerate(values, start=1):
        if value >= goal:
            return epoch
    return len(values)


def test_it_knows_the_study(world, study):
    assert [each.name for each in world.candidates] == ["mild", "strong"]
    assert world.periods(STRONG) == (4, 7, 14)
    assert (world.horizon, world.direction, world.metric) == (HORIZON, "at_least", "metric")
    times = {(e.perturbation, e.period): [passage(run) for run in e.values] for e in study.perturbed}
    assert world.grid_epochs() == sum(map(sum, times.values()))
    assert world.truth(GOAL) == pytest.approx({key: np.mean(each) for key, each in times.items()})


def test_fresh_runs_cost_their_passage_times_and_end_there(world, study):
    by_seed = {
        int(seed): run
        for seed, run in zip(
            study.ensemble("strong", 7).seeds, study.ensemble("strong", 7).values, strict=True
        )
    }
    runs = world.fresh(STRONG, 7, 12)
    times = [passage(by_seed[int(seed)]) for seed in runs.seeds]
    assert world.spent == sum(times)
    for run, seed, time in zip(runs.values, runs.seeds, times, strict=True):
        np.testing.assert_array_equal(run[:time], by_seed[int(seed)][:time])
        assert np.isnan(run[time:]).all()
    assert (runs.perturbation, runs.period) == ("strong", 7)


def test_a_shorter_run_costs_no_more_than_its_length(world):
    runs = world.fresh(STRONG, 7, 12, epochs=9)
    assert runs.horizon == 9
    assert world.spent == sum(min(passage(run), 9) for run in np.nan_to_num(runs.values, nan=-np.inf))
    sample = runs.first_passage(GOAL)
    assert sample.times[sample.censored].max() == 9


def test_a_shorter_branch_costs_no_more_than_its_length(world):
    world.pilot(10, 20)
    before = world.spent
    sample = world.branch(STRONG, 7, 4, epochs=9).first_passage(GOAL)
    assert sample.n_censored > 0 and sample.times.max() == 9
    assert world.spent - before == (sample.times - 7).sum()


def test_no_run_is_dealt_twice_and_an_exhausted_point_gives_none(world, study):
    world.pilot(10, 20)
    seen = []
    for ask in (4, 3, 2):
        branches = world.branch(STRONG, 7, ask)
        seen += [] if branches is None else branches.seeds.tolist()
        seen += world.fresh(STRONG, 7, ask).seeds.tolist()
    while (more := world.fresh(STRONG, 7, 8)) is not None:
        seen += more.seeds.tolist()
    assert sorted(seen) == sorted(study.ensemble("strong", 7).seeds.tolist())
    assert world.fresh(STRONG, 7, 1) is None
    spent = world.spent
    assert world.branch(STRONG, 7, 1) is None
    assert world.spent == spent


def test_pilot_and_fresh_unperturbed_runs_are_different_ones(world, study):
    pilot = world.pilot(10, 20)
    free = world.fresh(None, None, 100)
    assert sorted([*pilot.seeds, *free.seeds]) == sorted(study.unperturbed.seeds)
    assert world.fresh(None, None, 1) is None
    assert len(world.pilot(11, 20)) == 10  # no more are left


def test_extending_the_pilot_pays_the_difference(world):
    first = world.pilot(5, 20)
    assert (first.values.shape, world.spent) == ((5, 20), 100)
    longer = world.pilot(5, 30)
    assert (longer.values.shape, world.spent) == ((5, 30), 150)
    np.testing.assert_array_equal(longer.values[:, :20], first.values)
    assert (world.pilot(8, 30).values.shape, world.spent) == ((8, 30), 240)
    assert (world.pilot(2, 10).values.shape, world.spent) == ((8, 30), 240)
    assert world.pilot(8, 10_000).horizon == HORIZON


def test_pilot_runs_do_not_end_at_the_goal(study):
    assert np.isfinite(ReplayEnvironment(study, 70.0).pilot(10, 50).values).all()


def test_branches_are_alive_and_cost_what_follows_the_period(world):
    pilot = world.pilot(12, 20)
    alive = sum(passage(run) > 14 for run in pilot.values)
    before = world.spent
    branches = world.branch(STRONG, 14, 100)
    times = [passage(run) for run in np.nan_to_num(branches.values, nan=-np.inf)]
    assert min(times) > 14
    assert world.spent - before == sum(time - 14 for time in times)
    assert 0 < len(branches) <= alive
    assert world.branch(STRONG, 14, 1) is None


def test_each_pilot_run_branches_once_into_each_candidate_and_period(world):
    world.pilot(4, 20)
    assert len(world.branch(STRONG, 7, 3)) == 3
    assert len(world.branch(STRONG, 7, 3)) == 1
    assert world.branch(STRONG, 7, 3) is None
    assert len(world.branch(STRONG, 14, 3)) == 3
    assert len(world.branch(MILD, 7, 3)) == 3


def test_a_period_beyond_the_pilot_has_no_branches(world):
    world.pilot(4, 13)
    assert world.branch(STRONG, 14, 1) is None


def test_the_order_is_that_of_the_seed(study):
    one, same, other = (ReplayEnvironment(study, GOAL, seed).fresh(MILD, 4, 9).seeds for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_recorded_branches_are_not_taken_for_runs_under_their_period(study):
    late = replace(study.ensemble("strong", 7), first=21, values=np.full((30, HORIZON), 50.0))
    both = ReplayEnvironment(Study(study.unperturbed, (*study.perturbed, late)), GOAL)
    alone = ReplayEnvironment(study, GOAL)
    assert both.truth(GOAL) == alone.truth(GOAL)
    assert both.grid_epochs() == alone.grid_epochs()


def test_a_metric_to_minimise_is_the_mirror_image(study):
    def mirrored(runs):
        return Ensemble(-runs.values, runs.seeds, "loss", "at_most", runs.perturbation, runs.period)

    world = ReplayEnvironment(study, GOAL, seed=5)
    mirror = ReplayEnvironment(
        Study(mirrored(study.unperturbed), tuple(map(mirrored, study.perturbed))), -GOAL, 5
    )
    for each in (world, mirror):
        each.pilot(10, 20)
        each.branch(STRONG, 7, 4)
        each.fresh(MILD, 4, 6)
    assert mirror.spent == world.spent
    assert mirror.truth(-GOAL) == world.truth(GOAL)


def diverging():
    """One perturbation arrives at 10 of 30 epochs, the other diverges at once."""
    free = Ensemble(np.zeros((8, 30)), np.arange(8))
    good, bad = np.zeros((8, 30)), np.full((8, 30), np.nan)
    good[:, 9:], bad[:, :4] = 2.0, 0.0
    kinds = [
        Ensemble(v, np.arange(8), perturbation=n, period=3) for n, v in (("good", good), ("diverges", bad))
    ]
    return ReplayEnvironment(Study(free, kinds), 1.0)


def test_a_run_that_diverged_never_arrives():
    assert diverging().truth(1.0) == {("good", 3): 10, ("diverges", 3): 30}
    assert grid_search(diverging(), 4) == (Candidate("good"), 3)


def test_traces_that_stay_in_their_file_are_dealt_as_well():
    world = diverging()

    class Stored(StoredTraces):
        shape = (8, 30)

        def read(self, start, stop):
            return np.arange(8 * 30.0).reshape(8, 30)[start:stop]

    free = Ensemble(Stored(), np.arange(8))
    pilot = ReplayEnvironment(Study(free, world.study.perturbed), 1e9).pilot(3, 5)
    assert np.array_equal(pilot.values, np.arange(8 * 30.0).reshape(8, 30)[pilot.seeds, :5])
