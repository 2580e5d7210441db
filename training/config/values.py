"""Values of TOML as the types that a dataclass or a function asks for, strictly."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from training.config.errors import BITS, did_you_mean, show

WORDS: dict[type, tuple[str, str]] = {
    bool: ("true or false", "values true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text in quotes", "texts in quotes"),
    dict: ("a table", "tables"),
}


@cache
def arguments(make: Callable[..., Any]) -> dict[str, Any]:
    """Return the type of each argument of a dataclass or function, in their order."""
    hints = get_type_hints(make)
    return {name: hints[name] for name in inspect.signature(make).parameters}


def required(make: Callable[..., Any]) -> set[str]:
    """Return the names of the arguments without a default."""
    given = inspect.signature(make).parameters.values()
    return {each.name for each in given if each.default is inspect.Parameter.empty}


def choice(names: Any) -> Any:
    """Return the type of texts that are one of ``names``."""
    return Literal[tuple(names)]


def convert(value: Any, hint: Any) -> Any:
    """Return a value of TOML as the type ``hint``, which may be a union with None; numbers must be finite.

    Raises
    ------
    ValueError
        If it is of another type; the message goes on after the name of the key.

    Examples
    --------
    >>> convert([64, 32], tuple[int, ...])
    (64, 32)
    >>> convert(True, int)
    Traceback (most recent call last):
        ...
    ValueError: must be a whole number, got true
    """
    hint = _plain(hint)
    origin = get_origin(hint)
    if origin is Literal:
        if isinstance(value, str) and value in get_args(hint):
            return value
        near = did_you_mean(value, get_args(hint)) if isinstance(value, str) else ""
        raise ValueError(
            f"must be one of {', '.join(get_args(hint))}, got {show(value)}; {near}".rstrip("; ")
        )
    if origin is tuple:
        each = _plain(get_args(hint)[0])
        if isinstance(value, list) and all(_is(item, each) for item in value):
            return tuple(float(item) if each is float else item for item in value)
        raise ValueError(f"must be a list of {WORDS[each][1]}, got {show(value)}")
    kind = origin or hint
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be a finite number, got {show(value)}")
    if not _is(value, kind):
        raise ValueError(f"must be {WORDS[kind][0]}, got {show(value)}")
    return float(value) if kind is float else value


def _plain(hint: Any) -> Any:
    # TOML has no null, and of a text or path it can hold the text.
    if get_origin(hint) in (Union, UnionType):
        return next(each for each in get_args(hint) if each is not NoneType)
    return hint


def _is(value: Any, kind: type) -> bool:
    if kind in (int, float):
        whole = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < BITS
        return whole or (kind is float and isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind)
