"""Informed protocol: perturb only where it helps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stochreset.kernels.clocks import Clock
from stochreset.kernels.conditions import Within, user_condition
from stochreset.protocols.base import Protocol


@dataclass(frozen=True, slots=True)
class Informed(Protocol):
    """Another protocol that acts only while a condition on the state holds.

    When the time of ``protocol`` comes and the condition does not hold, nothing happens and the next interval
    begins.

    Attributes
    ----------
    protocol : Protocol
        When to look.
    above, below : float
        Perturb only while above < x < below.
    when : callable, optional
        A plain function of x that returns a bool, compiled by numba; used instead of ``above`` and ``below``.
    """

    protocol: Protocol
    above: float = -math.inf
    below: float = math.inf
    when: Callable[[float], bool] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.protocol, Protocol) or isinstance(self.protocol, Informed):
            raise ValueError(f"`protocol` must be a protocol that is not informed, got {self.protocol!r}")
        for name in ("above", "below"):
            value = getattr(self, name)
            if not isinstance(value, int | float | np.number) or math.isnan(value):
                raise ValueError(f"`{name}` must be a position, a number, got {value!r}")
        bounded = math.isfinite(self.above) or math.isfinite(self.below)
        if self.when is None and not (bounded and self.above < self.below):
            raise ValueError(
                "`above` and `below` must bound a range in which to perturb, or `when` be given; got "
                f"above={self.above}, below={self.below}"
            )
        if self.when is not None and bounded:
            raise ValueError("`when` replaces `above` and `below`; give one or the other")

    def clock(self) -> Clock:
        """Return the law of the intervals as data for the kernels."""
        return self.protocol.clock()

    def condition(self) -> Any:
        """Return the condition on the state as data for the kernels."""
        if self.when is not None:
            return user_condition(self.when)
        return Within(float(self.above), float(self.below))

    @property
    def endless(self) -> bool:
        """Whether perturbations go on for ever."""
        return self.protocol.endless

    @property
    def longest(self) -> float:
        """Longest interval from one look to the next."""
        return self.protocol.longest
