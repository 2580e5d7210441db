"""A toy that is exactly cycle-renewal, so that every mean is a sum of products of its hazards.

Unperturbed, the hazard is 0 for 5 epochs, then 0.01 per epoch; after each perturbation 0 for 3 epochs, 0.15 for 5, then
0.01. A trace is 0 before the arrival and 1 from it on; the threshold is 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory import Ensemble, QuasiSteadyState, ValidRange

FREE = np.r_[np.zeros(5), np.full(395, 0.01)]
AFTER = np.r_[np.zeros(3), np.full(5, 0.15), np.full(400, 0.01)]
PERIOD, HORIZON = 20, FREE.size
THRESHOLD = 1.0

Array = NDArray[np.float64]


def survival(hazard: Array) -> Array:
    """S(t) for t = 0 .. epochs."""
    return np.r_[1.0, np.cumprod(1 - hazard)]


def hazard(period: int | None, epochs: int = HORIZON) -> Array:
    """Hazard of each epoch from 1 on."""
    t = np.arange(1, epochs + 1)
    free = np.r_[FREE, np.full(max(0, epochs - HORIZON), 0.01)][:epochs]
    return free if period is None else np.where(t <= period, free, AFTER[(t - 1) % period])


def exact_tau(period: int) -> float:
    """Mean residual time after the first perturbation, epochs."""
    lived = survival(AFTER[:period])
    return float(lived[:-1].sum() / (1 - lived[-1]))


def exact_mean(period: int) -> float:
    """Mean first-passage time under a period, epochs."""
    free = survival(FREE[:period])
    return float(free[:-1].sum() + free[-1] * exact_tau(period))


def exact_restricted(period: int | None, horizon: int) -> float:
    """Mean of min(T, horizon), epochs."""
    return float(survival(hazard(period, horizon))[:horizon].sum())


def ensemble(runs: int, period: int | None, rng: np.random.Generator, first_seed: int = 0) -> Ensemble:
    """Runs of the toy."""
    arrived = np.cumsum(rng.random((runs, HORIZON)) < hazard(period), axis=1) > 0
    name = None if period is None else "kick"
    return Ensemble(
        arrived.astype(float), np.arange(first_seed, first_seed + runs), perturbation=name, period=period
    )


def limits() -> ValidRange:
    """Range in which predictions are valid: from 9 epochs on."""
    reached = QuasiSteadyState("reached", 6, HORIZON, 0.1, "", np.array([6]), np.zeros(1), np.ones(1))
    return ValidRange(PERIOD, HORIZON, reached, 5, 9)
