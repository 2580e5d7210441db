"""Time stepping as a process that can ``advance``: one run at a time, in double precision throughout.

It is the plain counterpart of `stochreset.kernels.lanes`, against which that is tested, and it serves whole
trajectories.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stochreset.kernels import dispatch
from stochreset.kernels.compiling import inlined
from stochreset.kernels.dispatch import resize
from stochreset.kernels.registering import register
from stochreset.kernels.schemes import SPARE, single_step


class Stepped(NamedTuple):
    """A one-dimensional diffusion with the scheme and the monitor that step it."""

    process: Any
    scheme: Any
    monitor: Any


@inlined
def _begin(stepped, stream):
    return dispatch.begin(stepped.process, stream)


@inlined
def _renew(stepped, x, aux, stream):
    return dispatch.renew(stepped.process, x, aux, stream)


@inlined
def _beyond(stepped, x):
    return dispatch.beyond(stepped.process, x)


@inlined
def _advance(stepped, x, aux, limit, forget, stream):
    process, scheme, monitor = stepped.process, stepped.scheme, stepped.monitor
    number = 0
    while (number + 1) * scheme.step <= limit:
        x, arrived, when = single_step(process, scheme, monitor, x, aux, stream)
        stream.steps[0] += 1
        if arrived:
            return number * scheme.step + when, process.target, aux, True
        number += 1
        if stream.stop[0]:
            return number * scheme.step, x, aux, False
    rest = limit - number * scheme.step
    if rest > SPARE * scheme.step:
        short = resize(scheme, process, rest)
        x, arrived, when = single_step(process, short, monitor, x, aux, stream)
        stream.steps[0] += 1
        if arrived:
            return number * scheme.step + when, process.target, aux, True
    return limit, x, aux, False


register(Stepped, begin=_begin, renew=_renew, beyond=_beyond, advance=_advance)
