"""When the next perturbation comes: laws of the interval between perturbations, as plain data.

An interval is drawn once per perturbation, so one kernel serves all laws. A law that is not one of the named
ones is a table of Q in R = Q(E), with E exponential of mean 1: Q(e) = isf(exp(-e)) for the survival function
sf of R.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.normals import normal
from stochreset.kernels.streams import uniform

NEVER, ONCE, FIXED, EXPONENTIAL, UNIFORM, GAMMA, TABLE = range(7)
NO_TABLE: NDArray[np.float64] = np.zeros(2)
LONGEST = 40.0
"""A table reaches up to E = 40, which is exceeded with probability 4e-18."""


class Clock(NamedTuple):
    """Law of the intervals: ``kind`` and its parameters, in the process's unit of time."""

    kind: int
    first: float = math.inf  # once at, period, mean interval, shortest interval, or shape
    second: float = 0.0  # longest interval (uniform), or scale (gamma)
    table: NDArray[np.float64] = NO_TABLE  # Q on a uniform grid of E from 0 to LONGEST


@called
def interpolate(table, low, high, at):
    """Linear interpolation in a table on a uniform grid from ``low`` to ``high``; clamped at its ends."""
    place = (at - low) / (high - low) * (table.size - 1)
    if place <= 0.0:
        return table[0]
    left = np.int64(place)
    if left >= table.size - 1:
        return table[-1]
    return table[left] + (place - left) * (table[left + 1] - table[left])


@called
def gamma_variate(shape, stream):
    """Gamma number of unit scale (Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 363 (2000))."""
    boost = 1.0
    if shape < 1.0:
        boost = uniform(stream) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        z = normal(stream)
        v = 1.0 + c * z
        v = v * (v * v)  # numba compiles another function for a power
        if v > 0.0 and math.log(uniform(stream)) < 0.5 * z * z + d - d * v + d * math.log(v):
            return boost * d * v


@inlined
def next_interval(clock, count, stream):
    """Time to the next perturbation, after ``count`` earlier ones."""
    if clock.kind == FIXED:
        return clock.first
    if clock.kind <= ONCE:
        return clock.first if clock.kind == ONCE and count == 0 else math.inf
    if clock.kind == GAMMA:
        return clock.second * gamma_variate(clock.first, stream)
    u = uniform(stream)
    if clock.kind == UNIFORM:
        return clock.first + (clock.second - clock.first) * u
    if clock.kind == EXPONENTIAL:
        return -clock.first * math.log(u)
    return interpolate(clock.table, 0.0, LONGEST, -math.log(u))
