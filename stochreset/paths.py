"""Whole trajectories of chosen runs, thinned in time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stochreset.engine import check_threads, run_blocks
from stochreset.kernels.paths import FULL, record_path
from stochreset.kernels.streams import new_stream
from stochreset.plan import cached_if_possible, make_plan
from stochreset.protocols.base import check_positive
from stochreset.simulation import check_seed
from theory.passages import read_only

FIRST_STREAM = 2**63
"""Streams from here on belong to trajectories, those below to samples."""
FIRST_SIZE = 1024
LARGEST_SIZE = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """One run, from its start to its arrival or to the horizon.

    Attributes
    ----------
    run : int
        Number of the run, which with the seed fixes its random numbers.
    times : (points,) array
        Times of observation: 0, the multiples of the thinning interval, each perturbation twice (before and
        after it), and the end.
    positions : (points,) array
        State x at these times.
    censored : bool
        Whether the run had not arrived at the horizon.
    """

    run: int
    times: NDArray[np.float64]
    positions: NDArray[np.float64]
    censored: bool


def trajectories(
    process: Any,
    protocol: Any = None,
    perturbation: Any = None,
    *,
    runs: int | Iterable[int],
    seed: int,
    every: float,
    horizon: float | None = None,
    method: str = "auto",
    dt: float | None = None,
) -> list[Trajectory]:
    """Simulate runs and keep their whole paths.

    Parameters
    ----------
    process, protocol, perturbation, horizon, method, dt
        As for `stochreset.simulate`.
    runs : int or iterable of int
        How many runs, or the numbers of the runs wanted. Run k of a seed is the same whichever others are
        asked for; it has the law of the runs of `simulate`, with random numbers of its own (with ``bridge`` up
        to the bias of the time step, since each record ends a step).
    seed : int
        From 0 to 2**64 - 1.
    every : float
        Time between two recorded points of a run. Between them the process runs as it does in `simulate`. With
        ``euler``, which knows positions at the ends of its steps only, the last of these is recorded.

    Returns
    -------
    list of Trajectory

    Examples
    --------
    >>> from stochreset import OrnsteinUhlenbeck, Periodic, Reset
    >>> process = OrnsteinUhlenbeck(target=2)
    >>> paths = trajectories(process, Periodic(1), Reset(), runs=[0, 7], seed=1, every=0.1)
    >>> [path.run for path in paths], float(paths[0].positions[-1])
    ([0, 7], 2.0)
    """
    plan = make_plan(process, protocol, perturbation, horizon, method, dt)
    check_seed(seed)
    check_positive("every", every, "the time between recorded points", infinite=True)
    if process.whole_steps and math.isfinite(every) and every != int(every):
        raise ValueError(f"`every` must be a whole number of steps for this process, got {every!r}")
    numbers = _run_numbers(runs)
    parameters, (clock, condition, move) = plan.event_parameters(), plan.arguments()
    record = cached_if_possible(record_path, parameters, condition)
    step = plan.dt if plan.method == "euler" and plan.dt is not None else 0.0
    times = float(plan.horizon), float(every), float(step)
    head = (parameters, clock, condition, move, process.whole_steps, *times)
    found: dict[int, Trajectory] = {}

    def work(first: int, last: int, stop: NDArray[np.uint8]) -> None:
        for at in range(first, last):
            if not stop[0]:
                found[at] = _record(record, head, int(seed), numbers[at], stop)

    run_blocks(work, len(numbers), threads=check_threads(None), largest=256)
    return [found[at] for at in range(len(numbers))]


def _run_numbers(runs: Any) -> list[int]:
    """Numbers of the runs wanted."""
    if isinstance(runs, int | np.integer) and not isinstance(runs, bool):
        numbers: list[Any] = list(range(runs))
    else:
        numbers = list(runs) if isinstance(runs, Iterable) else []
    if not numbers or not all(isinstance(run, int | np.integer) and run >= 0 for run in numbers):
        raise ValueError(f"`runs` must be a positive number of runs or a list of run numbers, got {runs!r}")
    return [int(run) for run in numbers]


def _record(record: Any, head: tuple[Any, ...], seed: int, run: int, stop: NDArray[np.uint8]) -> Trajectory:
    size, stream = FIRST_SIZE, new_stream(stop)
    while size <= LARGEST_SIZE:
        times, positions = np.empty(size), np.empty(size)
        # The stream starts anew with each attempt, so a longer record is of the same run.
        points, censored = record(
            *head, np.uint64(seed), np.uint64(FIRST_STREAM + run), times, positions, stream
        )
        if points != FULL:
            kept = slice(0, points)
            return Trajectory(
                run,
                read_only(times[kept], np.float64),
                read_only(positions[kept], np.float64),
                bool(censored),
            )
        size *= 4
    raise ValueError(
        f"`every` is too short for run {run}: it has more than {LARGEST_SIZE:,} points; raise it or give a "
        "`horizon`"
    )
