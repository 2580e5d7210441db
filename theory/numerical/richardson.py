r"""Extrapolate a result of second order in the grid spacing.

With q(h) = q + c h^2 + ..., the combination (4 q(h/2) - q(h)) / 3 is free of h^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from theory.numerical.fokker_planck import FokkerPlanck


@dataclass(frozen=True, slots=True)
class Extrapolated:
    """A result extrapolated to zero spacing.

    Attributes
    ----------
    value : float
        (4 fine - coarse) / 3 from n and 2 n cells.
    error : float
        Difference to the extrapolation from n / 2 and n cells, usually larger than the true error.
    order : float
        Observed order of convergence; about 2 where extrapolation is justified. NaN where the grids agree.
    fine : float
        Plain result on 2 n cells.
    """

    value: float
    error: float
    order: float
    fine: float


def richardson(problem: FokkerPlanck, quantity: Callable[[FokkerPlanck], float]) -> Extrapolated:
    """Extrapolate ``quantity`` from n / 2, n and 2 n cells, n the cells of ``problem``.

    Examples
    --------
    >>> free = FokkerPlanck(drift=lambda x: 0 * x, diffusion=1.0, target=1.0, start=0.3, wall=0.0, cells=64)
    >>> round(richardson(free, lambda p: p.chain.mfpt()).value, 9)
    0.455
    """
    n = int(problem.cells)
    if n % 2 or n < 16:
        raise ValueError(f"`problem` must have an even number of at least 16 cells, got {n}")
    low, middle, fine = (float(quantity(problem.with_cells(cells))) for cells in (n // 2, n, 2 * n))
    if not np.isfinite([low, middle, fine]).all():
        return Extrapolated(fine, float("nan"), float("nan"), fine)
    value = (4 * fine - middle) / 3
    error = abs(value - (4 * middle - low) / 3)
    ratio = (middle - low) / (fine - middle) if fine != middle else float("nan")
    return Extrapolated(value, error, float(np.log2(ratio)) if ratio > 0 else float("nan"), fine)
