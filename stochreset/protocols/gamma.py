"""Gamma-distributed intervals, between Poisson (shape 1) and sharp (shape to infinity)."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.clocks import GAMMA, Clock
from stochreset.protocols.base import Protocol, check_positive


@dataclass(frozen=True, slots=True)
class Gamma(Protocol):
    """Gamma-distributed intervals of mean ``shape * scale`` and CV ``1 / sqrt(shape)``."""

    shape: float
    scale: float

    def __post_init__(self) -> None:
        check_positive("shape", self.shape, "the shape of the gamma law")
        check_positive("scale", self.scale, "the scale of the gamma law")

    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""
        return Clock(GAMMA, float(self.shape), float(self.scale))
