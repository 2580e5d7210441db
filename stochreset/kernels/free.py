"""Free Brownian motion with drift, exactly, from one perturbation to the next.

Where the state is needed at a perturbation, one Brownian bridge spans the whole interval; where it is
forgotten, a first-passage time of the free motion is held against the interval, which needs no exponential
function.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from stochreset.kernels.compiling import inlined
from stochreset.kernels.crossing import (
    bridge_crosses,
    bridge_hitting_law,
    hitting_time_of,
    inverse_gaussian,
)
from stochreset.kernels.diffusions import register_diffusion
from stochreset.kernels.normals import normal
from stochreset.kernels.streams import uniform


class FreeDrift(NamedTuple):
    """dx = velocity dt + sqrt(2 diffusion) dW, absorbed at ``target``."""

    velocity: float
    diffusion: float
    start: float
    target: float
    sign: float


@inlined
def _drift(process, x, aux):
    return process.velocity


@inlined
def _advance(process, x, aux, limit, forget, stream):
    stream.steps[0] += 1
    before = process.sign * (process.target - x)
    free = forget or limit == math.inf
    if free:
        speed = process.sign * process.velocity
        if speed < 0.0 and uniform(stream) >= math.exp(speed * before / process.diffusion):
            return limit, x, aux, False  # this run never arrives
        mean = before / abs(speed) if speed != 0.0 else math.inf
        shape = before * before / (2.0 * process.diffusion)
    else:
        variance = 2.0 * process.diffusion * limit
        y = x + (process.velocity * limit + math.sqrt(variance) * normal(stream))
        after = process.sign * (process.target - y)
        if not bridge_crosses(before, after, variance, stream):
            return limit, y, aux, False
        mean, shape = bridge_hitting_law(before, after, variance)
    u = inverse_gaussian(mean, shape, stream)
    time = u if free else hitting_time_of(u, limit)
    return min(time, limit), process.target, aux, time <= limit


register_diffusion(FreeDrift, _drift, advance=_advance)
