"""Registers what kernels ask of a process, with what most processes have in common filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stochreset.kernels.compiling import inlined
from stochreset.kernels.dispatch import implement


@inlined
def begin_at_start(process, stream):
    """Begin at ``process.start``, with nothing but a position."""
    return process.start, 0.0


@inlined
def keep_state(process, x, aux, stream):
    """Leave the state as the perturbation has moved it."""
    return x, aux


@inlined
def past_target(process, x):
    """Whether x is at or beyond ``process.target``, on the side ``process.sign`` of the start."""
    return process.sign * (process.target - x) <= 0.0


def register(parameters: type, **operations: Callable[..., Any]) -> None:
    """Register compiled functions for a type of parameters, by the names that `dispatch` lists.

    Without others of its own a process begins at its start, keeps its state and arrives at its target.
    """
    common = {"begin": begin_at_start, "renew": keep_state, "beyond": past_target}
    for operation, function in {**common, **operations}.items():
        implement(operation, parameters, function)
