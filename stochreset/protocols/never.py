"""No perturbation."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.clocks import NEVER, Clock
from stochreset.protocols.base import Protocol


@dataclass(frozen=True, slots=True)
class Never(Protocol):
    """No perturbation: the unperturbed process."""

    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""
        return Clock(NEVER)

    @property
    def endless(self) -> bool:
        """Whether perturbations go on for ever."""
        return False
