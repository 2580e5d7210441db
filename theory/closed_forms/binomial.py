"""Logarithms of binomial probabilities and tails that keep their accuracy where there are many trials.

`scipy.stats.binom` takes differences of large log-gamma functions, which at 1e7 trials leave an error of 2e-8; the
form of Loader (2000) has none (1e-12 there).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from theory.closed_forms.base import FloatArray


def log_binomial(n: FloatArray, k: FloatArray, p: float, q: float) -> FloatArray:
    """Logarithm of the binomial probability of ``k`` out of ``n`` (Loader, 2000), accurate also at large n."""
    inside = (k > 0) & (k < n)
    m, j = np.where(inside, n, 2.0), np.where(inside, k, 1.0)
    rest = m - j
    found = stirling_error(m) - stirling_error(j) - stirling_error(rest)
    found = found - deviance(j, m * p) - deviance(rest, m * q) + np.log(m / (2 * np.pi * j * rest)) / 2
    result: FloatArray = np.where(inside, found, special.xlogy(k, p) + special.xlogy(n - k, q))
    return result


def log_binomial_tail(n: FloatArray, k: FloatArray, p: float) -> FloatArray:
    """Logarithm of Pr(at least ``k`` of ``n``); by the ratio of consecutive terms where it underflows."""
    inside = (k >= 1) & (k <= n)
    m, j = np.where(inside, n, 1.0), np.where(inside, k, 1.0)
    found = np.log(special.betainc(j, m - j + 1, p))
    small = inside & (found < -650) & (p > 0)
    if small.any():
        # Continued ratio of the first terms; so far out they fall at least geometrically.
        steps = np.arange(4000)
        up = j[small, None] + steps
        ratio = np.maximum(m[small, None] - up, 0.0) / (up + 1) * (p / (1 - p))
        series = np.log1p(np.cumprod(ratio, axis=1).sum(axis=1))
        found[small] = log_binomial(m[small], j[small], p, 1 - p) + series
    return np.where(inside, found, np.where(k > n, -np.inf, 0.0))


def stirling_error(n: FloatArray) -> FloatArray:
    """Logarithm of n! less Stirling's formula."""
    large = np.maximum(n, 16.0)
    square = 1 / large**2
    series = 1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))
    small = np.minimum(n, 16.0)
    exact = special.gammaln(small + 1) - (small + 0.5) * np.log(small) + small - np.log(2 * np.pi) / 2
    return np.where(n > 16, series / large, exact)


def deviance(k: FloatArray, mean: FloatArray) -> FloatArray:
    """Return k ln(k / mean) + mean - k, without cancellation near the mean."""
    with np.errstate(divide="ignore", invalid="ignore"):
        delta = (k - mean) / mean
        near = mean * ((1 + delta) * np.log1p(delta) - delta)
        return np.where(mean > 0, near, np.inf)
