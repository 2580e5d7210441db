"""Sharp protocol: perturbations at equal intervals."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.clocks import FIXED, Clock
from stochreset.protocols.base import Protocol, check_positive


@dataclass(frozen=True, slots=True)
class Periodic(Protocol):
    """Perturbations at ``period``, ``2 * period``, ... after the start (sharp resetting)."""

    period: float

    def __post_init__(self) -> None:
        check_positive("period", self.period, "the time between perturbations")

    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""
        return Clock(FIXED, float(self.period))

    @property
    def longest(self) -> float:
        """Longest interval between perturbations: each is of this length."""
        return float(self.period)
