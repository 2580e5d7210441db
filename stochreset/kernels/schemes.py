r"""One time step of a one-dimensional diffusion dx = f(x) dt + sqrt(2 D) dW, and the test whether it arrived.

Schemes: `Linear` for f = velocity - theta x, by its exact Gaussian transition or by Euler's; `Euler`; and
`Heun`, of weak order 2 for additive noise: x + (h/2)[f(x) + f(x + h f(x) + s z)] + s z (Kloeden and Platen,
Numerical Solution of Stochastic Differential Equations, section 15.1). Each carries ``rate``, the coefficient
in the probability exp(-rate * before * after) that the bridge between two distances before the target has
crossed it.

Monitors: `AtSteps` looks at the ends of steps only, which shifts the target by 0.5826 sqrt(2 D dt) (Broadie,
Glasserman and Kou, Math. Finance 7, 325 (1997)); `Bridge` tests the bridge between them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.crossing import bridge_hitting_time
from stochreset.kernels.dispatch import drift, fold, hits, implement, leap, margin
from stochreset.kernels.normals import normal
from stochreset.kernels.streams import exponential

SPARE = 1e-9
"""A remainder shorter than this fraction of a step is not stepped: the event is at the end of the step."""
FAR, FARTHEST = 2**62, 1e15  # steps to an event that count as never


class Linear(NamedTuple):
    """x -> scale * x + shift + spread * z, for a drift ``velocity - theta * x``."""

    step: float
    exact: bool
    scale: float = 1.0
    shift: float = 0.0
    spread: float = 0.0
    rate: float = 0.0


class Euler(NamedTuple):
    """Euler and Maruyama's step."""

    step: float
    spread: float = 0.0
    rate: float = 0.0


class Heun(NamedTuple):
    """Heun's step, of weak order 2."""

    step: float
    spread: float = 0.0
    rate: float = 0.0


class AtSteps(NamedTuple):
    """Looks for arrivals at the ends of steps."""

    bridges: bool = False


class Bridge(NamedTuple):
    """Looks for arrivals between the ends of steps as well."""

    bridges: bool = True


@inlined
def _resize_linear(scheme, process, step):
    theta, diffusion = process.theta, process.diffusion
    if not scheme.exact or theta == 0.0:
        spread = math.sqrt(2.0 * diffusion * step)
        rate = 1.0 / (diffusion * step) if step > 0.0 else math.inf
        return Linear(step, scheme.exact, 1.0 - theta * step, process.velocity * step, spread, rate)
    scale = math.exp(-theta * step)
    variance = -diffusion * math.expm1(-2.0 * theta * step) / theta
    shift = -process.velocity * math.expm1(-theta * step) / theta
    # In the time that turns the process into Brownian motion the target moves; its chord gives this rate.
    rate = 2.0 * scale / variance if variance > 0.0 else math.inf
    return Linear(step, True, scale, shift, math.sqrt(variance), rate)


@inlined
def _leap_linear(scheme, process, x, aux, z):
    return scheme.scale * x + (scheme.shift + scheme.spread * z)


@inlined
def _resize_euler(scheme, process, step):
    rate = 1.0 / (process.diffusion * step) if step > 0.0 else math.inf
    return Euler(step, math.sqrt(2.0 * process.diffusion * step), rate)


@inlined
def _leap_euler(scheme, process, x, aux, z):
    return x + (drift(process, x, aux) * scheme.step + scheme.spread * z)


@inlined
def _resize_heun(scheme, process, step):
    rate = 1.0 / (process.diffusion * step) if step > 0.0 else math.inf
    return Heun(step, math.sqrt(2.0 * process.diffusion * step), rate)


@inlined
def _leap_heun(scheme, process, x, aux, z):
    now = drift(process, x, aux)
    kick = scheme.spread * z
    then = drift(process, x + (now * scheme.step + kick), aux)
    return x + (0.5 * scheme.step * (now + then) + kick)


@inlined
def _margin_at_steps(monitor, before, after, rate, e):
    return after


@inlined
def _margin_bridge(monitor, before, after, rate, e):
    return before * after * rate - e


@inlined
def _hits_at_steps(monitor, scheme, before, after, stream):
    return scheme.step


@inlined
def _hits_bridge(monitor, scheme, before, after, stream):
    return bridge_hitting_time(before, after, 2.0 / scheme.rate, scheme.step, stream)


for _scheme, _resized, _leapt in (
    (Linear, _resize_linear, _leap_linear),
    (Euler, _resize_euler, _leap_euler),
    (Heun, _resize_heun, _leap_heun),
):
    implement("resize", _scheme, _resized)
    implement("leap", _scheme, _leapt)
for _monitor, _test, _time in (
    (AtSteps, _margin_at_steps, _hits_at_steps),
    (Bridge, _margin_bridge, _hits_bridge),
):
    implement("margin", _monitor, _test)
    implement("hits", _monitor, _time)


@inlined
def distance(process, x):
    """Distance before the target, negative beyond it."""
    return process.sign * (process.target - x)


@called
def single_step(process, scheme, monitor, x, aux, stream):
    """Make one step in double precision: returns the new x, whether it arrived, and when in the step."""
    y = fold(process, leap(scheme, process, x, aux, normal(stream)))
    before, after = distance(process, x), distance(process, y)
    e = exponential(stream) if monitor.bridges else 0.0
    if margin(monitor, before, after, scheme.rate, e) < 0.0:
        return y, True, hits(monitor, scheme, before, after, stream)
    return y, False, scheme.step
