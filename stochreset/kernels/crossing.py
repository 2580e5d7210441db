r"""First passage of Brownian motion, sampled exactly: over a free stretch, and within a Brownian bridge.

A Brownian bridge of variance :math:`\sigma^2 h` between points at distances a and b before the target crosses
it with probability :math:`\exp(-2ab/\sigma^2 h)`. Given that it does, or that b < 0, its hitting time is
:math:`h u / (1 + u)` with u inverse Gaussian of mean :math:`|a/b|` and shape :math:`a^2/\sigma^2 h`
(substitute u = s / (h - s) in the density of the hitting time s).
"""

from __future__ import annotations

import math

from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.normals import normal
from stochreset.kernels.streams import uniform

CERTAIN = 40.0
"""Crossing with probability exp(-40) is not looked at: one in 2e17."""
HUGE = 1e300


@inlined
def inverse_gaussian(mean, shape, stream):
    """Inverse-Gaussian number (Michael, Schucany and Haas, Am. Stat. 30, 88 (1976)).

    Written without their cancellation, so that an infinite mean gives the Lévy law shape / z^2.
    """
    z = normal(stream)
    if mean == math.inf:
        return shape / (z * z)
    # The two roots are mean / w and mean * w. The first factor of r is the same for many runs.
    r = mean / (2.0 * shape) * (z * z)
    w = 1.0 + r + math.sqrt(r * (r + 2.0))
    small = 1.0 / w
    return mean * small if uniform(stream) * (1.0 + small) <= 1.0 else mean * w


@inlined
def bridge_crosses(before, after, variance, stream):
    """Whether a bridge between distances ``before`` > 0 and ``after`` from the target has crossed it."""
    if after <= 0.0:
        return True
    exponent = 2.0 * before * after / variance
    return exponent < CERTAIN and uniform(stream) < math.exp(-exponent)


@inlined
def bridge_hitting_law(before, after, variance):
    """Mean and shape of the inverse-Gaussian number u behind the hitting time of a bridge that crosses."""
    return before / abs(after) if after != 0.0 else math.inf, before * before / variance


@inlined
def hitting_time_of(u, duration):
    """Time at which a bridge of this duration first crosses, from its inverse-Gaussian number."""
    return duration * (u / (1.0 + u)) if u < HUGE else duration


@called
def bridge_hitting_time(before, after, variance, duration, stream):
    """Time at which a bridge that crosses does so first."""
    mean, shape = bridge_hitting_law(before, after, variance)
    return hitting_time_of(inverse_gaussian(mean, shape, stream), duration)
