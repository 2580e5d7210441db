"""Stochastic resetting: to the start, to a point, or to a law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stochreset.kernels.moves import AFFINE, FARTHEST, RESTART, TABLE, Move
from stochreset.laws import POINTS, is_law
from stochreset.perturbations.base import Perturbation, check_finite


@dataclass(frozen=True, slots=True)
class Reset(Perturbation):
    """Full reset.

    Attributes
    ----------
    to : None, float or frozen scipy.stats distribution
        Where to: the start of the process (None, the default), a position, or a law of positions. A law is
        tabulated by its quantiles on 16,385 points and interpolated linearly in the normal score.
    """

    to: Any = None

    def __post_init__(self) -> None:
        if self.to is not None and not is_law(self.to):
            check_finite("to", self.to, "None (the start), a frozen scipy.stats distribution, or a position")

    def move(self) -> Move:
        """Return the perturbation as data for the kernels."""
        if self.to is None:
            return Move(RESTART)
        if not is_law(self.to):
            return Move(AFFINE, scale=0.0, shift=float(self.to))
        from scipy.special import ndtr

        z = np.linspace(-FARTHEST, FARTHEST, POINTS)
        table = np.where(z < 0, self.to.ppf(ndtr(z)), self.to.isf(ndtr(-z)))
        if not np.isfinite(table).all():
            raise ValueError("`to` must be a law of finite positions; truncate it")
        return Move(TABLE, table=table)
