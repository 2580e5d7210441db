"""Partial resetting."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.moves import AFFINE, Move
from stochreset.perturbations.base import Perturbation, check_finite


@dataclass(frozen=True, slots=True)
class PartialReset(Perturbation):
    """x -> factor * x: a full reset to 0 for factor 0, nothing for factor 1."""

    factor: float

    def __post_init__(self) -> None:
        check_finite("factor", self.factor, "the factor of x -> factor * x")

    def move(self) -> Move:
        """Return the perturbation as data for the kernels."""
        return Move(AFFINE, scale=float(self.factor))
