"""Shrink and perturb."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.moves import AFFINE, Move
from stochreset.perturbations.base import Perturbation, check_finite


@dataclass(frozen=True, slots=True)
class ShrinkPerturb(Perturbation):
    """x -> shrink * x + noise * xi, with xi standard normal (arXiv:2502.04121)."""

    shrink: float
    noise: float

    def __post_init__(self) -> None:
        check_finite("shrink", self.shrink, "the factor on x")
        check_finite("noise", self.noise, "the standard deviation of the noise", negative=False)

    def move(self) -> Move:
        """Return the perturbation as data for the kernels."""
        return Move(AFFINE, scale=float(self.shrink), noise=float(self.noise))
