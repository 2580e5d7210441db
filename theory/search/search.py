"""The closed loop: pilot, probe, predict, refine, confirm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theory.search.answer import Answer, SearchResult, compose, find_answer, grid_epochs
from theory.search.confirming import confirm_answer
from theory.search.environment import Environment
from theory.search.pilot import FEWEST, first_length, run_pilot
from theory.search.refine import probe, refine
from theory.search.settings import SearchSettings
from theory.search.state import SearchState, Step


def search(
    environment: Environment, settings: SearchSettings, on_step: Callable[[Step], None] | None = None
) -> SearchResult:
    """Find for each threshold the perturbation and period that reach it soonest, and confirm the speed-up.

    Parameters
    ----------
    environment : Environment
        Where runs come from.
    settings : SearchSettings
        Thresholds, budget, precision.
    on_step : callable, optional
        Called with each step when it is done.

    Returns
    -------
    SearchResult
        Answers, steps, costs, and the runs.

    Raises
    ------
    ValueError
        If the environment's goal is not the hardest of the thresholds, there is nothing to try, or the budget is
        less than the first runs of the pilot cost.
    """
    check(environment, settings)
    state = SearchState(environment, settings, on_step)
    run_pilot(state)
    thresholds = _hardest_first(environment, settings)
    for threshold in thresholds:
        probe(state, threshold)
    for left, threshold in zip(range(len(thresholds), 0, -1), thresholds, strict=True):
        refine(state, threshold, state.spent + (settings.search_budget - state.spent) // left)
    found = [find_answer(state, threshold) for threshold in thresholds]
    answers = []
    for left, threshold, each in zip(range(len(thresholds), 0, -1), thresholds, found, strict=True):
        confirmed = None
        if each.key is not None and settings.confirm_share > 0:
            rest = settings.budget - state.spent
            confirmed = confirm_answer(state, each.key, threshold, rest // left, rest)
        answers.append(compose(state, threshold, each, confirmed))
    return SearchResult(
        answers=tuple(sorted(answers, key=_threshold)),
        steps=tuple(state.steps),
        horizon=environment.horizon,
        qss=state.qss,
        settled=state.settled,
        evidence=state.evidence,
        confirmed=state.confirmed,
        grid=grid_epochs(state, found[0].surrogate),
    )


def check(environment: Environment, settings: SearchSettings) -> None:
    """Raise where a search cannot even begin; the message says what is missing and what it would cost."""
    if not environment.candidates:
        raise ValueError("`candidates` is empty: name at least one perturbation to try")
    for candidate in environment.candidates:
        if not environment.periods(candidate):
            raise ValueError(f"`periods` of {candidate.name} is empty: name at least one period to try")
    hardest = _hardest_first(environment, settings)[0]
    if environment.goal != hardest:
        raise ValueError(
            f"`goal` of the environment must be the hardest threshold, {hardest:g}, got {environment.goal:g}; "
            "runs that end at an easier one tell nothing of it"
        )
    check_budget(settings, environment.horizon)


def check_budget(settings: SearchSettings, horizon: int) -> None:
    """Raise where the budget does not suffice for the first runs of the pilot."""
    least = FEWEST * first_length(horizon)
    if settings.search_budget < least:
        raise ValueError(
            f"`budget` {settings.budget:,d} leaves {settings.search_budget:,d} epochs for the search; the first "
            f"{FEWEST} unperturbed runs alone cost {least:,d}. Give at least "
            f"{int(4 * least / (1 - settings.confirm_share)):,d}"
        )


def _hardest_first(environment: Environment, settings: SearchSettings) -> Sequence[float]:
    return sorted(settings.thresholds, reverse=environment.direction == "at_least")


def _threshold(answer: Answer) -> float:
    return answer.threshold
