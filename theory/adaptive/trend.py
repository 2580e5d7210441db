r"""A sequential test that a run has settled, from its own values alone.

Null hypothesis: the run is still on its way, the line through its recent values reaches the threshold within as
many epochs as these values span. After ``s`` epochs the recent values are the last ``m = s // 2``, so that a
transient at the beginning drops out as the run goes on. The run is said to have settled at the first check at which
the upper confidence limit of the least-squares line, ``m`` epochs ahead, is short of the threshold:

.. math:: \hat y(s + m) + t_{1-\alpha_k,\,m-2}\ \hat\sigma \sqrt{\frac1m + \frac{12\,((3m-1)/2)^2}{m (m^2-1)}}
          < \theta ,

and its slope is not significantly upward (one-sided t-test at level :math:`\alpha`), which spares runs that rise
steadily, but have far to go. Checks are at epochs that grow by a quarter, from ``first`` on, and the k-th of them has
level :math:`\alpha_k = \alpha / (k(k+1))`, which add up to :math:`\alpha`. A run for which the null hypothesis holds at
all checks is therefore said to have settled with probability at most :math:`\alpha`, whatever the number of checks and
their dependence (Bonferroni's inequality, and stopping at the goal only removes checks; the confidence limit is exact
for a linear trend with independent normal noise, as in Draper and Smith, Applied Regression Analysis, section 1.4). A
metric that rises ever more slowly has a line that ends too high: the test is conservative for it. It is blind to a
rise that has not begun, and noise that is correlated over epochs makes it too confident.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theory.passages import Direction, check_direction

GROWTH = 1.25
FIRST = 8
ALPHA = 0.05

Array = NDArray[np.float64]


def check_epochs(until: int, first: int = FIRST) -> list[int]:
    """Epochs at which the test is made, up to ``until``.

    Examples
    --------
    >>> check_epochs(40)
    [8, 10, 13, 17, 22, 28, 35]
    """
    if not first >= FIRST:
        raise ValueError(f"`first` must be at least {FIRST} epochs, got {first}; a line needs some values")
    found, epoch = [], first
    while epoch <= until:
        found.append(epoch)
        epoch = math.ceil(GROWTH * epoch)
    return found


@lru_cache(maxsize=4096)
def _quantile(window: int, level: float) -> float:
    """Student's quantile for a line through ``window`` values."""
    return float(special.stdtrit(window - 2, 1 - level))


def fit(values: Array) -> tuple[Array, Array, Array]:
    """Line through ``values`` (runs, m): its mean, its slope, and the standard deviation around it, (runs,) each."""
    m = values.shape[1]
    centred = np.arange(m) - (m - 1) / 2
    mean = values.mean(axis=1)
    slope = values @ centred / (m * (m * m - 1) / 12)
    rest = values - mean[:, None] - slope[:, None] * centred
    return mean, slope, np.sqrt(np.sum(rest**2, axis=1) / (m - 2))


def upper_limit(values: Array, level: float) -> Array:
    """Upper confidence limit of the line through ``values`` (runs, m), m epochs ahead; shape (runs,)."""
    m = values.shape[1]
    mean, slope, sigma = fit(values)
    ahead = (3 * m - 1) / 2
    error = sigma * np.sqrt(1 / m + 12 * ahead**2 / (m * (m * m - 1)))
    return np.asarray(mean + slope * ahead + _quantile(m, level) * error)


def rises(values: Array, level: float) -> NDArray[np.bool_]:
    """Whether the slope of the line through ``values`` (runs, m) is significantly upward; shape (runs,)."""
    m = values.shape[1]
    _, slope, sigma = fit(values)
    return np.asarray(slope > _quantile(m, level) * sigma * np.sqrt(12 / (m * (m * m - 1))))


def settled_since(
    values: Array,
    threshold: float,
    direction: Direction = "at_least",
    *,
    alpha: float = ALPHA,
    first: int = FIRST,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Whether and since when runs have settled.

    Parameters
    ----------
    values : (runs, epochs) array
        The metric since the start or the last perturbation.
    threshold, direction
        As for `theory.first_passage`.
    alpha : float
        Probability to say so of a run that is still on its way.
    first : int
        Epoch of the first check.

    Returns
    -------
    onset, declared : (runs,) int arrays
        First of the values that the line went through, and the epoch of the check, from 1; 0 where it has not
        been said.
    """
    check_direction(direction)
    sign = 1.0 if direction == "at_least" else -1.0
    onset, declared = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=np.int64)
    for k, epoch in enumerate(check_epochs(values.shape[1], first), 1):
        open_ = np.flatnonzero(declared == 0)
        if not open_.size:
            break
        window = epoch // 2
        recent = sign * values[open_, epoch - window : epoch]
        settled = (upper_limit(recent, alpha / (k * (k + 1))) < sign * threshold) & ~rises(recent, alpha)
        now = open_[settled]
        onset[now], declared[now] = epoch - window + 1, epoch
    return onset, declared
