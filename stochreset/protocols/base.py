"""What all protocols have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

from stochreset.kernels.clocks import Clock
from stochreset.kernels.conditions import Within


class Protocol(ABC):
    """When perturbations come: a law of the intervals between them, and perhaps a condition on the state."""

    __slots__ = ()

    @abstractmethod
    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""

    def condition(self) -> Any:
        """Return the condition on the state as data for the kernels."""
        return Within()

    @property
    def endless(self) -> bool:
        """Whether perturbations go on for ever, so that every run that can arrive after one does."""
        return True


def check_positive(argument: str, value: float, what: str) -> None:
    """Raise unless ``value`` is a positive finite number."""
    try:
        good = math.isfinite(value) and value > 0
    except TypeError:
        good = False
    if not good:
        raise ValueError(f"`{argument}` must be {what}, a positive finite number, got {value!r}")
