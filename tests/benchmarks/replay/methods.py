"""The fewest epochs that each method needs for a good answer: median regret 1.05, 90th percentile 1.15."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from replay.measures import Outcome, quantile, replays
from replay.problems import truth

MEDIAN, UPPER = 1.05, 1.15
HOPELESS = 1.5
"""A setting is not run to the end when its first quarter misses the mark by so many times the allowed excess."""
LADDERS: dict[str, tuple[tuple[int, ...], ...]] = {
    "grid_search": tuple((runs,) for runs in (1, 2, 3, 4, 6, 8, 12, 16)),
    "random_search": tuple(product((5, 10, 20, 30), (1, 2, 4, 8))),
    "successive_halving": tuple(product((1, 2), (2, 3, 4))),
    "tpe_search": tuple(product((10, 20, 40, 80), (1, 2, 4))),
}


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The cheapest setting of a method that is good enough, with its regrets and median epochs; None if none is."""

    method: str
    setting: tuple[int, ...] | None
    median: float
    upper: float
    epochs: float


def good(found: list[Outcome], slack: float = 1.0) -> bool:
    """Whether regrets attain the mark, or their excess misses it by less than the factor ``slack``."""
    regrets = np.array([each.regret for each in found])
    return bool(
        quantile(regrets, 0.5) <= 1 + slack * (MEDIAN - 1)
        and quantile(regrets, 0.9) <= 1 + slack * (UPPER - 1)
    )


def cheapest(problem: str, method: str, settings: tuple[tuple[int, ...], ...], count: int) -> Cheapest:
    """Try settings from the cheapest up, until one is good enough and all that may be cheaper were tried."""
    quarter = max(1, count // 4)
    trials = {setting: replays(problem, method, setting, range(min(4, count))) for setting in settings}
    best = Cheapest(method, None, float("nan"), float("nan"), float("inf"))
    for setting in sorted(settings, key=lambda each: _epochs(trials[each])):
        if _epochs(trials[setting]) > 1.3 * best.epochs:
            break
        first = replays(problem, method, setting, range(quarter))
        if count >= 40 and not good(first, HOPELESS):
            continue
        found = first + replays(problem, method, setting, range(quarter, count)) if quarter < count else first
        if good(found) and _epochs(found) < best.epochs:
            regrets = np.array([each.regret for each in found])
            best = Cheapest(method, setting, quantile(regrets, 0.5), quantile(regrets, 0.9), _epochs(found))
    return best


def full_grid(problem: str) -> Cheapest:
    """All runs of the grid: as good as it gets."""
    return Cheapest("full grid", (), 1.0, 1.0, truth(problem).grid)


def _epochs(found: list[Outcome]) -> float:
    return float(np.median([each.epochs for each in found]))
