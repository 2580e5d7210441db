"""The searches that the closed loop is compared with ask for the runs that they say, and find the optimum with many."""

from collections import Counter

import numpy as np
import pytest

from theory.search.baselines import (
    Tally,
    all_keys,
    grid_search,
    random_search,
    successive_halving,
    tpe_search,
)

from .toys import GOAL, rising


class Counting:
    """The toy, with a count of the runs that were asked for at each point."""

    def __init__(self, seed=0):
        self.world, self.asked = rising(seed), Counter()
        self.candidates, self.goal, self.periods = self.world.candidates, self.world.goal, self.world.periods
        self.horizon = self.world.horizon

    def fresh(self, candidate, period, runs):
        self.asked[candidate.name, period] += runs
        return self.world.fresh(candidate, period, runs)


def regret(world, key):
    truth = world.world.truth(GOAL)
    return truth[key[0].name, key[1]] / min(truth.values())


def test_grid_search_runs_every_point():
    world = Counting()
    found = grid_search(world, 40)
    assert world.asked == {(each.name, period): 40 for each, period in all_keys(world)}
    assert regret(world, found) < 1.1


def test_random_search_runs_some_points_chosen_by_its_seed():
    first, again, other = Counting(), Counting(), Counting()
    random_search(first, 5, 2, seed=1), random_search(again, 5, 2, seed=1), random_search(other, 5, 2, seed=2)
    assert len(first.asked) == 5 and set(first.asked.values()) == {2}
    assert first.asked == again.asked != other.asked


def test_successive_halving_gives_more_runs_to_fewer_points():
    world = Counting()
    found = successive_halving(world, first=4, factor=4)
    # Of 16 points all get 4 runs, the best 4 of them 16 in all.
    assert sorted(world.asked.values()) == [4] * 12 + [16] * 4
    assert world.asked[found[0].name, found[1]] == 16
    assert regret(world, found) < 1.25


def test_tpe_comes_back_to_good_points():
    pytest.importorskip("optuna")
    world = Counting()
    found = tpe_search(world, 40, 2, seed=0)
    assert sum(world.asked.values()) == 80
    assert max(world.asked.values()) > 4  # far more than at random
    assert regret(world, found) < 1.3


def test_the_best_point_is_that_of_the_smallest_mean():
    tally = Tally(rising(0))
    first, second, *_ = tally.keys
    assert tally.add(first, 3) == 3 and tally.best() == first
    tally.times[second] = [min(tally.times[first]) / 2]
    assert tally.best() == second
    assert tally.mean(tally.keys[-1]) == np.inf
