"""First-passage statistics of any number of runs in little memory: the times themselves are not kept."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stochreset.engine import check_threads, chunk_size, run_blocks
from stochreset.plan import make_plan
from stochreset.simulation import check_runs, check_seed, compile_kernel
from theory.estimates import Estimate, positive_estimate
from theory.passages import read_only

BLOCK = 1 << 16
"""Runs reduced at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class PassageSummary:
    """Statistics of first-passage times, in the unit of time of the process.

    Attributes
    ----------
    runs, n_censored : int
        Runs, and those that had not arrived at the horizon.
    mean : Estimate
        Mean first-passage time; with censored runs the mean of min(T, horizon), marked as a lower bound.
    variance : float
        Of T, or of min(T, horizon).
    shortest, longest : float
        Extremes; a censored run counts with the horizon.
    grid, survival, survival_stderr : (points,) array
        Pr(T > t) at the times t of the grid up to the horizon, and its standard error.
    edges, counts : (bins + 1,) and (bins,) array
        Histogram of the times of runs that arrived.
    method, dt, expected_bias, seed, steps, seconds
        As in `SimulatedSample`.
    """

    runs: int
    n_censored: int
    mean: Estimate
    variance: float
    shortest: float
    longest: float
    grid: NDArray[np.float64]
    survival: NDArray[np.float64]
    survival_stderr: NDArray[np.float64]
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    method: str
    dt: float | None
    expected_bias: str
    seed: int
    steps: int
    seconds: float


@dataclass(slots=True)
class _Part:
    """What is kept of one block."""

    runs: int
    mean: float
    squares: float  # sum of squared distances from the mean
    censored: int
    shortest: float
    longest: float
    beyond: NDArray[np.int64]
    counts: NDArray[np.int64]
    steps: int


def summarize(
    process: Any,
    protocol: Any = None,
    perturbation: Any = None,
    *,
    runs: int,
    seed: int,
    grid: ArrayLike = (),
    bins: ArrayLike = (),
    horizon: float | None = None,
    method: str = "auto",
    dt: float | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> PassageSummary:
    """Simulate first-passage times and keep their statistics only.

    Parameters
    ----------
    process, protocol, perturbation, runs, seed, horizon, method, dt, threads, progress
        As for `stochreset.simulate`, and for the same seed and number of runs the times are the same.
    grid : array, optional
        Ascending times at which to estimate the survival curve.
    bins : array, optional
        Ascending edges of the histogram.

    Examples
    --------
    >>> from stochreset import Brownian
    >>> summary = summarize(Brownian(drift=1), runs=100_000, seed=1, grid=[0.5, 1.0, 2.0])
    >>> summary.survival.round(2)
    array([0.51, 0.29, 0.13])
    """
    plan = make_plan(process, protocol, perturbation, horizon, method, dt)
    check_runs(runs)
    check_seed(seed)
    points, edges = _ascending("grid", grid), _ascending("bins", bins)
    if points.size and points[-1] > plan.horizon:
        raise ValueError(f"`grid` must end at the horizon {plan.horizon:g} or before, got {points[-1]:g}")
    size = chunk_size(int(runs))
    fill = plan.kernel(size, int(seed))
    compile_kernel(fill, progress)
    parts: dict[int, _Part] = {}

    def work(first: int, last: int, stop: NDArray[np.uint8]) -> None:
        times, censored = np.empty(BLOCK), np.empty(BLOCK, dtype=np.bool_)
        for block in range(first, last):
            start = block * BLOCK
            count = min(BLOCK, runs - start)
            steps = fill(start, times[:count], censored[:count], stop)
            if stop[0]:
                return
            parts[block] = _reduce(times[:count], censored[:count], points, edges, steps)

    began = time.perf_counter()
    run_blocks(work, -(-runs // BLOCK), threads=check_threads(threads), largest=64, progress=progress)
    seconds = time.perf_counter() - began
    total = [parts[block] for block in sorted(parts)]
    mean = math.fsum(part.runs * part.mean for part in total) / runs
    squares = math.fsum(part.squares + part.runs * (part.mean - mean) ** 2 for part in total)
    variance = squares / (runs - 1) if runs > 1 else float("nan")
    n_censored = sum(part.censored for part in total)
    survival = sum((part.beyond for part in total), np.zeros(points.size, np.int64)) / runs
    return PassageSummary(
        runs=int(runs),
        n_censored=n_censored,
        mean=positive_estimate(mean, math.sqrt(variance / runs), runs, n_censored > 0),
        variance=variance,
        shortest=min(part.shortest for part in total),
        longest=max(part.longest for part in total),
        grid=points,
        survival=read_only(survival, np.float64),
        survival_stderr=read_only(np.sqrt(survival * (1 - survival) / runs), np.float64),
        edges=edges,
        counts=read_only(
            sum((part.counts for part in total), np.zeros(max(0, edges.size - 1), int)), np.int64
        ),
        method=plan.method,
        dt=plan.dt,
        expected_bias=plan.expected_bias,
        seed=int(seed),
        steps=sum(part.steps for part in total),
        seconds=seconds,
    )


def _ascending(argument: str, values: ArrayLike) -> NDArray[np.float64]:
    array = read_only(np.asarray(values, dtype=float), np.float64)
    if array.ndim != 1 or not (np.isfinite(array).all() and (np.diff(array) > 0).all()):
        raise ValueError(f"`{argument}` must be a list of finite ascending times, got {values!r}")
    return array


def _reduce(
    times: NDArray[np.float64],
    censored: NDArray[np.bool_],
    points: NDArray[np.float64],
    edges: NDArray[np.float64],
    steps: int,
) -> _Part:
    mean = float(times.mean())
    # A run that is censored at the horizon is known to be beyond it.
    place = np.searchsorted(points, times, side="left") if points.size else np.zeros(0, int)
    if points.size:
        place[censored] = points.size
    arrived_by = np.cumsum(np.bincount(place, minlength=points.size + 1)[: points.size])
    counts = np.histogram(times[~censored], edges)[0] if edges.size > 1 else np.zeros(0, int)
    return _Part(
        runs=times.size,
        mean=mean,
        squares=float(np.sum((times - mean) ** 2)),
        censored=int(censored.sum()),
        shortest=float(times.min()),
        longest=float(times.max()),
        beyond=times.size - arrived_by if points.size else np.zeros(0, int),
        counts=counts,
        steps=steps,
    )
