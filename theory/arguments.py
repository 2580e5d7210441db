"""Checks of arguments that several functions share; every error says what came and what to do."""

from __future__ import annotations

from typing import Any


def check_kind(argument: str, value: Any, kind: type, way_out: str) -> None:
    """Raise a TypeError if an argument is of another kind; ``way_out`` says how to get one of the right kind."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        came = value.__name__ + " itself" if isinstance(value, type) else type(value).__name__
        raise TypeError(f"`{argument}` must be {article} {kind.__name__}, got {came}; {way_out}")


def whole_epochs(argument: str, value: Any) -> int:
    """Return a whole number of epochs, at least 1, as int."""
    try:
        whole = int(value)
        sound = whole == value and whole >= 1 and not isinstance(value, bool)
    except (TypeError, ValueError, OverflowError):
        sound = False
    if not sound:
        raise ValueError(f"`{argument}` must be a whole number of epochs, at least 1, got {value!r}")
    return whole


def check_threshold(threshold: Any) -> None:
    """Raise unless a threshold is a finite number."""
    try:
        sound = abs(float(threshold)) < float("inf") and not isinstance(threshold, str)
    except (TypeError, ValueError, OverflowError):
        sound = False
    if not sound:
        raise ValueError(f"`threshold` must be a finite number, in the unit of the metric, got {threshold!r}")
