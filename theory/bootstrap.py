"""Bootstrap over runs: the run is the independent unit, whatever is computed from it.

Resampling is by random weights, one per seed: the Bayesian bootstrap (Rubin, Ann. Stat. 9, 130
(1981)). A weight is shared by all runs of that seed, so ensembles that share seeds are resampled
together; weights are normalised within each ensemble, so every ensemble keeps its size. Against
drawing whole runs with replacement the weights have two advantages here: no resample loses all of
the few late runs, so no ratio becomes 0/0; and overlapping seed ranges need no splitting into strata,
which would have too few seeds to vary. The weights are gamma variables of shape 1 - 2/n instead of
exponential ones, n the size of the smallest ensemble: then a resampled mean has the unbiased variance
s^2/n there, not s^2 (n-1)/(n(n+1)).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.estimates import LEVEL, Estimate, positive_estimate


def bootstrap_weights(
    seeds: Sequence[ArrayLike], resamples: int, seed: int | np.random.Generator = 0
) -> list[NDArray[np.float64]]:
    """Weights of the runs of several ensembles, the data themselves first.

    Parameters
    ----------
    seeds : sequence of (runs_k,) int arrays
        Seeds of the runs of each ensemble; equal seeds in two ensembles get equal weights.
    resamples : int
        Number of resamples; 0 gives only the data.
    seed : int or numpy.random.Generator
        Seed of the resampling.

    Returns
    -------
    list of (1 + resamples, runs_k) arrays
        Row 0 is all ones, every other row a resample; each row sums to the number of runs.

    Examples
    --------
    >>> first, second = bootstrap_weights([[1, 2, 3], [2, 3]], resamples=2)
    >>> first.shape, first[0], bool(np.isclose(first[1, 1] / first[1, 2], second[1, 0] / second[1, 1]))
    ((3, 3), array([1., 1., 1.]), True)
    """
    if resamples < 0:
        raise ValueError(f"`resamples` must be non-negative, got {resamples}")
    rng = np.random.default_rng(seed)
    groups = [np.asarray(group) for group in seeds]
    unique, inverse = np.unique(np.concatenate(groups), return_inverse=True)
    weights = np.ones((1 + resamples, unique.size))
    shape = 1 - 2 / max(4, min(group.size for group in groups))
    weights[1:] = rng.standard_gamma(shape, (resamples, unique.size))
    result, start = [], 0
    for group in groups:
        chosen = weights[:, inverse[start : start + group.size]]
        result.append(chosen * (group.size / chosen.sum(axis=1, keepdims=True)))
        start += group.size
    return result


def percentile_interval(values: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Central interval of bootstrap values; infinite values count, NaN in any makes both ends NaN."""
    values = np.asarray(values, dtype=float)
    if values.size == 0 or np.isnan(values).any():
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method="nearest")
    return float(low), float(high)


def bootstrap_estimate(values: NDArray[np.float64], runs: int, lower_bound: bool = False) -> Estimate:
    """Estimate of a positive quantity from its values for the data (first) and for each resample.

    With fewer than two resamples, or infinite values among them, its error and interval are NaN.
    """
    resampled = values[1:]
    known = resampled.size > 1 and np.isfinite(resampled).all()
    stderr = float(resampled.std(ddof=1)) if known else float("nan")
    return positive_estimate(float(values[0]), stderr, runs, lower_bound)
