"""Parameters of one-dimensional diffusions, and what they have in common in a kernel.

Any named tuple with the fields ``start``, ``target``, ``sign`` (of target - start) and ``diffusion`` becomes
a diffusion by `register_diffusion`; it then needs only its drift.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from stochreset.kernels.compiling import inlined
from stochreset.kernels.registering import register


class LinearDrift(NamedTuple):
    """dx = (velocity - theta x) dt + sqrt(2 diffusion) dW, absorbed at ``target``."""

    velocity: float
    theta: float
    diffusion: float
    start: float
    target: float
    sign: float


@inlined
def _fold(process, x):
    return x


@inlined
def _linear(process, x, aux):
    return process.velocity - process.theta * x


def register_diffusion(parameters: type, drift: Callable[..., Any], **special: Callable[..., Any]) -> None:
    """Register a diffusion; ``special`` replaces what it does not have in common with the others."""
    register(parameters, **{"drift": drift, "fold": _fold, **special})


register_diffusion(LinearDrift, _linear)
