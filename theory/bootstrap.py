"""Bootstrap over runs: the run is the independent unit, whatever is computed from it.

Resampling is by random weights, one per seed: the Bayesian bootstrap (Rubin, Ann. Stat. 9, 130
(1981)). A weight is shared by all runs of that seed, so ensembles that share seeds are resampled
together; weights are normalised within each ensemble, so every ensemble keeps its size. Against
drawing whole runs with replacement the weights have two advantages here: no resample loses all of
the few late runs, so no ratio becomes 0/0; and overlapping seed ranges need no splitting into strata,
which would have too few seeds to vary. The weights are gamma variables of shape 1 - 2/n instead of
exponential ones, n the size of the smallest ensemble: then a resampled mean has the unbiased variance
s^2/n there, not s^2 (n-1)/(n(n+1)). More than 5,000 seeds are dealt into 5,000 groups of like size, which
are resampled whole: a standard error is then still known to 1 %, in bounded time and memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.estimates import LEVEL, Estimate, positive_estimate, ratio_estimate, sample_skewness

MOST_UNITS = 5_000
"""Seeds, or groups of seeds, that are resampled."""
FEW_RUNS = 200
"""Up to so many runs the skewness of the resamples counts; with more its effect is less than its noise."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RunWeights:
    """Weights of the runs of one ensemble, in the data (row 0) and in each resample.

    Attributes
    ----------
    units : (1 + resamples, units) array
        Weight of each seed, or group of seeds, of all ensembles that are resampled together.
    member : (runs,) int array
        The unit of each run.
    scale : (1 + resamples,) array
        Factor that makes the weights sum to the number of runs.
    """

    units: Array
    member: NDArray[np.intp]
    scale: Array

    def sum(self, values: ArrayLike) -> Array:
        """Weighted sum over runs of one value each, (1 + resamples,)."""
        totals = np.bincount(self.member, np.asarray(values, dtype=float), self.units.shape[1])
        return (self.units @ totals) * self.scale

    def counts(self, times: NDArray[np.int64], size: int, which: NDArray[np.bool_] | None = None) -> Array:
        """Weighted number of runs whose time is 0 .. size - 1, (1 + resamples, size).

        Parameters
        ----------
        times : (runs,) int array
            Below ``size``.
        size : int
            Number of times counted.
        which : (runs,) bool array, optional
            Runs that count. Default: all.
        """
        cell = self.member * size + times
        units = self.units.shape[1]
        totals = np.bincount(cell if which is None else cell[which], minlength=units * size)
        counted: Array = (self.units @ totals.reshape(units, size).astype(float)) * self.scale[:, None]
        return counted

    def each(self) -> Array:
        """The weights themselves, (1 + resamples, runs)."""
        return self.units[:, self.member] * self.scale[:, None]


def resample_runs(
    seeds: Sequence[ArrayLike], resamples: int, seed: int | np.random.Generator = 0
) -> list[RunWeights]:
    """Weights of the runs of several ensembles; equal seeds in two of them get equal weights.

    Parameters and errors are those of `bootstrap_weights`, which returns the same weights written out.
    """
    if resamples < 0:
        raise ValueError(f"`resamples` must be non-negative, got {resamples}")
    rng = np.random.default_rng(seed)
    groups = [np.asarray(group) for group in seeds]
    unique, inverse = np.unique(np.concatenate(groups), return_inverse=True)
    count = min(unique.size, MOST_UNITS)
    if count < unique.size:
        inverse = (rng.permutation(unique.size) % count)[inverse]
    members = np.split(inverse, np.cumsum([group.size for group in groups])[:-1])
    weights = np.ones((1 + resamples, count))
    shape = 1 - 2 / max(4, min(np.unique(member).size for member in members))
    weights[1:] = rng.standard_gamma(shape, (resamples, count))
    sizes = [np.bincount(member, minlength=count) for member in members]
    return [
        RunWeights(weights, member, member.size / (weights @ size))
        for member, size in zip(members, sizes, strict=True)
    ]


def bootstrap_weights(
    seeds: Sequence[ArrayLike], resamples: int, seed: int | np.random.Generator = 0
) -> list[Array]:
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
    return [weights.each() for weights in resample_runs(seeds, resamples, seed)]


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
    # Random weights of unit variance and skewness 2 give a mean twice the skewness that its runs give it.
    stderr = _spread(values)
    known = np.isfinite(stderr) and runs <= FEW_RUNS
    skewness = sample_skewness(values[1:]) * float(np.sqrt(runs)) / 2 if known else 0.0
    return positive_estimate(float(values[0]), stderr, runs, lower_bound, skewness=skewness)


def bootstrap_ratio(values: NDArray[np.float64], runs: int) -> Estimate:
    """Estimate of a ratio of means, as `bootstrap_estimate`."""
    return ratio_estimate(float(values[0]), _spread(values), runs)


def _spread(values: NDArray[np.float64]) -> float:
    resampled = values[1:]
    known = resampled.size > 1 and np.isfinite(resampled).all()
    return float(resampled.std(ddof=1)) if known else float("nan")
