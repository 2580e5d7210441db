"""Settings of a search, and what is refused before it begins."""

import pytest

from theory.search import Candidate, SearchSettings, search

from .toys import GOAL, rising


def test_shares_of_the_budget():
    settings = SearchSettings(thresholds=(72, 73), budget=1000, confirm_share=0.4, pilot_share=0.5)
    assert settings.thresholds == (72.0, 73.0)
    assert (settings.search_budget, settings.pilot_budget) == (600, 300)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thresholds": ()}, "`thresholds` must be finite numbers, all different, at least one"),
        ({"thresholds": (72, 72.0)}, "all different"),
        ({"thresholds": (float("nan"),)}, "`thresholds` must be finite"),
        ({"budget": 0}, "`budget` must be a whole number of at least 1, got 0"),
        ({"budget": 100.5}, "`budget` must be a whole number"),
        ({"budget": True}, "`budget` must be a whole number of at least 1, got True"),
        ({"batch": 0}, "`batch` must be a whole number of at least 1, got 0"),
        ({"confirm_share": 1.0}, "`confirm_share` must lie between 0 and 0.95, got 1.0"),
        ({"pilot_share": 0.0}, "`pilot_share` must lie between 0.05 and 0.95"),
        ({"precision": 0.0}, "`precision` must lie between 0.001 and 1"),
        ({"gain": -0.1}, "`gain` must lie between 0 and 1, got -0.1"),
        ({"gain": float("nan")}, "`gain` must lie between"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        SearchSettings(**({"thresholds": (72,), "budget": 1000} | changes))


def test_a_budget_too_small_names_the_least():
    world = rising(0)
    with pytest.raises(
        ValueError, match=r"the first 6 unperturbed runs alone cost 60\. Give at least 480"
    ) as error:
        search(world, SearchSettings(thresholds=(GOAL,), budget=119))
    assert world.spent == 0
    least = int(str(error.value).rsplit(" ", 1)[1])
    assert search(rising(0), SearchSettings(thresholds=(GOAL,), budget=least)).answers


def test_the_goal_must_be_the_hardest_threshold():
    with pytest.raises(
        ValueError, match="`goal` of the environment must be the hardest threshold, 73, got 72.5"
    ):
        search(rising(0), SearchSettings(thresholds=(72, 73), budget=2000))


def test_there_must_be_something_to_try():
    world = rising(0)
    world.candidates = ()
    with pytest.raises(ValueError, match="`candidates` is empty: name at least one perturbation"):
        search(world, SearchSettings(thresholds=(GOAL,), budget=2000))


def test_each_candidate_needs_a_period():
    world = rising(0)
    world.periods = lambda candidate: () if candidate.name == "strong" else (2, 3)
    with pytest.raises(ValueError, match="`periods` of strong is empty"):
        search(world, SearchSettings(thresholds=(GOAL,), budget=2000))


def test_a_candidate_without_a_family_is_one_of_its_own():
    assert Candidate("kick").family == "kick"
    assert Candidate("kick 2", "kick", (("size", 2.0),)).family == "kick"


@pytest.mark.parametrize("thresholds", [72, "72"])
def test_one_threshold_is_put_in_brackets(thresholds):
    with pytest.raises(
        TypeError, match=f"`thresholds` must be a sequence of numbers, got {thresholds!r}; put it"
    ):
        SearchSettings(thresholds=thresholds, budget=1000)
