"""Conditions of informed protocols: whether a run at x is perturbed when its time comes."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, NamedTuple

from stochreset.kernels.compiling import inlined
from stochreset.kernels.dispatch import implement
from stochreset.kernels.user_functions import captured, compile_function, own_name


class Within(NamedTuple):
    """Only while low < x < high; by default always."""

    low: float = -math.inf
    high: float = math.inf


@inlined
def _within(condition, x):
    return condition.low < x < condition.high


implement("allows", Within, _within)


def user_condition(function: Callable[[float], bool]) -> Any:
    """Condition from a plain function of x that returns a bool."""
    return _user_condition(function, captured(function))


@lru_cache(maxsize=256)
def _user_condition(function: Callable[[float], bool], values: Hashable) -> Any:
    compiled = compile_function(function, "when", boolean=True)

    @inlined
    def allows(condition, x):
        return compiled(x)

    @own_name
    class UserCondition(NamedTuple):
        unused: float = 0.0

    implement("allows", UserCondition, allows)
    return UserCondition()
