"""Kick: a displacement, random or not."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.moves import AFFINE, Move
from stochreset.perturbations.base import Perturbation, check_finite


@dataclass(frozen=True, slots=True)
class Kick(Perturbation):
    """x -> x + shift + noise * xi, with xi standard normal."""

    noise: float = 0.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        check_finite("noise", self.noise, "the standard deviation of the kick", negative=False)
        check_finite("shift", self.shift, "the mean displacement")

    def move(self) -> Move:
        """Return the perturbation as data for the kernels."""
        return Move(AFFINE, shift=float(self.shift), noise=float(self.noise))
