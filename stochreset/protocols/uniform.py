"""Uniformly distributed intervals."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.clocks import UNIFORM, Clock
from stochreset.protocols.base import Protocol, check_positive


@dataclass(frozen=True, slots=True)
class Uniform(Protocol):
    """Intervals distributed uniformly between ``shortest`` and ``longest``."""

    shortest: float
    longest: float

    def __post_init__(self) -> None:
        check_positive("longest", self.longest, "the longest interval")
        try:
            good = 0 <= self.shortest <= self.longest
        except TypeError:
            good = False
        if not good:
            raise ValueError(
                f"`shortest` must lie between 0 and `longest` {self.longest}, got {self.shortest!r}"
            )

    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""
        return Clock(UNIFORM, float(self.shortest), float(self.longest))
