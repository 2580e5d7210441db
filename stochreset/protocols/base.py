"""What all protocols have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

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

    @property
    def longest(self) -> float:
        """Longest interval between perturbations, in the process's unit of time."""
        return math.inf


def check_positive(argument: str, value: float, what: str, infinite: bool = False) -> None:
    """Raise unless ``value`` is a positive number, and finite unless that is not asked for."""
    try:
        number = float(value) if np.ndim(value) == 0 and not isinstance(value, str | bytes) else math.nan
    except (TypeError, OverflowError):
        number = math.nan
    if not (number > 0 and (infinite or math.isfinite(number))):
        kind = "a positive number" if infinite else "a positive finite number"
        raise ValueError(f"`{argument}` must be {what}, {kind}, got {value!r}")
