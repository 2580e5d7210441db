"""Units of work, what becomes of them, and what is reported meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

Status = Literal["done", "failed", "skipped"]
EventKind = Literal["submitted", "done", "failed", "retried", "skipped"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work of a study.

    Parameters
    ----------
    name
        Unique among the units that are run together.
    call
        Picklable and idempotent: it may be started again after the machine that ran it was lost.
    arguments
        Positional arguments of ``call``, picklable.
    after
        Names of the units that must have succeeded before this one starts.
    """

    name: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a unit.

    Attributes
    ----------
    name
        Of the unit.
    status
        ``done``, ``failed``, or ``skipped`` because a unit that it comes after did not succeed.
    value
        What the call returned; None unless done.
    error
        What the call or its machine raised; the reason if skipped; None if done.
    attempts
        How often the unit was started.
    """

    name: str
    status: Status
    value: Any = None
    error: BaseException | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A step of a unit, for a progress bar: ``error`` says why it was retried, has failed or was skipped."""

    kind: EventKind
    name: str
    attempts: int = 0
    error: BaseException | None = None


def check_units(units: Sequence[Unit]) -> None:
    """Check that names are unique, that dependencies exist, and that they do not form a circle.

    Raises
    ------
    ValueError
        If not; the message names the units.
    """
    names = Counter(unit.name for unit in units)
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise ValueError(
            f"`units` must have unique names; more than one is called {', '.join(map(repr, twice))}"
        )
    for unit in units:
        if isinstance(unit.after, str):
            raise ValueError(f"`after` of unit {unit.name!r} must be a tuple of names; got {unit.after!r}")
        if missing := [name for name in unit.after if name not in names]:
            raise ValueError(
                f"`after` of unit {unit.name!r} must name other units of the study; there is no {missing[0]!r}. "
                "Add that unit, or remove the name"
            )
    try:
        TopologicalSorter({unit.name: unit.after for unit in units}).prepare()
    except CycleError as error:
        circle = " after ".join(map(repr, reversed(error.args[1])))
        raise ValueError(f"`units` must not wait for each other in a circle; got {circle}") from None
