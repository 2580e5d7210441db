r"""Test that a metric has the same law at several epochs, from runs recorded at all of them.

Two-sample Kolmogorov–Smirnov (KS) distances, with three precautions. The same runs at two epochs are
dependent samples, so each comparison takes one half of the runs at one epoch and the other half at the
other, averaged over several random splits. Comparing K epochs is K(K-1)/2 tests, so the statistic
is the largest of the scaled distances, and its null law that of the maximum. And since splits and
pairs share runs, that null law is simulated: runs whose values at the K epochs have equal laws and
the rank correlations of the data (a Gaussian copula) go through the same splits.

With many runs any drift, however small, becomes significant. The null hypothesis can therefore allow a
shift of the law at the first epoch, as a fraction of the spread between runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID = 64
SPLITS = 10
SIMULATIONS = 200
POWER_SIMULATIONS = 80
SIMULATED_POWER = 0.9
"""Share of the simulations, of the law of one study, that stands for 80 % of the studies."""
ENOUGH = 400
"""Runs in a simulated study at most: scaled distances hardly depend on the number of runs any more."""
MOST = 2500
"""Runs used at most; more would only find shifts too small to matter."""
CLEAR = 1e-3
"""Below this bound of the p-value nothing needs to be simulated."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StationarityTest:
    """Result of `test_stationarity`.

    Attributes
    ----------
    distances : (K, K) array
        KS distance between disjoint halves of the runs at each pair of epochs, mean over the splits.
    statistic : float
        Largest distance, each scaled by N + 0.12 + 0.11 / N, where N = sqrt(m n / (m + n)) and m, n are the
        sizes of the two samples (Stephens, J. R. Stat. Soc. B 32, 115 (1970)).
    p_value : float
        Probability of a statistic at least as large if the law is the same at all epochs.
    detectable_shift : float
        Shift of the law at the first epoch that the test at 5 % finds with probability 80 %, in the unit of the
        values. It is the one found in 90 % of simulations, which take the law of these values for the true one:
        over studies it is then found in 75 % from 30 runs, in 85 % from more (`make calibrate`).
        NaN where it was not asked for.
    """

    distances: Array
    statistic: float
    p_value: float
    detectable_shift: float


@dataclass(frozen=True, slots=True, eq=False)
class _Halves:
    """Random halves of the runs, and where each run is recorded."""

    first: NDArray[np.bool_]  # (splits, runs), whether in the first half
    recorded: NDArray[np.bool_]  # (runs, K)

    @classmethod
    def draw(cls, recorded: NDArray[np.bool_], rng: np.random.Generator) -> _Halves:
        runs = recorded.shape[0]
        order = rng.permuted(np.tile(np.arange(runs), (SPLITS, 1)), axis=1)
        return cls(order < runs // 2, recorded)

    def distances(self, codes: NDArray[np.int64], grid: int) -> tuple[Array, Array]:
        """KS distances and scaled ones, each (..., K, K).

        ``codes``, (runs, ..., K), is the index of the first of ``grid`` grid points at or above each value.
        """
        runs, *batch, epochs = codes.shape
        present = self.recorded.reshape(runs, *[1] * len(batch), epochs)
        cell = np.where(present, codes, grid).reshape(runs, -1)
        cell = cell + (grid + 1) * np.arange(cell.shape[1])
        length = (grid + 1) * cell.shape[1]
        counts = np.stack([np.bincount(cell[half].ravel(), minlength=length) for half in self.first])
        counts = np.stack([counts, np.bincount(cell.ravel(), minlength=length) - counts])
        below = counts.reshape(2, SPLITS, -1, epochs, grid + 1)[..., :-1].cumsum(axis=-1, dtype=np.float32)
        size_first = self.first.astype(np.float32) @ self.recorded.astype(np.float32)
        size_second = self.recorded.sum(axis=0) - size_first
        # Where a half has no run at an epoch, nothing is known there and no difference is seen.
        known = (size_first > 0)[:, None, :, None] & (size_second > 0)[:, None, None, :]
        size_first, size_second = np.maximum(size_first, 1), np.maximum(size_second, 1)
        law_first = below[0] / size_first[:, None, :, None]
        law_second = below[1] / size_second[:, None, :, None]
        gap = np.abs(law_first[..., :, None, :] - law_second[..., None, :, :]).max(axis=-1) * known
        size = np.sqrt(1 / (1 / size_first[:, :, None] + 1 / size_second[:, None, :]))
        scale = (size + 0.12 + 0.11 / size)[:, None]
        means = gap.mean(axis=0), (gap * scale).mean(axis=0)
        plain, scaled = (_symmetric(mean.reshape(*batch, epochs, epochs)) for mean in means)
        return plain, scaled


def _symmetric(matrix: Array) -> Array:
    both = (matrix + np.swapaxes(matrix, -1, -2)) / 2
    diagonal = np.arange(both.shape[-1])
    both[..., diagonal, diagonal] = 0.0
    return both


def _copula(values: Array, recorded: NDArray[np.bool_]) -> Array:
    """Cholesky factor of the normal-score correlations between the epochs, (K, K)."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    scores = np.zeros_like(values)
    for k in range(values.shape[1]):
        present = recorded[:, k]
        ranks = rankdata(values[present, k])
        scores[present, k] = ndtri(ranks / (ranks.size + 1))
    together = recorded.astype(float)
    norm = np.sqrt(((scores**2).T @ together) * (together.T @ scores**2))
    correlation = np.divide(scores.T @ scores, norm, out=np.eye(values.shape[1]), where=norm > 0)
    eigenvalues, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(eigenvalues, 1e-10, None))
    scores_of_unit_length: Array = root / np.linalg.norm(root, axis=1, keepdims=True)
    return scores_of_unit_length


def spread_between_runs(values: Array) -> float:
    """Robust standard deviation of all finite values: 0.7413 times their interquartile range."""
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [0.25, 0.75])
    return float(0.7413 * (high - low) if high > low else finite.std())


def test_stationarity(
    values: Array, *, tolerance: float = 0.0, power: bool = False, seed: int = 0
) -> StationarityTest:
    """Test that the columns of ``values`` have one law.

    Parameters
    ----------
    values : (runs, K) array
        The metric of each run at K epochs; NaN where a run is not recorded (ended, diverged, arrived).
        Of more than 2,500 runs a random 2,500 are used.
    tolerance : float
        Shift of the law at the first epoch that the null hypothesis allows, as a fraction of the spread
        between runs. The level is 5 % at that shift, and lower below it.
    power : bool
        Also find the smallest shift that the test would have seen.
    seed : int
        Seed of the splits and of the simulation.

    Raises
    ------
    ValueError
        If an epoch has fewer than 8 runs recorded: there is nothing to split.
    """
    if not tolerance >= 0:
        raise ValueError(f"`tolerance` must be non-negative, in spreads between runs, got {tolerance}")
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] < 2:
        raise ValueError(f"`values` must be (runs, K) at K = 2 epochs or more, got shape {values.shape}")
    rng = np.random.default_rng(seed)
    if len(values) > MOST:
        values = values[np.sort(rng.permutation(len(values))[:MOST])]
    recorded = np.isfinite(values)
    fewest = int(recorded.sum(axis=0).min())
    if fewest < 8:
        raise ValueError(f"`values` needs at least 8 runs recorded at each epoch, got {fewest}; add runs")
    null = _Null.of(values, recorded)
    halves = _Halves.draw(recorded, rng)
    distances, scaled = halves.distances(np.searchsorted(null.grid, values), null.grid.size)
    statistic = float(scaled.max())
    shift = tolerance * spread_between_runs(values)
    bound = null.bound(statistic, shift, fewest)
    if bound < CLEAR and not power:
        return StationarityTest(distances, statistic, bound, float("nan"))
    if power:
        p_value, critical = _simulate(null, halves, statistic, shift, rng, stop_early=False)
        smallest = _detectable_shift(null, halves, critical, rng)
        # Where there is such a shift, the law that the test takes for that of all epochs is wider.
        shifted = values.copy()
        shifted[:, 0] -= smallest
        wider, shift = _Null.of(shifted, recorded), tolerance * spread_between_runs(shifted)
        _, critical = _simulate(wider, halves, statistic, shift, rng, stop_early=False)
        smallest = _detectable_shift(null, halves, critical, rng)
        return StationarityTest(distances, statistic, p_value, smallest)
    few = _Halves.draw(recorded[rng.permutation(len(values))[:ENOUGH]], rng)
    # Scaled distances are those of a shift times the square root of the number of runs.
    shift *= np.sqrt(len(values) / len(few.recorded))
    p_value, _ = _simulate(null, few, statistic, shift, rng, stop_early=True)
    return StationarityTest(distances, statistic, p_value, float("nan"))


test_stationarity.__test__ = False  # type: ignore[attr-defined]  # a statistical test, not one of pytest's


@dataclass(frozen=True, slots=True, eq=False)
class _Null:
    """Runs whose law is the same at all epochs but for a shift at the first, correlated as the data are."""

    pooled: Array  # all values, sorted
    grid: Array  # quantiles of them
    root: Array

    @classmethod
    def of(cls, values: Array, recorded: NDArray[np.bool_]) -> _Null:
        pooled = np.sort(values[recorded])
        grid = np.unique(np.quantile(pooled, np.arange(1, GRID) / GRID, method="inverted_cdf"))
        return cls(pooled, grid, _copula(values, recorded))

    def share_below(self, shift: float) -> Array:
        """Share of the values, shifted up by ``shift``, that lie at or below each grid point."""
        return np.searchsorted(self.pooled, self.grid - shift, side="right") / self.pooled.size

    def bound(self, statistic: float, shift: float, runs: int) -> float:
        """Upper bound of the p-value, from the tail of the Kolmogorov law for each pair of epochs."""
        pairs = len(self.root) * (len(self.root) - 1) / 2
        allowed = np.abs(self.share_below(shift) - self.share_below(0)).max() * (np.sqrt(runs) / 2 + 0.12)
        return min(1.0, 4 * pairs * float(np.exp(-2 * max(0.0, statistic - allowed) ** 2)))

    def scores(self, halves: _Halves, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Normal scores of ``count`` simulated studies, (runs, count, K)."""
        runs, epochs = halves.recorded.shape
        normal = rng.standard_normal((runs, count, epochs), dtype=np.float32)
        return normal @ self.root.T.astype(np.float32)

    def statistics(self, scores: NDArray[np.float32], halves: _Halves, shift: float) -> Array:
        """Test statistic of each simulated study."""
        from scipy.special import ndtri

        codes = np.empty(scores.shape, dtype=np.int64)
        for k, moved in enumerate([shift] + [0.0] * (len(self.root) - 1)):
            levels = ndtri(self.share_below(moved)).astype(np.float32)
            codes[..., k] = np.searchsorted(levels, scores[..., k])
        largest: Array = halves.distances(codes, self.grid.size)[1].max(axis=(-2, -1))
        return largest


def _simulate(
    null: _Null,
    halves: _Halves,
    statistic: float,
    shift: float,
    rng: np.random.Generator,
    stop_early: bool,
) -> tuple[float, float]:
    """P-value, and the critical value at 5 %; stops after a quarter where the answer is clear by then."""
    simulated = np.empty(0)
    while simulated.size < SIMULATIONS:
        scores = null.scores(halves, SIMULATIONS // 8, rng)
        simulated = np.r_[simulated, null.statistics(scores, halves, shift)]
        if stop_early and simulated.size >= SIMULATIONS // 4 and np.mean(simulated >= statistic) > 0.2:
            break
    p_value = (1 + np.sum(simulated >= statistic)) / (1 + simulated.size)
    return float(p_value), float(np.quantile(simulated, 0.95))


def _detectable_shift(null: _Null, halves: _Halves, critical: float, rng: np.random.Generator) -> float:
    """Bisect the shift of the first epoch's law that exceeds ``critical`` in enough of the simulations."""
    scores = null.scores(halves, POWER_SIMULATIONS, rng)
    low, high = 0.0, 2 * float(np.subtract(*np.quantile(null.pooled, [0.99, 0.01])))
    for _ in range(9):
        shift = (low + high) / 2
        found = np.mean(null.statistics(scores, halves, shift) > critical)
        low, high = (low, shift) if found >= SIMULATED_POWER else (shift, high)
    return high
