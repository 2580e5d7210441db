import numpy as np
import pytest

from training.executors import ExecutorSettings
from training.optimize.environment import TrainingEnvironment
from training.optimize.gather import search_groups
from training.protocols import Periodic
from training.train import train_runs


@pytest.fixture
def environment(small, tmp_path):
    return TrainingEnvironment(small(), tmp_path / "search", ExecutorSettings())


def test_a_pilot_that_grows_is_that_which_was_long_from_the_start(small, environment, tmp_path):
    environment.pilot(3, 10)
    assert environment.spent == 30
    environment.pilot(3, 15)
    assert environment.spent == 45  # the first ten epochs are not trained again
    grown = environment.pilot(7, 25)
    assert environment.spent == 7 * 25 and grown.values.shape == (7, 25)
    other = TrainingEnvironment(small(), tmp_path / "other", ExecutorSettings())
    other.pilot(3, 25)
    assert np.array_equal(other.pilot(7, 25).values, grown.values)
    assert environment.pilot(2, 5).values.shape == (7, 25)  # nothing is taken back
    assert environment.spent == 7 * 25


@pytest.mark.parametrize("period", [2, 5])
def test_branches_are_independent_runs_of_the_same_seeds(small, environment, period):
    optimization = small()
    environment.pilot(6, 12)
    before = environment.spent
    candidate = environment.candidates[0]
    branches = environment.branch(candidate, period, 4)
    assert list(branches.seeds) == [0, 1, 2, 3]  # nobody arrives so early
    whole = train_runs(
        optimization.study.task, [0, 1, 2, 3], 40, optimization.candidates[candidate], Periodic(period)
    ).ensemble("test_accuracy")
    times = branches.first_passage(70.0).times
    assert np.array_equal(times, whole.first_passage(70.0).times)
    ended = np.arange(branches.horizon) >= times[:, None]
    expected = np.where(ended, np.nan, whole.values[:, : branches.horizon])
    assert np.allclose(branches.values, expected, atol=1e-9, equal_nan=True)
    assert environment.spent - before == np.sum(times - period)
    assert len(environment.branch(candidate, period, 4)) == 2  # the others of the six
    assert environment.branch(candidate, period, 4) is None


def test_a_shorter_branch_is_the_beginning_of_a_whole_one(small, environment, tmp_path):
    environment.pilot(6, 12)
    before = environment.spent
    short = environment.branch(environment.candidates[0], 5, 4, epochs=8)
    assert short.horizon == 8 and environment.spent - before == 4 * 3  # nobody arrives so early
    other = TrainingEnvironment(small(), tmp_path / "whole", ExecutorSettings())
    other.pilot(6, 12)
    whole = other.branch(other.candidates[0], 5, 4)
    np.testing.assert_array_equal(short.values, whole.values[:, :8])


def test_nobody_branches_beyond_the_pilot_or_after_arriving(environment):
    environment.pilot(4, 8)
    candidate = environment.candidates[1]
    assert environment.branch(candidate, 10, 4) is None
    pilot = environment.pilot(4, 40)
    alive = int(np.sum(pilot.first_passage(70.0).times > 20))
    found = environment.branch(candidate, 20, 4)
    assert alive < 4 and (0 if found is None else len(found)) == alive


def test_fresh_runs_have_new_seeds_and_end_at_the_goal(environment):
    environment.pilot(3, 10)
    first = environment.fresh(environment.candidates[0], 5, 5)
    free = environment.fresh(None, None, 2, 15)
    assert sorted([*first.seeds, *free.seeds]) == list(range(3, 10))
    assert free.horizon == 15
    cost = np.sum(first.lengths) + np.sum(free.lengths)
    assert environment.spent == 30 + cost
    arrived = ~first.first_passage(70.0).censored
    assert np.array_equal(first.lengths[arrived], first.first_passage(70.0).times[arrived])


def test_what_the_folder_holds_is_not_trained_again(small, environment, tmp_path, monkeypatch):
    def walk(each):
        each.pilot(3, 10)
        each.branch(each.candidates[0], 5, 2)
        return each.fresh(each.candidates[1], 10, 2)

    first = walk(environment)
    again = TrainingEnvironment(small(), tmp_path / "search", ExecutorSettings())
    monkeypatch.setattr("training.study.work._train", lambda *_: pytest.fail("trained again"))
    assert np.array_equal(walk(again).values, first.values, equal_nan=True)
    assert again.spent == environment.spent


def test_groups_of_branches_hold_the_pilot_runs_that_arrived_before(environment):
    pilot = environment.pilot(8, 20)
    times = pilot.first_passage(70.0).times
    alive = int(np.sum(times > 10))
    assert 0 < alive < 8
    environment.branch(environment.candidates[0], 10, alive)
    groups = search_groups(
        environment.pilot_groups, environment.branch_groups, [], "test_accuracy", environment.goal
    )
    unperturbed, perturbed = groups
    assert perturbed.name == "shrink:10" and len(unperturbed.seeds) == 8
    # All that were alive have branched, so all others belong to the group too, and end where they arrived.
    assert sorted(perturbed.seeds) == sorted(unperturbed.seeds)
    sample = perturbed.ensemble("test_accuracy").first_passage(70.0)
    order = np.argsort(perturbed.seeds)
    early = times <= 10
    assert np.array_equal(sample.times[order][early], times[early])
    assert np.all(sample.times[order][~early] > 10)
