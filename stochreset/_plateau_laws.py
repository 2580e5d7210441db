"""Exact first-passage laws of the mixture of plateaus, by sums over a grid of plateau levels.

The trapezoidal rule converges exponentially here: the integrands are entire functions of the level, Gaussian
at both ends, and smooth on the scale of the noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

if TYPE_CHECKING:
    from stochreset.plateaus import PlateauMixture

Array = NDArray[np.float64]
RANGE = 12.0  # half-width of the grid of levels, in standard deviations
NODES_PER_NOISE = 10.0
MOST_NODES, MOST_KERNEL_NODES = 200_000, 4_000
MOST_CYCLES = 100_000
PRECISION = 1e-12
RAREST_COMPLETION = 1e-9  # per cycle; below, the linear system for the mean is ill-conditioned
FARTHEST = 37.0  # standard deviations at which a Gaussian tail still is a normal floating-point number


@dataclass(frozen=True, slots=True)
class Levels:
    """Grid of levels in units of the spread, their probabilities, and what a perturbation does to both."""

    nodes: Array
    weights: Array
    memory: float
    kernel: Array | None  # [i, j]: Pr(level j after | level i before), only for 0 < memory < 1

    def perturb(self, alive: Array) -> Array:
        """Masses at the levels after a perturbation, from those before it."""
        if self.kernel is not None:
            return np.asarray(alive @ self.kernel)
        return alive if self.memory == 1 else alive.sum() * self.weights

    def mean_from_cycle(self, within: Array, completing: Array) -> Array:
        """Mean time to arrive from the start of a cycle at each level, when all further cycles are alike.

        Solves m = C + G·K·m, with C the mean time spent ``within`` a cycle, 1 - G the probability of
        ``completing`` in it and K the ``kernel``. Infinite where completion is too rare to be resolved.
        """
        if self.kernel is not None:
            if self.weights @ completing < RAREST_COMPLETION:
                return np.full(within.size, np.inf)
            system = np.eye(within.size) - (1 - completing)[:, None] * self.kernel
            return np.asarray(np.linalg.solve(system, within))
        if self.memory == 1:
            return np.asarray(within / completing)
        return within + (1 - completing) * (self.weights @ within) / (self.weights @ completing)


def levels(model: PlateauMixture, period: int | None, low: float = -RANGE) -> Levels:
    """Grid from ``low`` to `RANGE`, fine enough for the noise and for the memory."""
    memory = 1.0 if period is None else model.memory
    if model.plateau_spread == 0:
        return Levels(np.zeros(1), np.ones(1), 1.0, None)
    step = min(0.25, model.noise / model.plateau_spread / NODES_PER_NOISE)
    mixing = 0 < memory < 1
    if mixing:
        step = min(step, np.sqrt(1 - memory**2) / 2)
    size, most = int((RANGE - low) / step) + 2, MOST_KERNEL_NODES if mixing else MOST_NODES
    if size > most:
        raise ValueError(
            f"`noise` {model.noise} is too small against `plateau_spread` {model.plateau_spread}, or "
            f"`memory` {memory} too close to 1, for the exact law: it would need {size} levels, more than "
            f"{most}; use `simulate`"
        )
    nodes = np.linspace(low, RANGE, size)
    weights = np.exp(-(nodes**2) / 2)
    kernel = None
    if mixing:
        kernel = np.exp(-((nodes - memory * nodes[:, None]) ** 2) / (2 * (1 - memory**2)))
        kernel /= kernel.sum(axis=1, keepdims=True)
    return Levels(nodes, weights / weights.sum(), memory, kernel)


def distance(model: PlateauMixture, threshold: float, grid: Levels, cycle: int, since: float) -> Array:
    """Distance from the mean metric to the threshold in units of the noise, ``since`` epochs into a cycle."""
    plateaus = model.plateau_mean + cycle * model.gain + model.plateau_spread * grid.nodes
    return np.asarray((threshold - plateaus + model.recovery(cycle, since)) / model.noise)


def alive_masses(
    model: PlateauMixture, threshold: float, period: int | None, grid: Levels
) -> Iterator[Array]:
    """Probabilities of being alive on each level after epochs 0, 1, 2, ..., before any perturbation there."""
    alive = grid.weights
    for epoch in count():
        yield alive
        cycle, since = (0, epoch) if period is None else divmod(epoch, period)
        if cycle and since == 0:
            alive = grid.perturb(alive)
        alive = alive * ndtr(distance(model, threshold, grid, cycle, since + 1))


def survival(model: PlateauMixture, threshold: float, epochs: int, period: int | None) -> Array:
    """Pr(T > t) for t = 0..epochs."""
    masses = alive_masses(model, threshold, period, levels(model, period))
    return np.array([alive.sum() for alive in islice(masses, epochs + 1)])


def mean(model: PlateauMixture, threshold: float, period: int | None) -> float:
    """Mean first-passage time; raises where it is infinite or beyond floating point."""
    if period is not None and model.gain < 0:
        raise ValueError(
            f"the mean first-passage time is infinite: with `gain` {model.gain} every perturbation lowers "
            "the plateaus, and some runs never arrive; use `restricted_mean`"
        )
    frozen = period is None or (model.memory == 1 and model.gain == 0)
    grid = levels(model, period, lowest_level(model, threshold, period) if frozen else -RANGE)
    with np.errstate(divide="ignore"):
        if period is None:
            result = settled_mean(model, threshold, grid)
        else:
            result = cycle_mean(model, threshold, period, grid)
    if not np.isfinite(result):
        raise ValueError(
            f"`threshold` {threshold} is out of reach: the mean first-passage time is too long to be "
            "computed; lower the threshold, or use `restricted_mean`"
        )
    return result


def lowest_level(model: PlateauMixture, threshold: float, period: int | None) -> float:
    """Level below which nothing adds to the mean over frozen levels of 1 / hazard.

    With r = spread / noise and a the distance from the mean plateau, 1 / hazard grows as exp((a + r·|z|)²/2)
    against the Gaussian weight exp(-z²/2): the mean is finite only for r < 1, and then comes from levels
    around -a·r / (1 - r²), within a few 1 / sqrt(1 - r²).
    """
    r = model.plateau_spread / model.noise
    advice = "use `restricted_mean`, or a `period` with `memory` below 1 or a positive `gain`"
    if r >= 1:
        raise ValueError(
            f"the mean first-passage time does not converge: `plateau_spread` {model.plateau_spread} is not "
            f"below `noise` {model.noise}, and the plateaus stay as they are; {advice}"
        )
    short = threshold - model.plateau_mean + (0.0 if period is None else float(model.recovery(1, period)))
    offset = max(short / model.noise, 0.0)
    low = -offset * r / (1 - r**2) - RANGE / np.sqrt(1 - r**2)
    if r > 0 and max(-low, offset - r * low) > FARTHEST:
        raise ValueError(
            "the mean first-passage time is finite, but runs too rare for floating point dominate it: "
            f"`plateau_spread` {model.plateau_spread} is close to `noise` {model.noise}, or `threshold` "
            f"{threshold} far above the plateaus; {advice}"
        )
    return float(low)


def settled_mean(model: PlateauMixture, threshold: float, grid: Levels) -> float:
    """Mean without perturbation: sum until the rise is over, then geometric tails level by level."""
    masses = alive_masses(model, threshold, None, grid)
    plateau_hazard = ndtr(-distance(model, threshold, grid, 0, np.inf))
    total = 0.0
    for epoch in count(1):
        # From here on the hazard lies between that of this epoch and that of the plateau.
        alive = next(masses)
        longest = (alive / ndtr(-distance(model, threshold, grid, 0, epoch))).sum()
        shortest = (alive / plateau_hazard).sum()
        if np.isinf(shortest) or longest - shortest <= PRECISION * (total + shortest):
            break
        total += alive.sum()
    return float(total + shortest)


def cycle_mean(model: PlateauMixture, threshold: float, period: int, grid: Levels) -> float:
    """Mean under perturbation: cycle by cycle until all further cycles are alike or nobody is left."""
    total, alive = 0.0, grid.weights
    for cycle in range(MOST_CYCLES):
        within, completing = one_cycle(model, threshold, period, grid, cycle)
        if cycle and (model.gain == 0 or alive.sum() <= PRECISION * total):
            # Exact for cycles that are all alike; with a gain later ones are faster, and this is a bound.
            rest = float(alive @ grid.mean_from_cycle(within, completing))
            if model.gain == 0 or rest <= PRECISION * total:
                return total + rest
        total += float(alive @ within)
        alive = grid.perturb(alive * (1 - completing))
    return np.inf


def one_cycle(
    model: PlateauMixture, threshold: float, period: int, grid: Levels, cycle: int
) -> tuple[Array, Array]:
    """Mean time spent in a cycle, and the probability of completing in it, for each level at its start."""
    within, log_alive = np.zeros(grid.nodes.size), np.zeros(grid.nodes.size)
    for since in range(1, period + 1):
        within += np.exp(log_alive)
        log_alive += log_ndtr(distance(model, threshold, grid, cycle, since))
    return within, -np.expm1(log_alive)
