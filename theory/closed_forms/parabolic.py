r"""Parabolic cylinder functions for the Ornstein-Uhlenbeck process, of complex order, through logarithms.

The function needed is g(y) = exp(y^2/4) D_{-nu}(-y), the growing solution of g'' = y g' + nu g (NIST DLMF chapter
12). Its ratios are found where each of three ways is well conditioned:

 - large order: the uniform expansion of Olver in powers of 1/a, a = nu - 1/2 (DLMF 12.10(vi)),
 - y <= -2: the logarithmic derivative as the continued fraction nu/(z + (nu + 1)/(z + (nu + 2)/(z + ...))), z = -y,
 - from there upwards, where g dominates the other solution: Taylor steps.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray
from scipy import special

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
FAR, VERY_FAR = -2.0, -8.0
TERMS = 28


def _expansion(terms: int) -> list[Polynomial]:
    """Polynomials A_s in tau = t / sqrt(1 + t^2), from A_{s+1} = int [(2 - 5 tau^2) A_s / 8 - (w A_s')' / 2]."""
    weight = Polynomial([1, 0, -1]) ** 2
    found = [Polynomial([1.0])]
    for _ in range(terms):
        last = found[-1]
        found.append((Polynomial([2, 0, -5]) * last / 8 - (weight * last.deriv()).deriv() / 2).integ())
    return found


EXPANSION = _expansion(7)


def log_ratio(order: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """Logarithm of [g(low) / g(high)] at the orders nu, low < high; to relative accuracy also for nu near 0."""
    flat = np.atleast_1d(order).ravel()
    result = np.empty_like(flat)
    size = np.abs(flat)
    large = ((size > 50) & (flat.real > -0.2 * size)) | ((size > 200) & (flat.real > -0.93 * size))
    if large.any():
        result[large] = _uniform(flat[large], low, high)
    for part in (~large & (flat.real >= 0), ~large & (flat.real < 0)):
        if part.any():
            result[part] = -_log_growth(flat[part], low, high)
    return result.reshape(np.shape(order))


def _uniform(order: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    a = order - 0.5
    if high - low < 1:
        y = (low + high) / 2 + (high - low) / 2 * NODES
        leading = -(_saddle(order[:, None] - 0.5, y) @ WEIGHTS) * (high - low) / 2
    else:
        leading = _phase(a, low) - _phase(a, high)
    ratio: NDArray[Any] = leading + _amplitude(a, low) - _amplitude(a, high)
    return ratio


def _saddle(a: NDArray[Any], y: Any) -> NDArray[Any]:
    """Derivative of the leading exponent, y/2 + sqrt(y^2/4 + a), without cancellation at y < 0."""
    root = np.sqrt(y**2 / 4 + a)
    derivative: NDArray[Any] = np.where(y > 0, y / 2 + root, a / (root + np.abs(y) / 2))
    return derivative


def _phase(a: NDArray[Any], y: float) -> NDArray[Any]:
    phase: NDArray[Any] = y / 2 * _saddle(a, y) + a * np.arcsinh(y / (2 * np.sqrt(a)))
    return phase


def _amplitude(a: NDArray[Any], y: float) -> NDArray[Any]:
    scaled = 1 + y**2 / (4 * a)
    tau = y / (2 * np.sqrt(a) * np.sqrt(scaled))
    factor, series = np.ones_like(a), np.zeros_like(a)
    for poly in EXPANSION[1:]:
        factor = factor / (2 * a)
        series = series + factor * poly(tau)
    amplitude: NDArray[Any] = special.log1p(series) - np.log(scaled) / 4
    return amplitude


def _log_growth(order: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """Logarithm of [g(high) / g(low)] by quadrature of the logarithmic derivative far out, then by Taylor steps."""
    total = np.zeros_like(order)
    y = low
    # At negative orders g has zeros, but only where y^2/4 is below the order.
    clear = VERY_FAR if order.real.min() >= 0 else min(VERY_FAR, -3 * float(np.sqrt(np.abs(order).max())))
    if low < clear:
        y = min(high, clear)
        edges = -np.geomspace(-low, -y, 2 + int(2 * np.log2(low / y)))
        for left, right in zip(edges[:-1], edges[1:], strict=True):
            points = (left + right) / 2 + (right - left) / 2 * NODES
            total += log_derivative(order[:, None], points) @ WEIGHTS * (right - left) / 2
    if y >= high:
        return total
    begin = min(y, FAR)
    slope = log_derivative(order, begin)
    _, slope = _taylor(order, slope, begin, y)
    growth: NDArray[Any] = total + _taylor(order, slope, y, high)[0]
    return growth


def log_derivative(order: NDArray[Any], y: Any) -> NDArray[Any]:
    """g'/g at y <= -2 by the continued fraction, closed with the leading large-order form."""
    largest, below = float(np.abs(order).max()), max(0.0, -float(order.real.min()))
    # The error falls as exp(-2 |y| (sqrt(nu + depth) - sqrt(nu))).
    excess = 18.5 / float(np.abs(y).min())
    depth = int(20 + excess**2 + 2 * excess * np.sqrt(largest) + 2 * below)
    value = _saddle(order + depth, y)
    for k in range(depth - 1, -1, -1):
        value = (order + k) / (value - y)
    return value


def _taylor(
    order: NDArray[Any], slope: NDArray[Any], y: float, end: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Logarithm of [g(end) / g(y)] and g'/g at ``end``, from g'/g at y."""
    total = np.zeros_like(order)
    width = float(np.sqrt(np.abs(order).max())) + 1.5
    while y < end:
        h = min(3.0 / (abs(y) + width), 1.0, end - y)
        before, term = np.ones_like(order), slope * h
        rise, tilt = term.copy(), term.copy()
        for k in range(TERMS):
            factor = (k + order) * (h**2 / ((k + 1) * (k + 2)))
            before, term = term, (y * h / (k + 2)) * term + factor * before
            rise += term
            tilt += (k + 2) * term
        total += special.log1p(rise)
        slope = tilt / (h * (1 + rise))
        y = end if h == end - y else y + h
    return total, slope


@lru_cache(maxsize=256)
def lowest_order(y: float) -> float:
    """Smallest lambda > 0 with D_lambda(-y) = 0; 0.0 where it underflows.

    It is 1 at y = 0, near y exp(-y^2/2) / sqrt(2 pi) far above and, by the Airy function, near
    y^2/4 + 2.338 |y/2|^(2/3) far below.
    """
    if y > 0:
        low, high = 1e-300, 1.0
    else:
        airy = y**2 / 4 + 2.3381 * abs(y / 2) ** (2 / 3)
        low, high = max(0.9, airy - 0.6), airy + 1.3
    begin = min(FAR, y - 2)
    for zoom in range(40):
        orders = np.geomspace(low, high, 24)
        nu = -orders.astype(np.complex128)
        # Hitting the root exactly divides by zero; the comparison then fails, as it should.
        with np.errstate(divide="ignore", invalid="ignore"):
            growth = _taylor(nu, log_derivative(nu, begin), begin, y)[0]
            positive = np.cos(growth.imag) > 0
        if not positive[0]:
            # At first, the root is below the smallest float; later, it is `low` to rounding.
            return low if zoom else 0.0
        last = int(np.argmin(positive)) if not positive.all() else len(orders) - 1
        low, high = float(orders[last - 1]), float(orders[last])
        if high - low <= 4e-16 * high:
            break
    return high
