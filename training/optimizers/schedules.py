"""Learning-rate schedules: the factor of the learning rate as a function of the epochs since the start.

A warm restart sets a run's count of epochs back to zero; there is no other state.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from training.checks import check_number
from training.protocols import check_epochs


class Schedule(ABC):
    """Factor of the learning rate, epoch by epoch."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @abstractmethod
    def factor(self, age: int) -> float:
        """Return the factor in the epoch that follows ``age`` epochs since start or warm restart."""


@dataclass(frozen=True, slots=True)
class Constant(Schedule):
    """Constant learning rate."""

    def factor(self, age: int) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True, slots=True)
class Cosine(Schedule):
    """Half a cosine from 1 to ``floor`` over ``epochs`` epochs, then ``floor`` (arXiv:1608.03983).

    Examples
    --------
    >>> [round(Cosine(epochs=4).factor(age), 3) for age in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    epochs: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        check_epochs("epochs", self.epochs)
        check_number("floor", self.floor)
        if not 0 <= self.floor <= 1:
            raise ValueError(f"`floor` must be a factor between 0 and 1, got {self.floor}")

    def factor(self, age: int) -> float:
        """Return the factor in the epoch that follows ``age`` epochs since start or warm restart."""
        done = min(1.0, age / self.epochs)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, slots=True)
class Step(Schedule):
    """The factor is multiplied by ``factor_per_step`` every ``epochs`` epochs."""

    epochs: int
    factor_per_step: float = 0.1

    def __post_init__(self) -> None:
        check_epochs("epochs", self.epochs)
        check_number("factor_per_step", self.factor_per_step)
        if not 0 < self.factor_per_step <= 1:
            raise ValueError(f"`factor_per_step` must be above 0 and at most 1, got {self.factor_per_step}")

    def factor(self, age: int) -> float:
        """Return the factor in the epoch that follows ``age`` epochs since start or warm restart."""
        return self.factor_per_step ** (age // self.epochs)
