"""Recognises laws, without loading `scipy.stats` for those who use none."""

from typing import Any

POINTS = 16_385
"""Points of the table that stands for a law in a kernel."""


def is_law(value: Any) -> bool:
    """Whether this is a frozen `scipy.stats` distribution of a continuous quantity, or acts as one."""
    return all(callable(getattr(value, name, None)) for name in ("cdf", "sf", "ppf", "isf"))
