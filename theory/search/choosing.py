"""Which candidate and period to measure next, and when to stop.

The next measurement is that of the largest augmented expected improvement (Huang, Allen, Notz and Zeng, J. Glob.
Optim. 34, 441 (2006)) per epoch. With f the logarithm of the mean, m* the posterior mean at the best effective
solution, s the posterior and e the sampling standard deviation of the batch,

    AEI = [(m* - m) Phi(z) + s phi(z)] (1 - e / sqrt(s^2 + e^2)),    z = (m* - m) / s.

Whether to go on at all is another question: a single run tells little where runs scatter much, yet many of them would
tell. A point stays open as long as E[(f* - f)_+], what is expected to be lost by keeping the best one instead, is
at least the ``gain`` of the settings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from theory.search.evidence import Key, Point
from theory.search.settings import SearchSettings
from theory.search.surrogate import Surrogate

CAP = 3.0
"""A run is given up after this many times the mean expected of it, or the best one known where that is less.

The candidate is then likely worse than was thought; where it still promises most, the next run may go on for longer.
"""
CONVINCED = 4
"""The best point found is not believed before so many of its runs have arrived."""

Array = NDArray[np.float64]


def augmented_improvement(best: float, mean: Array, std: Array, noise: Array) -> Array:
    """Augmented expected improvement below ``best``; see the head of this file."""
    safe = np.maximum(std, 1e-12)
    z = (best - mean) / safe
    expected = (best - mean) * ndtr(z) + safe * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    augmented: Array = expected * (1 - noise / np.sqrt(safe**2 + noise**2))
    return augmented


def best_key(surrogate: Surrogate, points: dict[Key, Point]) -> Key | None:
    """Measured candidate and period of the smallest posterior mean."""
    rows = [row for row, key in enumerate(surrogate.keys) if key in points]
    return surrogate.keys[min(rows, key=lambda row: surrogate.mean[row])] if rows else None


def longest_run(surrogate: Surrogate, points: dict[Key, Point], key: Key) -> int | None:
    """Epochs after which a run at ``key`` is given up; None before anything is measured."""
    best = best_key(surrogate, points)
    if best is None:
        return None
    expected = min(surrogate.at(best)[0], surrogate.at(key)[0])
    return int(np.ceil(CAP * np.exp(expected))) + key[1]


def choose(
    surrogate: Surrogate, points: dict[Key, Point], left: int, exhausted: set[Key], settings: SearchSettings
) -> tuple[Key, str] | None:
    """Candidate and period to measure next, and why; None where nothing promises enough.

    Parameters
    ----------
    surrogate : Surrogate
        What is known.
    points : dict
        What has been measured.
    left : int
        Epochs left to spend; the cheapest point may cost more.
    exhausted : set
        Points of which no more runs are to be had.
    settings : SearchSettings
        Batch and least gain.
    """
    leader = best_key(surrogate, points)
    if leader is not None and points[leader].informative < CONVINCED and leader not in exhausted:
        return (
            leader,
            f"the best so far, of which {points[leader].informative:.3g} runs arrived: too few to believe it",
        )
    measured = np.array([key in points for key in surrogate.keys])
    best = _best_effective(surrogate, measured)
    noise = np.full(surrogate.mean.size, surrogate.noise / np.sqrt(settings.batch))
    improvement = augmented_improvement(best, surrogate.mean, surrogate.std, noise)
    loss = _expected_loss(surrogate, measured)
    periods = np.array([period for _, period in surrogate.keys])
    cost = settings.batch * np.maximum(1.0, np.minimum(np.exp(surrogate.mean), CAP * np.exp(best) + periods))
    available = np.array([key not in exhausted for key in surrogate.keys])
    affordable = cost <= max(left, np.min(cost, where=available, initial=np.inf))
    worth = np.where(available & affordable & (loss >= settings.gain), improvement / cost, 0.0)
    row = int(np.argmax(worth))
    if not worth[row] > 0:
        return None
    return surrogate.keys[row], f"may shorten the mean by {loss[row]:.1%} for about {cost[row]:.0f} epochs"


def _best_effective(surrogate: Surrogate, measured: NDArray[np.bool_]) -> float:
    """Posterior mean at the measured point that is surely short; without any, what is surely within reach."""
    upper = surrogate.mean + surrogate.std
    if not measured.any():
        return float(upper.min())
    return float(surrogate.mean[np.argmin(np.where(measured, upper, np.inf))])


def _expected_loss(surrogate: Surrogate, measured: NDArray[np.bool_]) -> Array:
    """What is expected to be lost by the best measured point against each, (keys,), in ln of the mean.

    Against itself it is the largest of all: to know it better tells as much as to know the others. Without any
    measured point, the standard deviations.
    """
    mean, std = surrogate.mean, surrogate.std
    if not measured.any():
        return std
    best = int(np.argmin(np.where(measured, mean, np.inf)))
    loss = augmented_improvement(mean[best], mean, np.hypot(std, std[best]), np.zeros(mean.size))
    loss[best] = np.max(np.delete(loss, best), initial=0.0)
    return loss
