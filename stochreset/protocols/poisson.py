"""Poisson protocol: perturbations at a constant rate."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.clocks import EXPONENTIAL, Clock
from stochreset.protocols.base import Protocol, check_positive


@dataclass(frozen=True, slots=True)
class Poisson(Protocol):
    """Perturbations at ``rate`` per unit of time, with exponential intervals."""

    rate: float

    def __post_init__(self) -> None:
        check_positive("rate", self.rate, "the number of perturbations per unit of time")

    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""
        return Clock(EXPONENTIAL, 1 / float(self.rate))
