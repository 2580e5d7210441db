"""Run-and-tumble motion on a line, from reversal to reversal, and many reversals at once far from the target.

In a time too short to reach the target, the number of reversals is Poisson and their times are uniform, so
the share of the time spent in the first direction is a beta number: one draw for any number of reversals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stochreset.kernels.clocks import gamma_variate
from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.counts import poisson
from stochreset.kernels.registering import register
from stochreset.kernels.streams import exponential, uniform

MANY = 60.0
"""Reversals from which on they are made at once; that there is none has probability exp(-60)."""


class Tumbling(NamedTuple):
    """Motion at ``speed`` that reverses at rate ``rate``; aux is the direction, 1 or -1."""

    speed: float
    rate: float
    start: float
    target: float
    sign: float


@inlined
def _direction(stream):
    return 1.0 if uniform(stream) < 0.5 else -1.0


@inlined
def _begin(process, stream):
    return process.start, _direction(stream)


@inlined
def _renew(process, x, aux, stream):
    return x, _direction(stream)


@called
def _leap(mean, stream):
    """Number of reversals, Poisson of this mean, and the share of time in the first direction."""
    number = poisson(mean, stream)
    if number == 0.0:
        return number, 1.0
    first = gamma_variate(number // 2.0 + 1.0, stream)
    second = gamma_variate((number + 1.0) // 2.0, stream)
    return number, first / (first + second)


@inlined
def _advance(process, x, aux, limit, forget, stream):
    gap, facing = process.sign * (process.target - x), process.sign * aux
    elapsed = 0.0
    while not stream.stop[0]:
        safe = min(gap / process.speed, limit - elapsed)
        if safe * process.rate > MANY:
            number, share = _leap(process.rate * safe, stream)
            stream.steps[0] += np.int64(number)
            gap -= facing * process.speed * safe * (2.0 * share - 1.0)
            if number % 2.0 == 1.0:
                facing = -facing
            elapsed += safe
            if elapsed >= limit or gap <= 0.0:
                return (
                    min(elapsed, limit),
                    process.target - process.sign * gap,
                    process.sign * facing,
                    gap <= 0.0,
                )
            continue
        run = exponential(stream) / process.rate
        stream.steps[0] += 1
        left = limit - elapsed
        if facing > 0.0 and gap <= process.speed * min(run, left):
            return elapsed + gap / process.speed, process.target, aux, True
        if run >= left:
            gap -= facing * process.speed * left
            break
        gap -= facing * process.speed * run
        elapsed += run
        facing = -facing
    return limit, process.target - process.sign * gap, process.sign * facing, False


register(Tumbling, begin=_begin, renew=_renew, advance=_advance)
