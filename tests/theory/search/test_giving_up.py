"""Runs that last too long are given up, those that branch off the pilot as well."""

import numpy as np
import pytest

from theory.search import Candidate, SearchSettings
from theory.search.choosing import longest_run
from theory.search.evidence import Point
from theory.search.state import SearchState
from theory.search.surrogate import Surrogate

from .toys import GOAL, rising

KICK = Candidate("kick")
BEST, SHORT, LONG = ((KICK, period) for period in (20, 1, 50))
KNOWN = Surrogate((BEST, SHORT, LONG), np.log([40.0, 8.0, 100.0]), np.full(3, 0.3), 0.6)
POINTS = {BEST: Point(40.0, 1.0, 4, 0)}


@pytest.mark.parametrize(("key", "epochs"), [(SHORT, 24 + 1), (BEST, 120 + 20), (LONG, 120 + 50)])
def test_after_three_times_what_is_expected_of_it_or_of_the_best(key, epochs):
    assert longest_run(KNOWN, POINTS, key) == pytest.approx(epochs, abs=1)


def test_not_before_anything_is_measured():
    assert longest_run(KNOWN, {}, SHORT) is None


def test_branches_are_given_up_too():
    world = rising(0)
    state = SearchState(world, SearchSettings(thresholds=(GOAL,), budget=5000))
    state.evidence.pilot = world.pilot(12, 20)
    key, before = (world.candidates[0], 10), state.spent
    assert state.measure("refine", key, 4, "test", epochs=13) == 4
    runs = state.evidence.branches[key]
    sample = runs.first_passage(GOAL)
    assert runs.horizon == 13 and sample.n_censored > 0
    assert state.spent - before == (sample.times - 10).sum() <= 4 * 3
