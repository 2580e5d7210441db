"""One replay of one method on one problem, measured; and many of them in two processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from replay.problems import environment, recorded, threshold, truth
from theory.search import Answer, SearchSettings, baselines, search

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one replay.

    ``regret`` is the mean at the chosen point over that at the best one: 1 is perfect. ``search`` are
    the epochs without the confirmation. ``covered`` and ``corrected`` tell whether the interval of the speed-up, as
    printed and with the correction for a finite supply of runs, holds the truth; None without a confirmation.
    """

    regret: float
    epochs: int
    search: int
    verdict: str = ""
    covered: bool | None = None
    corrected: bool | None = None


def run_method(problem: str, method: str, setting: tuple[int, ...], seed: int) -> Outcome:
    """One replay of a method: ``search`` (budget,), ``loop`` (budget,) with confirmation, or a baseline."""
    world = environment(problem, seed)
    if method in ("search", "loop"):
        share = {} if method == "loop" else {"confirm_share": 0.0}
        settings = SearchSettings(
            thresholds=(threshold(problem),), budget=setting[0], batch=1, seed=seed, **share
        )
        result = search(world, settings)
        answer, cost = result.answers[0], result.cost
        found = Outcome(
            _regret(problem, answer), cost["total"], cost["total"] - cost["confirm"], answer.verdict
        )
        return found if answer.confirmed is None else replace(found, **_coverage(problem, answer))
    call = getattr(baselines, method)
    key = (
        call(world, *setting, seed=seed)
        if method in ("random_search", "tpe_search")
        else call(world, *setting)
    )
    return Outcome(truth(problem).means[key[0].name, key[1]] / truth(problem).best, world.spent, world.spent)


def _regret(problem: str, answer: Answer) -> float:
    if answer.candidate is None or answer.period is None:
        return float("inf")
    return truth(problem).means[answer.candidate.name, answer.period] / truth(problem).best


def _coverage(problem: str, answer: Answer) -> dict[str, bool]:
    """Whether the interval holds the truth, as printed and for dealing without replacement."""
    found, name = answer.confirmed, answer.candidate.name
    exact = truth(problem).unperturbed / truth(problem).means[name, answer.period]
    supply = (recorded(problem, name, answer.period), recorded(problem, None, None))
    parts = [(side.stderr / side.value) ** 2 for side in (found.mean, found.unperturbed)]
    left = [1 - runs / every for runs, every in zip(found.runs, supply, strict=True)]
    kept = sum(part * rest for part, rest in zip(parts, left, strict=True))
    narrower = np.sqrt(kept / sum(parts)) if sum(parts) else 1.0
    value, low, high = found.speedup.value, found.speedup.low, found.speedup.high
    return {
        "covered": bool(low <= exact <= high),
        "corrected": bool(value * (low / value) ** narrower <= exact <= value * (high / value) ** narrower),
    }


def replays(problem: str, method: str, setting: tuple[int, ...], seeds: Sequence[int]) -> list[Outcome]:
    """Replays with these seeds, in two processes; progress on the standard error."""
    start = time.perf_counter()
    once = partial(run_method, problem, method, setting)
    found = list(pool().map(once, seeds, chunksize=max(1, min(8, len(seeds) // (2 * WORKERS)))))
    values = np.array([each.regret for each in found])
    print(
        f"{problem:14s} {method:18s} {setting!s:12s} {len(found):4d} replays, regret {quantile(values, 0.5):.3f} "
        f"{quantile(values, 0.9):.3f}, {np.median([each.search for each in found]):8.0f} epochs, "
        f"{time.perf_counter() - start:6.1f} s",
        file=sys.stderr,
        flush=True,
    )
    return found


_POOL: list[ProcessPoolExecutor] = []


def pool() -> ProcessPoolExecutor:
    """The two processes, started when first needed."""
    if not _POOL:
        _POOL.append(ProcessPoolExecutor(WORKERS))
    return _POOL[0]


def quantile(values: np.ndarray, share: float) -> float:
    """Quantile by the next larger value, so that infinite regrets stay infinite."""
    return float(np.quantile(values, share, method="higher"))
