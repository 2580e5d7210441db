"""What the tests of processes share: laws in whole steps, and resets of a walk in whole steps."""

import numpy as np

from ..statistics_of_passages import ALPHA


def same_discrete_law(sample, survival):
    """Whether Pr(T > t) agrees with ``survival[t]``, t = 0, 1, ..., by the bound of Dvoretzky, Kiefer, Wolfowitz.

    Times censored at the last t or later count as survivors.
    """
    t = np.arange(len(survival))
    alive = 1 - np.searchsorted(np.sort(sample.times[sample.observed]), t, side="right") / len(sample)
    return np.abs(alive - survival).max() < np.sqrt(np.log(2 / ALPHA) / (2 * len(sample)))


def sharp_mean(survival, period):
    """Mean of a walk in whole steps that is put back to its start after each ``period``."""
    return survival[:period].sum() / (1 - survival[period])


def geometric_mean(survival, rate):
    """The same at Poisson ``rate``: intervals rounded up to whole steps are geometric.

    ``survival`` must reach far enough for exp(-rate t) to vanish.
    """
    q = np.exp(-rate)
    total = survival @ q ** np.arange(len(survival))
    return total / (1 - (1 - q) / q * (total - 1))
