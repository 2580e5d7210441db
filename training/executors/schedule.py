"""The bookkeeping of `run_units`: which units are ready, what became of the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from training.executors.attempt import UnitSkipped
from training.executors.units import Event, EventKind, Outcome, Unit, check_units


class Schedule:
    """The state of a set of units; knows nothing of executors.

    Parameters
    ----------
    units
        Checked by `check_units`.
    retries
        How often a unit that was lost with its worker is started again.
    on_event
        Called for every step of a unit.

    Attributes
    ----------
    ready
        Units that can start now.
    outcomes
        Those of the units that are over.
    """

    def __init__(self, units: Sequence[Unit], retries: int, on_event: Callable[[Event], None] | None) -> None:
        check_units(units)
        if retries < 0:
            raise ValueError(f"`retries` must be 0 or more; got {retries}")
        self._retries = retries
        self._on_event = on_event
        self._attempts = {unit.name: 0 for unit in units}
        self._missing = {unit.name: set(unit.after) for unit in units}
        self._followers: dict[str, list[Unit]] = {unit.name: [] for unit in units}
        for unit in units:
            for name in set(unit.after):
                self._followers[name].append(unit)
        self.ready = deque(unit for unit in units if not unit.after)
        self.outcomes: dict[str, Outcome] = {}

    def is_last_chance(self, unit: Unit) -> bool:
        """Whether the present attempt at ``unit``, or the next one if it is ready, is a repeated one and the last."""
        attempt = self._attempts[unit.name] + (unit in self.ready)
        return 1 < attempt == self._retries + 1

    def start(self) -> Unit:
        """Take the next ready unit."""
        unit = self.ready.popleft()
        self._attempts[unit.name] += 1
        self._emit("submitted", unit)
        return unit

    def succeed(self, unit: Unit, value: Any) -> None:
        """Note that ``unit`` is done; units that waited for it become ready."""
        self.outcomes[unit.name] = Outcome(unit.name, "done", value, attempts=self._attempts[unit.name])
        for follower in self._followers[unit.name]:
            self._missing[follower.name].discard(unit.name)
            if not self._missing[follower.name] and follower.name not in self.outcomes:
                self.ready.append(follower)
        self._emit("done", unit)

    def lose(self, unit: Unit, error: BaseException) -> None:
        """Note that the worker of ``unit`` was lost: it is ready again, or has failed for good."""
        if self._attempts[unit.name] > self._retries:
            self.fail(unit, error)
        else:
            self.ready.append(unit)
            self._emit("retried", unit, error)

    def fail(self, unit: Unit, error: BaseException) -> None:
        """Note that ``unit`` has failed, and skip all that come after it."""
        self.outcomes[unit.name] = Outcome(unit.name, "failed", None, error, self._attempts[unit.name])
        self._emit("failed", unit, error)
        causes = [unit]
        while causes:
            cause = causes.pop()
            for follower in self._followers[cause.name]:
                if follower.name in self.outcomes:
                    continue
                what = "failed" if cause is unit else "was skipped"
                reason = UnitSkipped(f"unit {follower.name!r} comes after {cause.name!r}, which {what}")
                reason.__cause__ = error
                self.outcomes[follower.name] = Outcome(follower.name, "skipped", None, reason)
                self._emit("skipped", follower, reason)
                causes.append(follower)

    def _emit(self, kind: EventKind, unit: Unit, error: BaseException | None = None) -> None:
        if self._on_event is not None:
            self._on_event(Event(kind, unit.name, self._attempts[unit.name], error))
