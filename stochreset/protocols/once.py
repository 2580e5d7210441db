"""One perturbation at a given time."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.clocks import ONCE, Clock
from stochreset.protocols.base import Protocol, check_positive


@dataclass(frozen=True, slots=True)
class Once(Protocol):
    """A single perturbation ``time`` after the start, in the process's unit of time."""

    time: float

    def __post_init__(self) -> None:
        check_positive("time", self.time, "the time of the perturbation")

    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""
        return Clock(ONCE, float(self.time))

    @property
    def endless(self) -> bool:
        """Whether perturbations go on for ever."""
        return False
