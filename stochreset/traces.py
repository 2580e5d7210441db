"""Toy processes as training runs: traces of the position, for all of `theory` that takes an ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stochreset.paths import trajectories
from stochreset.protocols import Periodic
from stochreset.protocols.base import check_positive
from stochreset.simulation import check_runs, check_seed
from theory.ensembles import Ensemble
from theory.passages import Direction


def record(
    process: Any,
    perturbation: Any = None,
    period: int | None = None,
    *,
    runs: int,
    epochs: int,
    seed: int,
    unit: float = 1.0,
    method: str = "auto",
    dt: float | None = None,
) -> Ensemble:
    """Record the position of a process at whole epochs, as a training run records its metric.

    Epoch k ends at the time ``k * unit``. A run ends when it arrives, at the target: the ensemble's
    first passage to ``process.threshold()`` is the epoch in which the process arrived: on average
    half an epoch late.

    Parameters
    ----------
    process : Process
        Any process with a position and a ``target``.
    perturbation : Perturbation, optional
        What is done every ``period`` epochs. Default with a period: a reset to the start.
    period : int, optional
        Epochs between perturbations. Default: none.
    runs, epochs : int
        Size of the ensemble.
    seed : int
        As for `simulate`. Ensembles of different seeds are independent, and the seeds of their runs differ.
    unit : float
        Length of an epoch, in the process's unit of time; whole for a process that counts whole steps.
    method, dt
        As for `simulate`. With ``euler`` the position at the end of an epoch is that after the last whole step.

    Returns
    -------
    Ensemble
        Traces of shape (runs, epochs) of the metric ``position``.

    Examples
    --------
    >>> from stochreset import OrnsteinUhlenbeck
    >>> free = record(OrnsteinUhlenbeck(target=2), runs=50, epochs=40, seed=1, unit=0.25)
    >>> free.name, free.values.shape, int(free.first_passage(2.0).times.min()) >= 1
    ('unperturbed', (50, 40), True)
    """
    check_runs(runs)
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or epochs < 1:
        raise ValueError(f"`epochs` must be a whole number, 1 or larger, got {epochs!r}")
    check_seed(seed)
    check_positive("unit", unit, "the length of an epoch")
    if getattr(process, "whole_steps", False) and unit != int(unit):
        raise ValueError(f"`unit` must be a whole number of steps for this process, got {unit!r}")
    if perturbation is not None and period is None:
        raise ValueError("`perturbation` needs a `period` in epochs")
    if period is not None and (
        isinstance(period, bool) or not isinstance(period, int | np.integer) or period < 1
    ):
        raise ValueError(
            f"`period` must be a whole number of epochs, 1 or larger, got {period!r}; the order is "
            "record(process, perturbation, period)"
        )
    protocol = None if period is None else Periodic(period * unit)
    threshold = process.threshold()
    paths = trajectories(
        process, protocol, perturbation, runs=runs, seed=seed, every=unit, horizon=epochs * unit,
        method=method, dt=dt,
    )  # fmt: skip
    values = np.full((runs, epochs), np.nan)
    for row, path in zip(values, paths, strict=True):
        # Of the two points at a perturbation the first counts: the metric is recorded, then perturbed.
        at = np.arange(1, epochs + 1) * unit
        at = at[at < path.times[-1] - 1e-9 * unit] if not path.censored else at
        row[: at.size] = path.positions[np.searchsorted(path.times, at - 1e-9 * unit)]
        if not path.censored:
            row[min(at.size, epochs - 1)] = threshold
    direction: Direction = "at_least" if threshold > process.start else "at_most"
    name = None
    if period is not None:
        used = process.default_perturbation() if perturbation is None else perturbation
        name = _snake(type(used).__name__)
    return Ensemble(values, _run_seeds(seed, runs), "position", direction, name, period)


def _run_seeds(seed: int, runs: int) -> NDArray[np.int64]:
    """Consecutive numbers from a place that a hash of the seed chooses among 2^62."""
    first = int(np.random.SeedSequence(int(seed)).generate_state(1, np.uint64)[0]) >> 2
    return first + np.arange(runs)


def _snake(name: str) -> str:
    """``ShrinkPerturb`` as ``shrink_perturb``."""
    return "".join(f"_{c.lower()}" if c.isupper() and at else c.lower() for at, c in enumerate(name))
