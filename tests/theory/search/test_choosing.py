"""What is measured next, and when the search stops."""

import numpy as np
import pytest

from theory.search import Candidate, SearchSettings
from theory.search.choosing import CONVINCED, best_key, choose
from theory.search.evidence import Point
from theory.search.surrogate import Surrogate

KICK = Candidate("kick")
KEYS = tuple((KICK, period) for period in (2, 5, 10))
SETTINGS = SearchSettings(thresholds=(1.0,), budget=1000, gain=0.01)


def surrogate(means, stds, noise=0.5):
    return Surrogate(KEYS, np.log(np.array(means, dtype=float)), np.array(stds, dtype=float), noise)


def measured(*periods, runs=20):
    return {(KICK, period): Point(10.0, 1.0, runs, 0) for period in periods}


def test_it_goes_on_while_another_point_may_be_better_though_one_run_tells_little():
    known = surrogate([20, 10, 11], [0.01, 0.1, 0.3], noise=3.0)
    (key, why) = choose(known, measured(2, 5), 1000, set(), SETTINGS)
    assert key == (KICK, 10) and "may shorten the mean by" in why


@pytest.mark.parametrize(
    ("means", "stds"), [([20, 10, 30], [0.1, 0.1, 0.1]), ([20, 10, 10.1], [0, 1e-3, 1e-3])]
)
def test_it_stops_when_nothing_is_expected_to_be_lost(means, stds):
    assert choose(surrogate(means, stds), measured(2, 5), 1000, set(), SETTINGS) is None


def test_a_best_point_of_few_runs_is_measured_again():
    known = surrogate([20, 1, 30], [0.1, 0.1, 0.1])
    key, why = choose(known, measured(2, 5, runs=CONVINCED - 1), 1000, set(), SETTINGS)
    assert key == (KICK, 5) == best_key(known, measured(2, 5)) and "too few" in why
    assert choose(known, measured(2, 5, runs=CONVINCED), 1000, set(), SETTINGS) is None
    assert choose(known, measured(2, 5, runs=1), 1000, {(KICK, 5)}, SETTINGS) is None


def test_exhausted_and_unaffordable_points_are_left_out():
    known = surrogate([20, 10, 11], [0.01, 0.1, 0.3])
    assert choose(known, measured(2, 5), 1000, {(KICK, 10)}, SETTINGS)[0] == (KICK, 5)
    # The cheapest may always be measured, the others only within what is left.
    assert choose(known, measured(2, 5), 1, set(), SETTINGS)[0] == (KICK, 5)


def test_without_any_point_the_least_known_is_measured():
    key, _ = choose(surrogate([20, 20, 20], [0.1, 0.5, 0.1]), {}, 1000, set(), SETTINGS)
    assert key == (KICK, 5)
