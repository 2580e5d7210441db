"""How long the metric takes to settle, after the start and after a perturbation.

The settling time is that of control engineering: the first epoch from which the mean stays within a
given fraction of its largest excursion from the final level. Unlike the onset found by a
Kolmogorov–Smirnov test it does not grow with the number of runs, which makes it the right scale for
the question "has this cycle run long enough to forget how it began?".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory.ensembles import Ensemble


def settling_epoch(values: NDArray[np.float64], level: float, tolerance: float) -> int | None:
    """First epoch from which the mean over runs stays close to ``level``.

    Parameters
    ----------
    values : (runs, epochs) array
        The metric after epochs 1, 2, ...; NaN where a run is not recorded.
    level : float
        The level to settle at, in the unit of the metric.
    tolerance : float
        Allowed distance, as a fraction of the largest distance of the mean from ``level``. Distances
        below two standard errors of the mean always count as settled.

    Returns
    -------
    int or None
        The epoch, from 1; None if the mean is still outside at the end.

    Examples
    --------
    >>> settling_epoch(np.array([[0.0, 8.0, 9.8, 10.0], [0.0, 8.0, 9.8, 10.0]]), level=10.0, tolerance=0.05)
    3
    """
    runs = np.sum(np.isfinite(values), axis=0)
    if (runs == 0).any():
        raise ValueError(f"`values` has no run recorded at epoch {int(np.argmin(runs)) + 1}; shorten it")
    # Squares of very large or small numbers do not fit; a power of two changes nothing else.
    exponent = int(np.frexp(np.nanmax(np.abs(values)))[1])
    if abs(exponent) > 500:
        values, level = np.ldexp(values, -exponent), float(np.ldexp(level, -exponent))
    distance = np.abs(np.nanmean(values, axis=0) - level)
    noise = np.nanstd(values, axis=0) / np.sqrt(runs)
    outside = distance > np.maximum(tolerance * distance.max(), 2 * noise)
    if outside[-1]:
        return None
    return int(np.flatnonzero(outside)[-1]) + 2 if outside.any() else 1


def correlation_time(values: NDArray[np.float64], window: float = 5.0) -> float:
    """Integrated autocorrelation time of the metric within runs, each about its own mean.

    What differs between runs for good, like the level of their plateaus, does not count. No run forgets its start
    faster than its fluctuations decorrelate. The sum 1/2 + rho(1) + rho(2) + ... ends by Sokal's rule, at the first
    lag of at least ``window`` times the sum so far (A. Sokal, "Monte Carlo Methods in Statistical Mechanics", 1997);
    of runs shorter than some 50 correlation times it comes out too small.

    Parameters
    ----------
    values : (runs, epochs) array
        The metric in the plateau, all finite.
    window : float
        Lags summed, in units of the correlation time.

    Returns
    -------
    float
        Epochs; 0.5 for independent epochs, and for a metric that does not move.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> bool(abs(correlation_time(rng.normal(size=(50, 200))) - 0.5) < 0.1)
    True
    """
    epochs = values.shape[1]
    scale = float(np.abs(values).max(initial=0.0))
    moves = values / (scale or 1.0)
    moves = moves - moves.mean(axis=1, keepdims=True)
    moves[np.ptp(values, axis=1) == 0] = 0.0  # what rounding in the mean has left of them is no movement
    variance = float(np.mean(np.sum(moves**2, axis=1)))
    time = 0.5
    if not variance > 0:
        return time
    for lag in range(1, epochs):
        if lag > window * time:
            break
        products = np.sum(moves[:, lag:] * moves[:, : epochs - lag], axis=1)
        time = max(0.5, time + float(products.mean()) / variance)
    return time


def settling_after_start(unperturbed: Ensemble, period: int, tolerance: float) -> int | None:
    """Settling epoch of unperturbed runs towards their mean at epoch ``period``, or None."""
    period = min(period, unperturbed.horizon)
    values = unperturbed.some().recorded[:, :period]
    if not np.isfinite(values[:, -1]).any():
        return None
    return settling_epoch(values, float(np.nanmean(values[:, -1])), tolerance)


def settling_after_perturbation(
    perturbed: Ensemble, cycles: int, tolerance: float, min_runs: int
) -> int | None:
    """Longest settling time, in epochs after a perturbation, over the first ``cycles`` cycles.

    Each cycle is compared with its own end, over the runs recorded to that end. None if the metric
    still moves in the last quarter of a cycle, or if no cycle has ``min_runs`` runs recorded to its end.
    """
    period = int(perturbed.period or 0)
    recorded = perturbed.some().recorded
    longest: int | None = None
    for start in period * np.arange(1, cycles + 1):
        values = recorded[:, start : start + period]
        values = values[np.isfinite(values).all(axis=1)]
        if values.shape[1] < period or len(values) < min_runs:
            continue
        settled = settling_epoch(values, float(values[:, -1].mean()), tolerance)
        if settled is None or settled > max(1, 0.75 * period):
            return None
        longest = max(longest or 1, settled)
    return longest
