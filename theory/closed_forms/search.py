"""Global search for the best resetting rate or period: a grid in the logarithm, Brent's method, a Newton step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# A gain below this cannot be told from rounding.
LEAST_GAIN = 1e-10


def best_rate(log_mean: Callable[[Any], Any], unperturbed: float, time_scale: float) -> float:
    """Rate of least ``log_mean``; 0.0 if none is below the ``unperturbed`` mean."""
    log_rate = least(log_mean, np.arange(-30.0, 28.0, 0.4) - np.log(time_scale), unperturbed)
    return 0.0 if log_rate is None else float(np.exp(log_rate))


def best_period(log_mean: Callable[[Any], Any], unperturbed: float, time_scale: float) -> float:
    """Period of least ``log_mean``; infinite if none is below the ``unperturbed`` mean."""
    log_period = least(log_mean, np.arange(-9.0, 23.0, 0.5) + np.log(time_scale), unperturbed)
    return np.inf if log_period is None else float(np.exp(log_period))


def least(log_mean: Callable[[Any], Any], grid: Any, unperturbed: float) -> float | None:
    """Logarithm of the argument at the minimum, None unless it lies inside the grid and below ``unperturbed``."""
    values = log_mean(np.exp(grid))
    at = int(np.argmin(values))
    if at in (0, len(grid) - 1) or max(values[at - 1], values[at + 1]) < values[at] + LEAST_GAIN:
        return None
    from scipy import optimize

    found = optimize.minimize_scalar(
        lambda x: float(log_mean(np.exp(x))),
        bounds=(grid[at - 1], grid[at + 1]),
        method="bounded",
        options={"xatol": 1e-5},
    )
    gains = not np.isfinite(unperturbed) or found.fun < np.log(unperturbed) - LEAST_GAIN
    if not gains:
        return None
    # The flat minimum itself gives half the digits, differences over a wide stencil give nearly all.
    step = 3e-3
    f = log_mean(np.exp(found.x + step * np.arange(-2, 3)))
    slope = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * step)
    curvature = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * step**2)
    shift = slope / curvature if curvature > 0 else 0.0
    return float(found.x - (shift if abs(shift) < step else 0.0))
