r"""Binomial and Poisson numbers, exactly, at a cost that does not grow with their mean.

Binomial numbers are transformed uniforms with rejection (Hörmann, J. Stat. Comput. Simul. 46, 101 (1993),
algorithm BTRS). A Poisson number is found from the time of a late event of the Poisson process, which is gamma
distributed, and a binomial number of events before it (Ahrens and Dieter, Computing 12, 223 (1974)).
"""

from __future__ import annotations

import math

import numpy as np

from stochreset.kernels.clocks import gamma_variate
from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.streams import uniform

FEW = 10.0
"""Up to this mean, events are counted one by one."""


@called
def stirling_error(k):
    """Ln k! minus Stirling's formula for it, up to 1e-15."""
    n = k + 1.0
    shift = 0.0
    # Up to 15 by the recursion of the logarithms: the series is for large numbers.
    while n < 16.0:
        shift += (n + 0.5) * math.log1p(1.0 / n) - 1.0
        n += 1.0
    r = 1.0 / (n * n)
    return shift + (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680) * r) * r) * r) / n


@inlined
def _few_successes(trials, chance, stream):
    """Count the successes by the gaps between them, which are geometric."""
    rate = -math.log1p(-chance)
    count, place = 0, 0.0
    while True:
        place += np.floor(-math.log(uniform(stream)) / rate) + 1.0
        if place > trials:
            return count
        count += 1


@called
def _rarer(trials, chance, stream):
    """Binomial number for ``chance`` <= 1/2, as a float."""
    mean = trials * chance
    if mean < FEW:
        return float(_few_successes(trials, chance, stream))
    spread = math.sqrt(mean * (1.0 - chance))
    odds = chance / (1.0 - chance)
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    alpha = (2.83 + 5.1 / b) * spread
    sure = 0.92 - 4.2 / b
    mode = np.floor((trials + 1.0) * chance)
    while True:
        u, v = uniform(stream) - 0.5, uniform(stream)
        side = 0.5 - abs(u)
        k = np.floor((2.0 * a / side + b) * u + mean + 0.5)
        if side >= 0.07 and v <= sure:
            return k
        if k < 0.0 or k > trials:
            continue
        # ln of the probability of k over that of the mode; all logarithms are of ratios near 1.
        weight = (
            (mode + 0.5) * math.log((mode + 1.0) / (odds * (trials - mode + 1.0)))
            + (trials + 1.0) * math.log1p((k - mode) / (trials - k + 1.0))
            + (k + 0.5) * math.log(odds * (trials - k + 1.0) / (k + 1.0))
            + stirling_error(mode)
            + stirling_error(trials - mode)
            - stirling_error(k)
            - stirling_error(trials - k)
        )
        if math.log(v * alpha / (a / (side * side) + b)) <= weight:
            return k


@inlined
def binomial(trials, chance, stream):
    """Number of successes in ``trials`` with probability ``chance`` each, as a float."""
    if chance > 0.5:
        return trials - _rarer(float(trials), 1.0 - chance, stream)
    return _rarer(float(trials), chance, stream)


@called
def poisson(mean, stream):
    """Poisson number, as a float."""
    count = 0.0
    while mean > FEW:
        order = np.floor(0.875 * mean)
        time = gamma_variate(order, stream)
        if time > mean:
            return count + binomial(order - 1.0, mean / time, stream)
        count += order
        mean -= time
    left = mean
    while True:
        left += math.log(uniform(stream))
        if left < 0.0:
            return count
        count += 1.0
