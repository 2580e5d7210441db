"""A table of a configuration, and how it becomes a dataclass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from training.config.errors import Source, did_you_mean, listed, show
from training.config.lines import Place
from training.config.values import arguments, choice, convert, required
from training.study.settings import TrainingStudy

T = TypeVar("T")
PATHS = ("root",)
"""Keys that hold a path to what is only taken as data, which may lie anywhere."""
INNER_PATHS = ("checkpoint", "log_folder")
"""Keys that hold a path to what is loaded into a network, or written, which must lie in the folder of the file."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, where it stands, and where to complain.

    Attributes
    ----------
    values : dict of str to value
        As tomllib reads them.
    source : Source
        The file, which collects the problems.
    place : tuple of str and int
        Path to the table in the file, empty for the file itself.
    title : str
        What messages call it.
    """

    values: dict[str, Any]
    source: Source
    place: Place = ()
    title: str = ""

    def complain(self, message: str, key: str | None = None) -> None:
        """Note a problem of a key, or of the table as a whole."""
        place = self.place if key is None else (*self.place, key)
        self.source.complain(f"{self.title} {message}".lstrip(), place)

    def report(self, problem: ValueError, keys: Iterable[str], otherwise: str | None = None) -> str | None:
        """Note what a dataclass complains about, at the first of ``keys`` that it names, which is returned."""
        named = re.findall(r"`(\w+)`", str(problem))
        key = next((name for name in named if name in keys), otherwise)
        self.complain(str(problem).replace("`", ""), key)
        return key

    def check_keys(self, known: Iterable[str], needed: Iterable[str] = ()) -> None:
        """Complain of keys that are not known, and of those that are needed but not there."""
        names = list(known)
        subject = "" if self.title else "the file "
        for key in [each for each in self.values if each not in names]:
            near = did_you_mean(key, names) or _elsewhere(key, self.place)
            self.complain(f"{subject}has no key {show(key)}; {near}It has: {listed(names)}", key)
        for key in sorted(needed):
            if key not in self.values:
                self.complain(f"{subject}lacks the key {key}; it has: {listed(self.values)}")

    def read(self, hints: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the values that have the type asked for; complain of those that have not."""
        values = {}
        for key, hint in hints.items():
            if key in self.values:
                try:
                    values[key] = convert(self.values[key], hint)
                    if key in PATHS:
                        values[key] = self.source.resolve(values[key])
                    elif key in INNER_PATHS:
                        values[key] = self.source.resolve_inside(values[key])
                except ValueError as problem:
                    values.pop(key, None)
                    self.complain(f"{key} {problem}", key)
        return values

    def build(
        self,
        make: Callable[..., T],
        hints: Mapping[str, Any] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> T | None:
        """Return what ``make`` makes of the values and of what else is given.

        After a complaint about a value it is tried again without it, to find all that is wrong at once. None where
        that is not possible.
        """
        hints = arguments(make) if hints is None else hints
        values = self.read(hints)
        spoiled = {key for key in hints if key in self.values and key not in values}
        while required(make) <= {**(given or {}), **values}.keys():
            try:
                return make(**{**(given or {}), **values})
            except ValueError as problem:
                named = set(re.findall(r"`(\w+)`", str(problem)))
                if named & spoiled:
                    key = next((name for name in values if name in named), None)
                else:
                    key = self.report(problem, values)
                if key is None:
                    return None
                del values[key]
                spoiled.add(key)
        return None

    def choose(self, key: str, makers: Mapping[str, Any]) -> Any:
        """Return that of ``makers`` which a key names; None, with a complaint, where it names none."""
        if key not in self.values:
            self.check_keys(self.values, [key])
        name = self.read({key: choice(makers)}).get(key)
        return None if name is None else makers[name]

    def make(self, makers: Mapping[str, Any]) -> Any:
        """Return the settings of the kind that the table names; None, with complaints, where it is not sound."""
        make = self.choose("kind", makers)
        return None if make is None else self.fill(make, also=["kind"])

    def fill(
        self, make: Callable[..., T], hints: Mapping[str, Any] | None = None, also: Iterable[str] = ()
    ) -> T | None:
        """Return what ``make`` makes of the values, which may hold no other keys than these and ``also``."""
        self.check_keys([*also, *(hints or arguments(make))], required(make))
        return self.build(make, hints)

    def table(self, key: str) -> Table:
        """Return the table of a name, which is empty where there is none."""
        value = self.values.get(key, {})
        title = f"{self.title} {key}" if self.title else f"[{key}]"
        if not isinstance(value, dict):
            form = f"a table [{key}]" if not self.place else "a table"
            self.complain(f"{key} must be {form}, got {_got(key, value)}", key)
            value = {}
        return Table(value, self.source, (*self.place, key), title)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of an array."""
        value = self.values.get(key, [])
        title = f"{self.title} {key}" if self.title else f"[[{key}]]"
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            form = f"tables [[{key}]]" if not self.place else "a list of tables"
            got = f"a table [{key}]" if isinstance(value, dict) and not self.place else show(value)
            self.complain(f"{key} must be {form}, got {got}", key)
            return []
        return [Table(each, self.source, (*self.place, key, at), title) for at, each in enumerate(value)]


def _got(key: str, value: Any) -> str:
    many = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
    return f"[[{key}]]" if many else show(value)


def _elsewhere(key: str, place: Place) -> str:
    if place and key in arguments(TrainingStudy):
        return f"{key} belongs at the top of the file, above the first table. "
    return ""
