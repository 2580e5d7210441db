"""Checks of the arguments of the closed forms; every error says what came and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def finite(name: str, value: float) -> None:
    """Require a finite real number."""
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        raise ValueError(f"`{name}` must be a finite number, got {value!r}; pass an int or a float")
    if not np.isfinite(value):
        raise ValueError(
            f"`{name}` must be a finite number, got {value!r}; pass a value that is not NaN or inf"
        )


def positive(name: str, value: float) -> None:
    """Require a finite number above zero."""
    finite(name, value)
    if value <= 0:
        raise ValueError(f"`{name}` must be positive, got {value!r}; pass a number above zero")


def whole(name: str, value: int) -> None:
    """Require a whole number of an integer type."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ValueError(f"`{name}` must be a whole number, got {value!r}; pass an int")


def apart(start: float, target: float) -> None:
    """Require that the searcher does not start on its target."""
    if start == target:
        raise ValueError(
            f"`start` must differ from `target`, got {start!r} for both; move one of them, the first-passage time is 0"
        )


def times(name: str, values: ArrayLike, *, allow_zero: bool) -> NDArray[np.float64]:
    """Read real numbers above zero (or from zero on); infinity is allowed, NaN is not."""
    array = _numbers(name, values)
    bad = ~(array >= 0) if allow_zero else ~(array > 0)
    if bad.any():
        requirement = "not be negative" if allow_zero else "be positive"
        raise ValueError(
            f"`{name}` must {requirement}, got {array[bad].flat[0]}; drop or correct these entries"
        )
    return array


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"`{name}` must be a number or an array of numbers, got {values!r}") from None


def rates(name: str, values: ArrayLike, *, allow_zero: bool) -> NDArray[np.float64]:
    """Read finite real numbers above zero (or from zero on)."""
    array = times(name, values, allow_zero=allow_zero)
    if np.isinf(array).any():
        raise ValueError(f"`{name}` must be finite, got inf; pass a large number")
    return array


def whole_times(name: str, values: ArrayLike, *, lowest: int) -> NDArray[np.float64]:
    """Read whole numbers of steps, ``lowest`` or larger, as floats."""
    array = _numbers(name, values)
    bad = ~((array >= lowest) & (np.floor(array) == array))
    if bad.any():
        raise ValueError(
            f"`{name}` must be a whole number of steps, {lowest} or larger, got {array[bad].flat[0]}; "
            "time is discrete here, round it"
        )
    return array


def unpack(array: Any) -> Any:
    """Turn a 0-d array into a number, leave every other array as it is."""
    return np.asarray(array)[()]
