"""Checks of arguments that several files share: each names the argument, what it must be, and the way out."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.numerical.elimination import Array

ROUNDING = 1e-12
"""Relative size below which a deficit of a sum counts as rounding."""


def positive(name: str, value: float, way_out: str, *, zero: bool = False, infinite: bool = False) -> float:
    """``value`` as a float, if it is positive (or zero, or infinite, where allowed)."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    good = (number > 0 or (zero and number == 0)) and (infinite or np.isfinite(number))
    if not good:
        kind = "non-negative" if zero else "positive"
        raise ValueError(f"`{name}` must be a {kind} number, got {value!r}; {way_out}")
    return number


def times_of(t: Any, name: str = "t") -> Array:
    """Times as a float array, each finite and not negative."""
    times = np.asarray(t, dtype=float)
    if not (np.isfinite(times).all() and (times >= 0).all()):
        raise ValueError(f"`{name}` must hold finite times >= 0, got {t!r}; drop the others")
    return times


def distribution_of(start: Any, states: int, name: str = "start") -> Array:
    """A state number or weights as a probability distribution over ``states``."""
    if np.ndim(start) == 0:
        if not (float(start).is_integer() and 0 <= start < states):
            raise ValueError(
                f"`{name}` must be a state from 0 to {states - 1} or one weight per state, got {start!r}"
            )
        certain: Array = np.eye(1, states, int(start))[0]
        return certain
    weights = np.array(start, dtype=float)
    if weights.shape != (states,):
        raise ValueError(f"`{name}` must have one weight per state, shape ({states},), got {weights.shape}")
    if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-9:
        raise ValueError(
            f"`{name}` must be weights >= 0 that sum to 1, got a sum of {weights.sum():g}; divide by the sum"
        )
    return weights


def read_only(array: Any) -> Array:
    """A float copy that cannot be written to."""
    copy = np.array(array, dtype=float)
    copy.flags.writeable = False
    return copy
