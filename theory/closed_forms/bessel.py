"""Bessel functions through logarithms, from tiny to huge arguments (NIST DLMF chapter 10)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special


def log_i(order: float, x: NDArray[Any]) -> NDArray[Any]:
    """Logarithm of Gamma(order + 1) (x/2)^-order I_order(x), which is 1 at x = 0."""
    z = x**2 / 4
    small = np.abs(z) <= order + 1
    inner, outer = np.where(small, z, 0), np.where(small, 1, x)
    term = rise = inner / (order + 1)
    for k in range(2, 26):
        term = term * inner / (k * (order + k))
        rise = rise + term
    scale = special.gammaln(order + 1) - order * np.log(outer / 2)
    result: NDArray[Any] = np.where(small, special.log1p(rise), log_ive(order, outer) + outer + scale)
    return result


def log_ive(order: float, x: NDArray[Any]) -> NDArray[Any]:
    """Logarithm of exp(-x) I_order(x), Re x >= 0, x not near 0."""
    far = np.abs(x) > 1000 + 50 * order**2
    near = np.where(far, 1, x)
    # SciPy scales with exp(-|Re x|).
    direct = np.log(special.ive(order, near)) + np.abs(near.real) - near
    return np.where(far, _asymptotic(order, np.where(far, x, 1e4 + 100 * order**2), -1), direct)


def _asymptotic(order: float, x: NDArray[Any], sign: int) -> NDArray[Any]:
    """Logarithm of sqrt(1 / 2 pi x) times the series of exp(x) K (sign +1) or exp(-x) I (sign -1), up to pi."""
    term = series = np.ones_like(x)
    for k in range(1, 12):
        term = term * sign * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k * x)
        series = series + term
    result: NDArray[Any] = np.log(series) - np.log(2 * np.pi * x) / 2
    return result


def log_k(order: float, x: NDArray[Any]) -> NDArray[Any]:
    """Logarithm of K_order(x), by its leading terms where it is beyond the largest float."""
    order = abs(order)
    limit = 2 * np.exp((special.gammaln(order) - 650) / order) if order > 0 else 0.0
    tiny, far = np.abs(x) < limit, np.abs(x) > 1000 + 50 * order**2
    result: NDArray[Any] = np.log(special.kve(order, np.where(tiny | far, 1, x))) - x
    result = np.where(
        far, _asymptotic(order, np.where(far, x, 1e4 + 100 * order**2), 1) + np.log(np.pi) - x, result
    )
    if tiny.any():
        z = x[tiny] ** 2 / 4
        term, series = np.ones_like(z), np.ones_like(z)
        for k in range(1, min(13, int(np.ceil(order)))):
            term = -term * z / (k * (order - k))
            series = series + term
        result[tiny] = special.gammaln(order) - np.log(2) - order * np.log(x[tiny] / 2) + np.log(series)
    return result


def first_zero(order: float) -> float:
    """First positive zero of J_order, by Newton's method from Olver's expansion."""
    known = {-0.5: np.pi / 2, 0.0: 2.404825557695773, 0.5: np.pi}
    root: float = known.get(
        order, order + 1.8557571 * abs(order) ** (1 / 3) + 1.03315 * max(order, 0.1) ** (-1 / 3)
    )
    for _ in range(0 if order in known else 6):
        root -= float(special.jv(order, root) / special.jvp(order, root))
    return root
