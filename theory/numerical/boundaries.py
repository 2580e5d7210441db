r"""Where to end a coordinate that has no wall.

Started at s, a process with target T spends mean time at y in proportion to

    q(y) = e^{-U(y)/D} int_T^{min(y, s)} e^{U(z)/D} dz.

The grid ends where the time spent further out is a share of `NEGLIGIBLE` of the whole. That also bounds the
error of the mean under perturbations that do not throw the state further out than it goes by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theory.numerical.elimination import Array

NEGLIGIBLE = 1e-13
"""Share of the mean time that may be spent beyond the end of the grid."""

INSIDE, POINTS = 512, 4096
DOUBLINGS = 30


def natural_wall(energy: Callable[[Array], Any], target: float, start: float) -> float:
    """Position beyond ``start``, seen from ``target``, where the process is hardly ever.

    Parameters
    ----------
    energy : callable
        U / D of an array of positions that begins next to the target and moves away from it.
    target, start : float

    Raises
    ------
    ValueError
        If no such position is found: the potential does not confine. A second well behind a high barrier
        further out is not seen.
    """
    span = start - target
    for k in range(1, DOUBLINGS):
        inside = (np.arange(INSIDE) + 0.5) / INSIDE
        outside = 1 + (2.0**k - 1) * (np.arange(POINTS) + 0.5) / POINTS
        x = target + span * np.concatenate([inside, outside])
        # Logarithms of the widths, in units of the span.
        width = np.repeat(np.log([1 / INSIDE, (2.0**k - 1) / POINTS]), [INSIDE, POINTS])
        with np.errstate(all="ignore"):
            u = np.asarray(energy(x), dtype=float)
        if not np.isfinite(u).all():
            break
        climb = np.logaddexp.accumulate(np.where(np.arange(x.size) < INSIDE, u, -np.inf))
        time = climb - u + width
        beyond = np.logaddexp.accumulate(time[::-1])[::-1]
        share = beyond - beyond[0]
        last = x.size - POINTS // 8
        # A window is long enough if its last eighth hardly counts and the time there still falls.
        if share[last] < np.log(NEGLIGIBLE) - 5 and time[-1] < time[last]:
            return float(x[INSIDE:][np.argmax(share[INSIDE:] < np.log(NEGLIGIBLE))])
    raise ValueError(
        "`wall` must be given here: the process strays arbitrarily far from the target, so the grid has no "
        "natural end; set `wall` to where it hardly ever gets under the perturbation, and check by moving it"
    )
