"""Relaxation time and the verdict on a quasi-steady state (QSS).

A run is in a quasi-steady state from epoch t on if the law of its metric no longer changes. The
relaxation epoch is the first t for which the law at t and at four reference epochs up to 3t (at least
t + 10) cannot be told apart by `theory.stationarity`, up to a tolerated shift of a quarter of the
spread between runs: smaller drifts change the passage times little, but with enough runs the test
would find them all. The test has level 5 % for the whole comparison, so if the law is stationary from t0
on, the epoch found exceeds t0 in at most 5 % of the studies (in 5 % with no tolerance): it is a 95 %
lower confidence bound. What could have been missed is stated as the smallest detectable shift.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from theory.arguments import check_kind
from theory.ensembles import Ensemble
from theory.stationarity import StationarityTest, spread_between_runs, test_stationarity

Verdict = Literal["reached", "not_reached", "undecided"]
LEVEL = 0.05
REFERENCES = 4
MIN_RUNS = 20
MIN_WINDOW = 10
FACTOR = 3
FURTHER = 8
TOLERANCE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class QuasiSteadyState:
    """Verdict on a quasi-steady state.

    Attributes
    ----------
    verdict : {"reached", "not_reached", "undecided"}
        ``undecided`` means: not decidable with these runs.
    relaxation_epoch : int or None
        First epoch of the stationary window.
    stationary_until : int or None
        Last epoch up to which the law was not found to drift.
    smallest_detectable_shift : float or None
        Shift of the law at the relaxation epoch that would have been seen with probability 80 %, in the
        unit of the metric, if the law is as these runs show it; over studies it was some 75 % from 30 runs, 85 to 90 %
        from 100 and 400 (`make calibrate`).
    reason : str
        Why.
    epochs : (tested,) int array
        Epochs tested as the onset.
    distances : (tested,) array
        Largest KS distance between the law there and at its references, disjoint halves of the runs.
    p_values : (tested,) array
        Of the test that the law is stationary from there on.
    """

    verdict: Verdict
    relaxation_epoch: int | None
    stationary_until: int | None
    smallest_detectable_shift: float | None
    reason: str
    epochs: NDArray[np.int64]
    distances: NDArray[np.float64]
    p_values: NDArray[np.float64]


def relaxation(
    ensemble: Ensemble,
    *,
    threshold: float | None = None,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    onsets: Sequence[int] | None = None,
) -> QuasiSteadyState:
    """Find the relaxation epoch and decide whether a quasi-steady state is reached.

    Parameters
    ----------
    ensemble : Ensemble
        Unperturbed runs, as a rule.
    threshold : float, optional
        Look only at runs that have not reached this threshold by the epoch in question: the law given
        survival. Default: all runs.
    tolerance : float
        Shift of the law that still counts as unchanged, as a fraction of the spread between runs.
    seed : int
        Seed of the random splits; the same seed gives the same verdict.
    onsets : sequence of int, optional
        Epochs to test as the onset, ascending, from 1. Default: all. Fewer are faster, and find the first of them from
        which on the law does not change.

    Returns
    -------
    QuasiSteadyState
        A verdict of any kind is a result, not an error.
    """
    check_kind("ensemble", ensemble, Ensemble, "write Ensemble(values, seeds); of a study take `unperturbed`")
    if onsets is not None:
        onsets = _checked(onsets)
    ensemble = ensemble.some()
    values = _survivors(ensemble, threshold)
    test = partial(test_stationarity, tolerance=tolerance, seed=seed)
    tested: list[tuple[int, float, float]] = []
    enough = np.sum(np.isfinite(values), axis=0) >= MIN_RUNS
    usable = int(np.argmin(enough)) if not enough.all() else values.shape[1]
    if usable < 1 + MIN_WINDOW:
        reason = (
            f"{MIN_RUNS} runs over more than {MIN_WINDOW} epochs are needed, these have {len(ensemble)} runs "
            f"and {usable} epochs with at least {MIN_RUNS} of them"
        )
        return _result("undecided", reason, tested)
    for onset in range(1, usable + 1) if onsets is None else onsets:
        window = _window(onset, usable)
        if window is None:
            break
        found = test(values[:, window - 1])
        tested.append((onset, float(found.distances[0].max()), found.p_value))
        if found.p_value > LEVEL:
            verdict = _conclude(values[:, :usable], onset, window, tested, test)
            return verdict if onsets is not None else _look_further(verdict, values[:, :usable], test)
    if not tested:
        reason = (
            f"none of the onsets leaves a window of {MIN_WINDOW} epochs and one doubling in "
            f"{usable}; longer runs are needed, or earlier onsets"
        )
        return _result("undecided", reason, tested)
    return _result("not_reached", _why_not(values[:, :usable], ensemble.direction), tested)


def _checked(onsets: Sequence[int]) -> list[int]:
    given = np.asarray(onsets)
    whole = given.ndim == 1 and given.size > 0 and np.issubdtype(given.dtype, np.integer)
    if not whole or given[0] < 1 or (np.diff(given) <= 0).any():
        raise ValueError(f"`onsets` must be ascending epochs from 1 on, at least one, got {onsets!r}")
    return [int(onset) for onset in given]


def _survivors(ensemble: Ensemble, threshold: float | None) -> NDArray[np.float64]:
    """Metric values, NaN where a run has ended or had reached the threshold before."""
    if threshold is None:
        return ensemble.recorded
    sample = ensemble.first_passage(threshold)
    before = np.arange(1, ensemble.horizon + 1) < sample.times[:, None]
    return np.where(sample.censored[:, None] | before, ensemble.recorded, np.nan)


def _window(onset: int, usable: int) -> NDArray[np.int64] | None:
    """Onset and its reference epochs; None if fewer than MIN_WINDOW epochs or one doubling are left."""
    end = min(usable, max(FACTOR * onset, onset + MIN_WINDOW))
    if end < max(2 * onset, onset + MIN_WINDOW):
        return None
    return np.rint(np.linspace(onset, end, REFERENCES + 1)).astype(int)


def _conclude(
    values: NDArray[np.float64],
    onset: int,
    window: NDArray[np.int64],
    tested: list[tuple[int, float, float]],
    test: Callable[..., StationarityTest],
) -> QuasiSteadyState:
    usable = values.shape[1]
    shift = test(values[:, window - 1], power=True).detectable_shift
    spread = spread_between_runs(values[:, window - 1])
    until = _stationary_until(values, onset, int(window[-1]), test)
    if shift > spread > 0:
        reason = (
            f"no shift seen from epoch {onset} on, but with {len(values)} runs only shifts above {shift:.3g} "
            f"would have been, more than the spread {spread:.3g} between runs; add runs"
        )
        return _result("undecided", reason, tested, until=until, shift=shift)
    drift = "" if until == usable else f"; drifts after epoch {until}"
    seen = f"a shift of {shift:.3g} would be seen"
    reason = f"law of the metric unchanged from epoch {onset} to {until}{drift}; {seen}"
    return _result("reached", reason, tested, onset, until, shift)


def _look_further(
    qss: QuasiSteadyState, values: NDArray[np.float64], test: Callable[..., StationarityTest]
) -> QuasiSteadyState:
    """Add the next epochs to the table, so that its reader sees the plateau; the verdict stands."""
    first = int(qss.epochs[-1]) + 1
    windows = [(onset, _window(onset, values.shape[1])) for onset in range(first, first + FURTHER)]
    tests = [(t, test(values[:, w - 1])) for t, w in windows if w is not None]
    return replace(
        qss,
        epochs=np.r_[qss.epochs, np.array([t for t, _ in tests], dtype=np.int64)],
        distances=np.r_[qss.distances, [found.distances[0].max() for _, found in tests]],
        p_values=np.r_[qss.p_values, [found.p_value for _, found in tests]],
    )


def _stationary_until(
    values: NDArray[np.float64], onset: int, end: int, test: Callable[..., StationarityTest]
) -> int:
    """Push the end of the window outwards, by half of its length at a time, until the law differs."""
    usable = int(values.shape[1])
    ends = [end]
    while ends[-1] < usable:
        ends.append(min(usable, onset + int(np.ceil(1.5 * (ends[-1] - onset)))))
    for before, after in zip(ends[:-1], ends[1:], strict=True):
        window = np.rint(np.linspace(onset, after, REFERENCES + 1)).astype(int)
        if test(values[:, window - 1]).p_value <= max(LEVEL / (len(ends) - 1), 0.01):
            return before
    return usable


def _why_not(values: NDArray[np.float64], direction: str) -> str:
    usable = values.shape[1]
    late = np.nanmean(values[:, -max(1, usable // 10) :])
    middle = np.nanmean(values[:, 2 * usable // 3 - max(1, usable // 10) : 2 * usable // 3])
    change = late - middle
    improving = change > 0 if direction == "at_least" else change < 0
    kind = "still improves" if improving else "drifts back"
    return (
        f"the law of the metric keeps changing: over the last third of {usable} epochs its mean {kind} "
        f"by {abs(change):.3g}; longer runs would show whether it settles"
    )


def _result(
    verdict: Verdict,
    reason: str,
    tested: list[tuple[int, float, float]],
    onset: int | None = None,
    until: int | None = None,
    shift: float | None = None,
) -> QuasiSteadyState:
    table = np.array(tested, dtype=float).reshape(-1, 3)
    epochs, distances, p_values = table[:, 0].astype(np.int64), table[:, 1], table[:, 2]
    return QuasiSteadyState(verdict, onset, until, shift, reason, epochs, distances, p_values)
