"""When a training run is perturbed: at which epochs, counted from 1.

A perturbation at epoch ``e`` comes after the metrics of epoch ``e`` have been recorded. Intervals between
perturbations are whole epochs, at least one; random ones are functions of the run's seed and of their number
alone, so that a run that is continued or branched off keeps its times.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from theory.protocols import IntervalLaw
from training.checks import check_count
from training.streams import PROTOCOL, stream

LOWEST_RATE = 1e-300
"""Below it intervals exceed the largest float."""


class Protocol(ABC):
    """A law of the intervals between perturbations."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    kind: ClassVar[str]

    @abstractmethod
    def interval(self, seed: int, number: int) -> int | None:
        """Return the epochs from the perturbation before to number ``number`` (from 1), None for no more."""

    @property
    def label(self) -> str:
        """What the protocol is called in the name of an ensemble."""
        values = [f"{getattr(self, each.name):g}" for each in fields(self)]
        return "-".join([self.kind, *values])

    def settings(self) -> dict[str, Any]:
        """Return kind and settings, ready for JSON."""
        return {"kind": self.kind, **{each.name: getattr(self, each.name) for each in fields(self)}}

    def epochs(self, seed: int, until: int) -> list[int]:
        """Return the epochs of all perturbations of one run before epoch ``until``.

        Examples
        --------
        >>> Periodic(20).epochs(seed=1, until=60)
        [20, 40]
        """
        found: list[int] = []
        epoch, number = 0, 1
        while (step := self.interval(seed, number)) is not None and (epoch := epoch + step) < until:
            found.append(epoch)
            number += 1
        return found


@dataclass(frozen=True, slots=True)
class Never(Protocol):
    """No perturbation."""

    kind: ClassVar[str] = "never"

    def interval(self, seed: int, number: int) -> int | None:
        """Return the epochs from the perturbation before to number ``number``, None for no more."""
        return None


@dataclass(frozen=True, slots=True)
class Periodic(Protocol):
    """Sharp protocol: perturbations every ``period`` epochs, the first one at ``first`` (default: ``period``)."""

    kind: ClassVar[str] = "periodic"
    period: int
    first: int | None = None

    def __post_init__(self) -> None:
        check_epochs("period", self.period)
        object.__setattr__(self, "period", int(self.period))
        if self.first is not None:
            check_epochs("first", self.first)
            object.__setattr__(self, "first", int(self.first))
        if self.first == self.period:
            object.__setattr__(self, "first", None)

    def interval(self, seed: int, number: int) -> int | None:
        """Return the epochs from the perturbation before to number ``number``, None for no more."""
        return self.first if number == 1 and self.first is not None else self.period

    @property
    def label(self) -> str:
        """The period, and the first epoch where that is another one: ``20`` or ``20@60``."""
        return str(self.period) if self.first is None else f"{self.period}@{self.first}"


@dataclass(frozen=True, slots=True)
class Once(Protocol):
    """A single perturbation, at ``epoch``."""

    kind: ClassVar[str] = "once"
    epoch: int

    def __post_init__(self) -> None:
        check_epochs("epoch", self.epoch)
        object.__setattr__(self, "epoch", int(self.epoch))

    def interval(self, seed: int, number: int) -> int | None:
        """Return the epochs from the perturbation before to number ``number``, None for no more."""
        return self.epoch if number == 1 else None


@dataclass(frozen=True, slots=True)
class Poisson(Protocol):
    """Perturbations at ``rate`` per epoch: exponential intervals, rounded up to whole epochs."""

    kind: ClassVar[str] = "poisson"
    rate: float

    def __post_init__(self) -> None:
        number = isinstance(self.rate, Real) and not isinstance(self.rate, bool)
        if not (number and math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"`rate` must be positive, in perturbations per epoch, got {self.rate!r}")
        if self.rate < LOWEST_RATE:
            raise ValueError(
                f"`rate` must be at least {LOWEST_RATE:g} perturbations per epoch, got {self.rate!r}; for unperturbed "
                "runs leave out perturbation and protocol"
            )
        object.__setattr__(self, "rate", float(self.rate))

    def interval(self, seed: int, number: int) -> int | None:
        """Return the epochs from the perturbation before to number ``number``, None for no more."""
        return max(1, math.ceil(stream(seed, PROTOCOL, number).exponential(1 / self.rate)))


@dataclass(frozen=True, slots=True)
class Renewal(Protocol):
    """Independent intervals of any law, such as ``theory.protocols.renewal(scipy.stats.gamma(4, scale=5))``."""

    kind: ClassVar[str] = "renewal"
    law: IntervalLaw

    def __post_init__(self) -> None:
        if not isinstance(self.law, IntervalLaw):
            raise ValueError(
                "`law` must be a theory.protocols.IntervalLaw, such as "
                f"theory.protocols.renewal(scipy.stats.gamma(4, scale=5)), got {self.law!r}"
            )

    def interval(self, seed: int, number: int) -> int | None:
        """Return the epochs from the perturbation before to number ``number``, None for no more."""
        # The interval is longer than t with probability `beyond[t]`, which falls.
        survives = self.law.beyond > stream(seed, PROTOCOL, number).random()
        return int(np.count_nonzero(survives))

    @property
    def label(self) -> str:
        """Name of the law, without spaces, and its mean."""
        return f"{self.law.name.split()[0]}-{self.law.beyond.sum():.4g}"

    def settings(self) -> dict[str, Any]:
        """Return kind, name of the law and the probabilities of its intervals, ready for JSON."""
        return {"kind": self.kind, "law": self.law.name, "beyond": self.law.beyond.tolist()}


def check_epochs(argument: str, value: int, unit: str = "epochs") -> None:
    """Raise unless ``value`` is a whole number of at least 1."""
    check_count(argument, value, unit=unit)
