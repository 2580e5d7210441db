"""When a perturbation is applied: laws of the interval between perturbations, in epochs.

A perturbation acts after the metric of an epoch has been recorded, so an interval is a whole number
of epochs, at least 1. A continuous law is rounded up to the end of the epoch in which it falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.stats.distributions import rv_frozen


LONGEST = 1_000_000
"""Epochs of an interval."""


@dataclass(frozen=True, slots=True, eq=False)
class IntervalLaw:
    """Law of the interval R between perturbations.

    Attributes
    ----------
    name : str
        For labels.
    beyond : (epochs + 1,) array
        Pr(R > t) for t = 0, 1, ..., from 1 down to 0.
    """

    name: str
    beyond: NDArray[np.float64]

    def __post_init__(self) -> None:
        beyond = np.array(self.beyond, dtype=float)
        proper = beyond.ndim == 1 and beyond.size >= 2 and beyond[0] == 1 and beyond[-1] == 0
        if not (proper and np.all(np.diff(beyond) <= 0)):
            raise ValueError(
                "`beyond` must hold Pr(R > t) for t = 0, 1, ...: it starts at 1, never rises, and ends at 0, "
                f"got {beyond!r}"
            )
        beyond.flags.writeable = False
        object.__setattr__(self, "beyond", beyond)

    @property
    def longest(self) -> int:
        """Longest interval of the law, in epochs."""
        return self.beyond.size - 1

    @property
    def pmf(self) -> NDArray[np.float64]:
        """Pr(R = k) for k = 1 .. longest."""
        return -np.diff(self.beyond)


def periodic(period: int) -> IntervalLaw:
    """Sharp protocol: an interval of exactly ``period`` epochs."""
    if not (np.isfinite(period) and period >= 1 and period == int(period)):
        raise ValueError(f"`period` must be a whole number of epochs, at least 1, got {period}")
    return IntervalLaw(f"every {int(period)} epochs", np.r_[np.ones(int(period)), 0.0])


def renewal(distribution: rv_frozen, cut: float = 1e-9, name: str | None = None) -> IntervalLaw:
    """Interval law from a frozen `scipy.stats` distribution on positive numbers, in epochs.

    Parameters
    ----------
    distribution : frozen scipy.stats distribution
        Law of the interval, for example ``scipy.stats.gamma(4, scale=5)``.
    cut : float
        The tail of the law with less than this probability is moved to the longest interval kept.
    name : str, optional
        For labels.

    Examples
    --------
    >>> from scipy import stats
    >>> renewal(stats.randint(1, 3)).beyond
    array([1. , 0.5, 0. ])
    """
    if distribution.cdf(0) > 0:
        raise ValueError(
            f"`distribution` must be positive, but gives Pr(R <= 0) = {distribution.cdf(0):.3g}; "
            "shift or truncate it"
        )
    if not 0 < cut < 1:
        raise ValueError(f"`cut` must be a probability between 0 and 1, got {cut}")
    longest = distribution.isf(cut)
    if not longest < LONGEST:
        raise ValueError(
            f"`distribution` has intervals beyond {longest:.3g} epochs with probability {cut:g}; "
            "truncate it or raise `cut`"
        )
    beyond = np.asarray(distribution.sf(np.arange(int(np.ceil(longest)) + 1)))
    # What was cut off falls on the longest interval.
    return IntervalLaw(name or f"{distribution.dist.name} intervals", np.r_[1.0, beyond[1:-1], 0.0])


def poisson(rate: float, cut: float = 1e-9) -> IntervalLaw:
    """Poisson protocol: exponential intervals at ``rate`` per epoch, rounded up to whole epochs."""
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"`rate` must be positive, in perturbations per epoch, got {rate}")
    from scipy import stats

    if 0 < cut < 1 and not -np.log(cut) / rate < LONGEST:
        raise ValueError(
            f"`rate` {rate:g} per epoch gives intervals beyond {LONGEST:,} epochs with probability {cut:g}; take a "
            f"higher rate, or raise `cut`"
        )

    return renewal(stats.expon(scale=1 / rate), cut, name=f"Poisson, rate {rate:g} per epoch")
