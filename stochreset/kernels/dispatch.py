"""What a kernel asks of a process, resolved by the type of the process's parameters.

A process hands its kernels a named tuple of plain numbers and arrays. Its file registers, for the type of
that tuple, compiled functions under the names below (see `registering`); numba then builds one specialised
kernel per type, with the functions inlined. Outside compiled code the same names dispatch in Python, so that
every kernel also
runs as plain Python (NUMBA_DISABLE_JIT=1), which the tests compare.

begin(process, stream) -> (x, aux)
    State of a new run.
advance(process, x, aux, limit, forget, stream) -> (elapsed, x, aux, arrived)
    Let the process run until it arrives or until ``limit`` has passed. With ``forget`` the caller does not
    need the state at the limit. A continuous process that arrives returns its target as x. A loop that may
    never end returns, not arrived, when ``stream.stop[0]`` is set.
renew(process, x, aux, stream) -> (x, aux)
    What a perturbation does to the state beyond moving x (a new direction, a new waiting time, ...).
beyond(process, x) -> bool
    Whether a state counts as arrived, asked after a perturbation.
drift(process, x, aux) -> velocity
    Of a one-dimensional diffusion.
fold(process, x) -> x
    Reflects a position at the walls of a one-dimensional diffusion.
allows(condition, x) -> bool
    Whether an informed protocol perturbs a run at x.
leap(scheme, process, x, aux, z) -> x
    One time step of a diffusion with the standard normal z; ``resize(scheme, process, step)`` is the same
    scheme for another step.
margin(monitor, before, after, rate, e) -> float
    Negative where a step between these distances from the target has crossed it, decided by the exponential
    number e. ``hits(monitor, scheme, before, after, stream)`` is when in the step it did so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from numba import types
from numba.extending import overload

from stochreset.kernels.compiling import INNER, OPTIONS

IMPLEMENTATIONS: dict[tuple[str, type], Callable[..., Any]] = {}
OPERATIONS = (
    "begin",
    "advance",
    "renew",
    "beyond",
    "drift",
    "fold",
    "allows",
    "leap",
    "resize",
    "margin",
    "hits",
)


def implement(operation: str, parameters: type, function: Callable[..., Any]) -> None:
    """Register a compiled function for one operation and one type of parameters."""
    if operation not in OPERATIONS:
        raise ValueError(f"`operation` must be one of {', '.join(OPERATIONS)}, got {operation!r}")
    IMPLEMENTATIONS[operation, parameters] = function


def _find(operation: str, parameters: Any) -> Callable[..., Any]:
    kind = parameters.instance_class if isinstance(parameters, types.BaseNamedTuple) else parameters
    found = IMPLEMENTATIONS.get((operation, kind))
    if found is None:
        raise NotImplementedError(f"no `{operation}` is registered for {getattr(kind, '__name__', kind)}")
    return found


def _plain(operation: str, parameters: Any) -> Callable[..., Any]:
    """Implementation as plain Python, which numba compiles in its place."""
    found = _find(operation, parameters)
    return getattr(found, "py_func", found)


_resolved = partial(overload, jit_options={"forceinline": True, **INNER, **OPTIONS}, strict=False)


def begin(process, stream):
    """Return the state of a new run."""
    return _plain("begin", type(process))(process, stream)


@_resolved(begin)
def _begin(process, stream):
    return _plain("begin", process)


def advance(process, x, aux, limit, forget, stream):
    """Run until arrival or until ``limit`` has passed."""
    return _plain("advance", type(process))(process, x, aux, limit, forget, stream)


@_resolved(advance)
def _advance(process, x, aux, limit, forget, stream):
    return _plain("advance", process)


def renew(process, x, aux, stream):
    """Return the state after a perturbation has moved x."""
    return _plain("renew", type(process))(process, x, aux, stream)


@_resolved(renew)
def _renew(process, x, aux, stream):
    return _plain("renew", process)


def beyond(process, x):
    """Whether x counts as arrived."""
    return _plain("beyond", type(process))(process, x)


@_resolved(beyond)
def _beyond(process, x):
    return _plain("beyond", process)


def drift(process, x, aux):
    """Return the deterministic velocity at x."""
    return _plain("drift", type(process))(process, x, aux)


@_resolved(drift)
def _drift(process, x, aux):
    return _plain("drift", process)


def fold(process, x):
    """Reflect x at the walls."""
    return _plain("fold", type(process))(process, x)


@_resolved(fold)
def _fold(process, x):
    return _plain("fold", process)


def allows(condition, x):
    """Whether an informed protocol perturbs at x."""
    return _plain("allows", type(condition))(condition, x)


@_resolved(allows)
def _allows(condition, x):
    return _plain("allows", condition)


def leap(scheme, process, x, aux, z):
    """Make one time step."""
    return _plain("leap", type(scheme))(scheme, process, x, aux, z)


@_resolved(leap)
def _leap(scheme, process, x, aux, z):
    return _plain("leap", scheme)


def resize(scheme, process, step):
    """Return the scheme for another step."""
    return _plain("resize", type(scheme))(scheme, process, step)


@_resolved(resize)
def _resize(scheme, process, step):
    return _plain("resize", scheme)


def margin(monitor, before, after, rate, e):
    """Return a negative number where a step has crossed the target."""
    return _plain("margin", type(monitor))(monitor, before, after, rate, e)


@_resolved(margin)
def _margin(monitor, before, after, rate, e):
    return _plain("margin", monitor)


def hits(monitor, scheme, before, after, stream):
    """Return the time within a step at which the target was crossed."""
    return _plain("hits", type(monitor))(monitor, scheme, before, after, stream)


@_resolved(hits)
def _hits(monitor, scheme, before, after, stream):
    return _plain("hits", monitor)
