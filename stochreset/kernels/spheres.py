r"""Isotropic diffusion in any dimension, from a distance to the surface of a sphere; x is the radius.

The radius after a step of variance s^2 per coordinate is sampled exactly,
:math:`r'^2 = (r + s z)^2 + s^2 \chi^2_{d-1}`. Against Brownian motion, the law of the radius carries the weight
:math:`\exp(-c \int s^2 dt / r^2)` with c = (d - 1)(d - 3) / 8, which is 1 in one and three dimensions; it
does not change much between paths that cross the surface and paths that do not, so that the bridge between two
radii crosses with the probability of a Brownian bridge, up to a relative error of order c (s / target)^3. Steps
are a fixed part of the distance to the surface, but not below a smallest one.

Outside a sphere in three dimensions c = 0 makes all laws explicit, by the method of images: the bridge crosses
with probability

.. math:: \frac{e^{-2(x - a)(y - a)/s^2} - e^{-2xy/s^2}}{1 - e^{-2xy/s^2}},

and one step spans the whole interval between two perturbations.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from stochreset.kernels.clocks import gamma_variate
from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.crossing import bridge_crosses, bridge_hitting_time, inverse_gaussian
from stochreset.kernels.normals import normal
from stochreset.kernels.registering import register
from stochreset.kernels.streams import exponential, uniform

REACH = 0.25
"""Standard deviation of a step as a part of the distance to the surface."""


class SteppedSphere(NamedTuple):
    """Diffusion in steps, ``sign`` 1 inside the target and -1 outside."""

    dimension: int
    diffusion: float
    start: float
    target: float
    sign: float
    smallest: float  # variance of the smallest step


class Outside3D(NamedTuple):
    """Diffusion outside a sphere in three dimensions."""

    diffusion: float
    start: float
    target: float


@inlined
def _renew(process, x, aux, stream):
    return abs(x), aux


@inlined
def _outside_beyond(process, x):
    return x <= process.target


@called
def radius_after(x, spread, dimension, stream):
    """Radius after a Gaussian displacement of standard deviation ``spread`` per coordinate."""
    along = x + spread * normal(stream)
    if dimension == 1:
        return abs(along)
    if dimension == 2:
        z = normal(stream)
        across = z * z
    elif dimension == 3:
        across = 2.0 * exponential(stream)
    else:
        across = 2.0 * gamma_variate(0.5 * (dimension - 1), stream)
    return math.sqrt(along * along + spread * spread * across)


@inlined
def _stepped_advance(process, x, aux, limit, forget, stream):
    elapsed = 0.0
    while not stream.stop[0]:
        before = process.sign * (process.target - x)
        reach = REACH * before
        variance = max(reach * reach, process.smallest)
        span, left = variance / (2.0 * process.diffusion), limit - elapsed
        last = span >= left
        if last:
            span = left
            variance = 2.0 * process.diffusion * left
        x = radius_after(x, math.sqrt(variance), process.dimension, stream)
        after = process.sign * (process.target - x)
        stream.steps[0] += 1
        if bridge_crosses(before, after, variance, stream):
            when = bridge_hitting_time(before, after, variance, span, stream)
            return elapsed + when, process.target, aux, True
        if last:
            break
        elapsed += span
    return limit, x, aux, False


@called
def _crosses_outside(x, y, target, variance, stream):
    """Whether the bridge between two radii outside a sphere in three dimensions has touched it."""
    if y <= target:
        return True
    image = math.exp(-2.0 * (x - target) * (y - target) / variance)
    through = 2.0 * x * y / variance
    # e^-a - e^-b as e^-a (1 - e^(a-b)), where b - a = 2 a (x + y - a) / s^2.
    grazing = -math.expm1(-2.0 * target * (x + y - target) / variance)
    return uniform(stream) * -math.expm1(-through) < image * grazing


@called
def _hit_outside(x, y, target, variance, span, stream):
    """Time of the first touch of a bridge that touches.

    Its density is that of a Brownian bridge times the probability that the rest of the way, from the surface
    to y, does not touch the centre.
    """
    while True:
        when = bridge_hitting_time(x - target, y - target, variance, span, stream)
        rest = variance * (1.0 - when / span)
        if rest <= 0.0 or exponential(stream) * rest < 2.0 * target * y:
            return when


@inlined
def _outside_advance(process, x, aux, limit, forget, stream):
    stream.steps[0] += 1
    gap = x - process.target
    if forget or limit == math.inf:
        when = math.inf
        if uniform(stream) * x < process.target:
            when = inverse_gaussian(math.inf, gap * gap / (2.0 * process.diffusion), stream)
        return min(when, limit), process.target, aux, when <= limit
    variance = 2.0 * process.diffusion * limit
    y = radius_after(x, math.sqrt(variance), 3, stream)
    if _crosses_outside(x, y, process.target, variance, stream):
        return _hit_outside(x, y, process.target, variance, limit, stream), process.target, aux, True
    return limit, y, aux, False


register(SteppedSphere, renew=_renew, advance=_stepped_advance)
register(Outside3D, renew=_renew, beyond=_outside_beyond, advance=_outside_advance)
