"""Numbers of any discrete law in constant time, by the alias table of Walker and Vose."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def alias_table(weights: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Table from which k is drawn with probability ``weights[k]`` / sum.

    A place k is drawn uniformly and kept with probability ``keep[k]``, else replaced by ``other[k]`` (Vose,
    IEEE Trans. Softw. Eng. 17, 972 (1991)).

    Examples
    --------
    >>> alias_table([1.0, 3.0])
    (array([0.5, 1. ]), array([1, 1]))
    """
    weights = np.asarray(weights, dtype=float)
    share = weights * (weights.size / weights.sum())
    keep, other = np.ones(weights.size), np.arange(weights.size)
    small = [k for k in range(weights.size) if share[k] < 1]
    large = [k for k in range(weights.size) if share[k] >= 1]
    while small and large:
        low, high = small.pop(), large.pop()
        keep[low], other[low] = share[low], high
        share[high] -= 1 - share[low]
        (small if share[high] < 1 else large).append(high)
    return keep, other
