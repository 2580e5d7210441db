"""What a search may cost, before anything is run."""

from __future__ import annotations

from theory.search.answer import GRID_RUNS
from theory.search.settings import SearchSettings


def plan(settings: SearchSettings, horizon: int, points: int) -> dict[str, int]:
    """Epochs of each kind of step at most, and of a grid of so many points.

    Examples
    --------
    >>> plan(SearchSettings(thresholds=(93.0,), budget=1000), horizon=100, points=5)["pilot"]
    200
    """
    return {
        "pilot": settings.pilot_budget,
        "search": settings.search_budget - settings.pilot_budget,
        "confirm": settings.budget - settings.search_budget,
        "budget": settings.budget,
        "grid": points * GRID_RUNS * horizon,
        "grid_runs": GRID_RUNS,
    }
