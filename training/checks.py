"""Checks of arguments that all of `training` shares: counts, numbers, settings, and several of one kind."""

from __future__ import annotations

from numbers import Real
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
SHOWN = 200
"""Characters of a value in a message."""


def is_count(value: object, least: int = 1) -> bool:
    """Whether ``value`` is a whole number of at least ``least``."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def check_count(argument: str, value: object, least: int = 1, unit: str = "") -> None:
    """Raise ValueError unless ``value`` is a whole number of at least ``least``."""
    if not is_count(value, least):
        wanted = f"{unit}, at least" if unit else "at least"
        raise ValueError(f"`{argument}` must be a whole number of {wanted} {least}, got {value!r}")


def check_number(argument: str, value: object) -> None:
    """Raise ValueError unless ``value`` is a real number; infinite ones and NaN are."""
    if isinstance(value, bool) or not isinstance(value, Real):
        way_out = "; leave out the quotes" if isinstance(value, str) else ""
        raise ValueError(f"`{argument}` must be a number, got {shown(value)}{way_out}")


def check_settings(argument: str, value: object, kind: Any, wanted: str) -> None:
    """Raise ValueError unless ``value`` is an instance of ``kind``; its class is a common slip."""
    if isinstance(value, type) and issubclass(value, kind):
        raise ValueError(
            f"`{argument}` must be settings, got their class; give {value.__name__}(), with brackets"
        )
    if not isinstance(value, kind):
        raise ValueError(f"`{argument}` must be {wanted}, got {shown(value)}")


def as_tuple(argument: str, values: Any, kind: type[T]) -> tuple[T, ...]:
    """Return several of a kind as a tuple; ValueError if it is a single one, or holds something else."""
    name = kind.__name__
    if isinstance(values, kind):
        raise ValueError(f"`{argument}` must be a sequence, got a single {name}; put it in square brackets")
    try:
        found = tuple(values)
    except TypeError:
        raise ValueError(f"`{argument}` must be a sequence of {name}, got {shown(values)}") from None
    for each in found:
        if not isinstance(each, kind):
            raise ValueError(f"`{argument}` must hold {name} objects, got {shown(each)}")
    return found


def shown(value: object) -> str:
    """Return how a message shows a value."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
