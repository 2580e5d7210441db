r"""Test that a metric has the same law at several epochs, from runs recorded at all of them.

Two-sample Kolmogorov–Smirnov (KS) distances, with three precautions. The same runs at two epochs are
dependent samples, so each comparison takes one half of the runs at one epoch and the other half at the
other, averaged over several random splits. Comparing K epochs is K(K-1)/2 tests, so the statistic
is the largest of the scaled distances, and its null law that of the maximum. And since splits and
pairs share runs, that null law is simulated: runs whose values at the K epochs have equal laws and
the rank correlations of the data (a Gaussian copula) go through the same splits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

GRID = 64
SPLITS = 10
SIMULATIONS = 200
POWER_SIMULATIONS = 40
ENOUGH = 400
"""Runs in a simulated study at most: scaled distances hardly depend on the number of runs any more."""
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
        Shift of the law at the first epoch that the test at 5 % finds with probability 80 %, in the unit
        of the values; NaN where it was not asked for.
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
        law_first = below[0] / size_first[:, None, :, None]
        law_second = below[1] / size_second[:, None, :, None]
        gap = np.abs(law_first[..., :, None, :] - law_second[..., None, :, :]).max(axis=-1)
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
    scores = np.zeros_like(values)
    for k in range(values.shape[1]):
        present = recorded[:, k]
        ranks = stats.rankdata(values[present, k])
        scores[present, k] = special.ndtri(ranks / (ranks.size + 1))
    together = recorded.astype(float)
    norm = np.sqrt(((scores**2).T @ together) * (together.T @ scores**2))
    correlation = np.divide(scores.T @ scores, norm, out=np.eye(values.shape[1]), where=norm > 0)
    eigenvalues, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(eigenvalues, 1e-10, None))
    return root / np.linalg.norm(root, axis=1, keepdims=True)


def test_stationarity(values: Array, *, power: bool = False, seed: int = 0) -> StationarityTest:
    """Test that the columns of ``values`` have one law.

    Parameters
    ----------
    values : (runs, K) array
        The metric of each run at K epochs; NaN where a run is not recorded (ended, diverged, arrived).
    power : bool
        Also find the smallest shift that the test would have seen.
    seed : int
        Seed of the splits and of the simulation.

    Raises
    ------
    ValueError
        If an epoch has fewer than 8 runs recorded: there is nothing to split.
    """
    recorded = np.isfinite(values)
    fewest = int(recorded.sum(axis=0).min())
    if fewest < 8:
        raise ValueError(f"`values` needs at least 8 runs recorded at each epoch, got {fewest}; add runs")
    rng = np.random.default_rng(seed)
    pooled = np.sort(values[recorded])
    grid = np.unique(np.quantile(pooled, np.arange(1, GRID) / GRID, method="inverted_cdf"))
    halves = _Halves.draw(recorded, rng)
    distances, scaled = halves.distances(np.searchsorted(grid, values), grid.size)
    statistic = float(scaled.max())
    pairs = values.shape[1] * (values.shape[1] - 1) / 2
    bound = min(1.0, 4 * pairs * float(np.exp(-2 * statistic**2)))
    if bound < CLEAR and not power:
        return StationarityTest(distances, statistic, bound, float("nan"))
    null = _Null(
        root=_copula(values, recorded),
        levels=special.ndtri(np.searchsorted(pooled, grid, side="right") / pooled.size).astype(np.float32),
        halves=halves if power else _Halves.draw(recorded[rng.permutation(len(values))[:ENOUGH]], rng),
    )
    p_value, critical = _simulated_p_value(null, statistic, rng, stop_early=not power)
    shift = _detectable_shift(null, pooled, critical, grid, rng) if power else float("nan")
    return StationarityTest(distances, statistic, p_value, shift)


test_stationarity.__test__ = False  # type: ignore[attr-defined]  # a statistical test, not one of pytest's


@dataclass(frozen=True, slots=True, eq=False)
class _Null:
    """Runs whose law is the same at all epochs, correlated as the data are."""

    root: Array
    levels: NDArray[np.float32]  # the grid, in normal scores
    halves: _Halves

    def scores(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Normal scores of ``count`` simulated studies, (runs, count, K)."""
        runs, epochs = self.halves.recorded.shape
        size = (runs, count, epochs)
        return rng.standard_normal(size, dtype=np.float32) @ self.root.T.astype(np.float32)

    def statistics(self, codes: NDArray[np.int64]) -> Array:
        """Test statistic of each simulated study, from codes of shape (runs, count, K)."""
        return self.halves.distances(codes, self.levels.size)[1].max(axis=(-2, -1))


def _simulated_p_value(
    null: _Null, statistic: float, rng: np.random.Generator, stop_early: bool
) -> tuple[float, float]:
    """P-value, and the critical value at 5 %; stops after a quarter where the answer is clear by then."""
    simulated = np.empty(0)
    while simulated.size < SIMULATIONS:
        scores = null.scores(SIMULATIONS // 8, rng)
        simulated = np.r_[simulated, null.statistics(np.searchsorted(null.levels, scores))]
        if stop_early and simulated.size >= SIMULATIONS // 4 and np.mean(simulated >= statistic) > 0.2:
            break
    p_value = (1 + np.sum(simulated >= statistic)) / (1 + simulated.size)
    return float(p_value), float(np.quantile(simulated, 0.95))


def _detectable_shift(
    null: _Null, pooled: Array, critical: float, grid: Array, rng: np.random.Generator
) -> float:
    """Bisect the shift of the first epoch's law that exceeds ``critical`` in 80 % of the simulations."""
    scores = null.scores(POWER_SIMULATIONS, rng)
    low, high = 0.0, 2 * float(np.subtract(*np.quantile(pooled, [0.99, 0.01])))
    codes = np.searchsorted(null.levels, scores)
    for _ in range(9):
        shift = (low + high) / 2
        share = np.searchsorted(pooled, grid - shift, side="right") / pooled.size
        codes[..., 0] = np.searchsorted(special.ndtri(share).astype(np.float32), scores[..., 0])
        found = np.mean(null.statistics(codes) > critical)
        low, high = (low, shift) if found >= 0.8 else (shift, high)
    return high
