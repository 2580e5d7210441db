r"""Inversion of Laplace transforms of first-passage laws, with relative accuracy in both tails.

The distribution function is the Bromwich integral of exp(st) T~(s) / s. On the parabola

.. math:: s = \text{edge} + (a + i k)^2, \qquad -\infty < k < \infty,

which wraps the singularities of T~ (all real, at or below ``edge``), exp(st) is a Gaussian in k, and the midpoint
rule converges geometrically (Weideman and Trefethen, Math. Comp. 76, 1341 (2007)). The vertex is put at the saddle
point of exp(st) T~(s), so that the integral has the size of its integrand also where the answer is exp(-700).
With the saddle to the left of the pole s = 0 the same integral is minus the survival probability.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]
Transform = Callable[[NDArray[Any]], NDArray[Any]]

# In units of 1 / sqrt(t): spacing and number of the nodes in k, least distance of the vertex from the focus
# and from the pole. The errors of truncation, spacing and pole are all near exp(-37).
SPACING = 0.17
NODES = 38
FROM_EDGE = 2.0
FROM_POLE = 1.0
# Decay times after which only the slowest mode is left; later, s - edge would round away.
LONGEST = 1e4
# Part of the time scale before which only exp(-reach^2 / 4t) is left; earlier, s would overflow.
SHORTEST = 1e-30


def vertex(log_laplace: Transform, t: FloatArray, edge: float, reach: float) -> FloatArray:
    """Parameter a of the saddle point, sqrt(s - edge) with -d ln T~ / ds = t, at least of order 1 / sqrt(t).

    ``reach`` is sqrt(distance^2 / D), the law of T~ at large s being exp(-reach sqrt(s)).
    """
    low, high = 0.4 / np.sqrt(t.max()), 4 * max(1 / np.sqrt(t.min()), reach / t.min())
    x = np.linspace(np.log(low), np.log(high), 24 + int(10 * np.log(high / low)))
    s = edge + np.exp(2 * x)
    from scipy import interpolate

    slope = interpolate.CubicSpline(x, log_laplace(s + 0j).real).derivative()(x)
    # The delay falls with s; taking the largest from the right keeps noise on plateaus of T~ local.
    delay = np.maximum.accumulate(np.maximum(-slope * np.exp(-2 * x) / 2, 1e-300)[::-1])[::-1]
    saddle = np.exp(np.interp(-np.log(t), -np.log(delay), x))
    return np.maximum(saddle, FROM_EDGE / np.sqrt(t))


def bromwich(
    log_transform: Transform, t: FloatArray, edge: float, a: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Logarithm of the modulus, and sign, of the inverse transform at the times ``t`` (vertex at ``a``)."""
    root = np.sqrt(t)[:, None]
    k = (np.arange(NODES) + 0.5) * SPACING / root
    q = a[:, None] + 1j * k
    s = edge + q**2
    exponent = s * t[:, None] + log_transform(s)
    size = exponent.real.max(axis=1)
    total = (q * np.exp(exponent - size[:, None])).real.sum(axis=1) * (2 / np.pi) * SPACING / root[:, 0]
    with np.errstate(divide="ignore"):
        return np.log(np.abs(total)) + size, np.sign(total)


def split(t: FloatArray, edge: float, reach: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times within the limits, and what the logarithms of Pr(T <= t) and Pr(T > t) lose outside them."""
    inside = np.minimum(t, LONGEST / -edge) if -edge * t.max() > LONGEST else t
    late = edge * (t - inside)
    inside = np.maximum(inside, SHORTEST * reach**2)
    with np.errstate(over="ignore"):
        early = -(reach**2) / 4 * (1 / np.minimum(t, inside) - 1 / inside)
    return inside, early, late


def log_density(log_laplace: Transform, t: FloatArray, edge: float, reach: float) -> FloatArray:
    """Logarithm of the density of the first-passage time."""
    t, before, beyond = split(t, edge, reach)
    a = vertex(log_laplace, t, edge, reach)
    # A constant has no inverse at t > 0; without it little cancels where T~ is close to 1.
    near_one = log_laplace(edge + a**2 + 0j).real > -0.7
    result = np.empty_like(t)
    if near_one.any():
        result[near_one] = bromwich(
            lambda s: np.log(-special.expm1(log_laplace(s))), t[near_one], edge, a[near_one]
        )[0]
    if not near_one.all():
        result[~near_one] = bromwich(log_laplace, t[~near_one], edge, a[~near_one])[0]
    return result + before + beyond


def log_tails(
    log_laplace: Transform, t: FloatArray, edge: float, reach: float
) -> tuple[FloatArray, FloatArray]:
    """Logarithms of Pr(T <= t) and Pr(T > t)."""
    t, before, beyond = split(t, edge, reach)
    a, pole, root = vertex(log_laplace, t, edge, reach), np.sqrt(-edge), np.sqrt(t)
    early = a >= pole + (FROM_EDGE + 0.5) / root
    late = a <= pole - FROM_POLE / root
    log_cdf, log_survival = np.empty_like(t), np.empty_like(t)
    for part, sure in ((early, log_cdf), (late, log_survival)):
        if part.any():
            sure[part] = bromwich(lambda s: log_laplace(s) - np.log(s), t[part], edge, a[part])[0]
    log_survival[early] = log1mexp(log_cdf[early])
    log_cdf[late] = log1mexp(log_survival[late])
    middle = ~(early | late)
    if middle.any():
        # (1 - T~) / s has no pole at 0, so the contour may pass it on either side.
        log_survival[middle] = bromwich(
            lambda s: np.log(-special.expm1(log_laplace(s))) - np.log(s), t[middle], edge, a[middle]
        )[0]
        right = np.maximum(a, pole + FROM_POLE / root)[middle]
        log_cdf[middle] = bromwich(lambda s: log_laplace(s) - np.log(s), t[middle], edge, right)[0]
    return np.minimum(log_cdf, 0.0) + before, np.minimum(log_survival, 0.0) + beyond


def restricted_mean(
    log_laplace: Transform, t: FloatArray, edge: float, reach: float, mean: float
) -> FloatArray:
    """Integral of the survival probability from 0 to ``t``, with the unrestricted ``mean`` for its limit."""
    given = t
    t, _, _ = split(t, edge, reach)
    a, pole, root = vertex(log_laplace, t, edge, reach), np.sqrt(-edge), np.sqrt(t)
    early = a >= pole + (FROM_EDGE + 0.5) / root
    late = a <= pole - FROM_POLE / root
    value = np.empty_like(t)
    for part, limit in ((early, t), (late, np.full_like(t, mean))):
        if part.any():
            rest, _ = bromwich(lambda s: log_laplace(s) - 2 * np.log(s), t[part], edge, a[part])
            value[part] = limit[part] - np.exp(rest)
    middle = ~(early | late)
    if middle.any():
        a = np.maximum(a, pole + FROM_POLE / root)[middle]
        log_value, _ = bromwich(
            lambda s: np.log(-special.expm1(log_laplace(s))) - 2 * np.log(s), t[middle], edge, a
        )
        value[middle] = np.exp(log_value)
    return np.minimum(value, given)


def log1mexp(x: FloatArray) -> FloatArray:
    """Logarithm of 1 - exp(x) for x <= 0; rounding above 0 counts as 0."""
    x = np.minimum(x, 0.0)
    with np.errstate(divide="ignore"):
        return np.where(x > -0.7, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))
