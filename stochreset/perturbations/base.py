"""What all perturbations have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from stochreset.kernels.moves import Move


class Perturbation(ABC):
    """What is done to the state of a run, apart from when."""

    __slots__ = ()

    @abstractmethod
    def move(self) -> Move:
        """Return the perturbation as data for the kernels."""


def check_finite(argument: str, value: float, what: str, negative: bool = True) -> None:
    """Raise unless ``value`` is a finite number, and not negative unless that is allowed."""
    try:
        good = math.isfinite(value) and (negative or value >= 0)
    except (TypeError, OverflowError):
        good = False
    if not good:
        kind = "a finite number" if negative else "a finite number, not negative"
        raise ValueError(f"`{argument}` must be {what}, {kind}, got {value!r}")
