"""All runs that a search has seen so far, and what they tell at a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from theory.ensembles import Ensemble
from theory.passages import Direction
from theory.search.environment import Candidate

Array = NDArray[np.float64]
Key = tuple[Candidate, int]
ASSUMED_CV = 0.6
"""Coefficient of variation of residual times assumed before any are seen, with the weight of two runs."""


@dataclass(frozen=True, slots=True)
class Point:
    """Mean first-passage time measured at one period of one candidate.

    Attributes
    ----------
    mean : float
        Mean of min(T, horizon), epochs; where runs were given up before, as if they arrived at a constant rate.
    variance : float
        Of one run, epochs squared; NaN from a single run.
    runs : int
        Runs behind it.
    censored : int
        Runs that were given up before they arrived.
    """

    mean: float
    variance: float
    runs: int
    censored: int

    @property
    def informative(self) -> float:
        """Number of runs that arrived, which is what decides how well a rate is known; half a one if none did."""
        return max(self.runs - self.censored, 0.5)


class Evidence:
    """Runs by candidate and period: the pilot, branches off it, and independent runs."""

    def __init__(self) -> None:
        self.pilot: Ensemble | None = None
        self.branches: dict[Key, Ensemble] = {}
        self.independent: dict[Key, Ensemble] = {}

    def add(self, key: Key, runs: Ensemble, branched: bool) -> None:
        """Add runs to those there are."""
        kept = self.branches if branched else self.independent
        kept[key] = joined([kept[key], runs]) if key in kept else runs

    @property
    def measured(self) -> tuple[Key, ...]:
        """Candidates and periods of which there are runs."""
        return tuple(dict.fromkeys([*self.branches, *self.independent]))

    def perturbed(self, key: Key) -> Ensemble | None:
        """All runs at one period, of which those tell the response that are alive at it; None without runs."""
        found = [each[key] for each in (self.branches, self.independent) if key in each]
        return joined(found) if found else None

    def point(self, key: Key, threshold: float, horizon: int) -> Point | None:
        """Measured mean by the exact decomposition <T_P> = <min(T, P)> + S(P) <tau_P>; None without runs.

        Source: arXiv:2502.04121, eq. 1. The first term and S(P) come from all runs that had not been perturbed
        before, the pilot among them; the residual times from those alive at the period.
        """
        if key not in self.branches and key not in self.independent:
            return None
        period = key[1]
        early, survived = self._early(key, threshold)
        waiting, alive = float(early.mean()), float(survived.mean())
        tau, censored = self._residuals(key, threshold, horizon - period)
        if not tau.size and alive > 0:
            return self._all_early(key, threshold)
        if not tau.size:
            return Point(waiting, float(early.var()), early.size, 0)
        residual = float(tau.mean())
        if censored:
            residual = _continued(float(tau.sum()), tau.size - censored, horizon - period)
        spread = float(tau.var(ddof=1)) if tau.size > 1 else float("nan")
        variance = alive**2 * spread + float(early.var()) + alive * (1 - alive) * residual**2
        return Point(waiting + alive * residual, variance, tau.size, censored)

    def reached(self, threshold: float) -> bool:
        """Whether any run at all reached the threshold."""
        return any(bool(runs.first_passage(threshold).observed.any()) for runs in self.runs)

    @property
    def runs(self) -> tuple[Ensemble, ...]:
        """All ensembles, the pilot first."""
        pilot = () if self.pilot is None else (self.pilot,)
        return (*pilot, *self.branches.values(), *self.independent.values())

    def _early(self, key: Key, threshold: float) -> tuple[Array, NDArray[np.bool_]]:
        """Times up to the period, and who is alive at it, of the runs that nothing selected."""
        period, unselected = key[1], [self.independent.get(key)]
        if self.pilot is not None and self.pilot.horizon >= period:
            # A pilot run that diverged has not arrived, and is not going to.
            unselected.append(held(self.pilot, threshold, self.pilot.horizon, self.pilot.horizon))
        samples = [runs.first_passage(threshold, period) for runs in unselected if runs is not None]
        times = np.concatenate([sample.times for sample in samples])
        return times, times + np.concatenate([sample.censored for sample in samples]) > period

    def _all_early(self, key: Key, threshold: float) -> Point | None:
        """Plain mean of independent runs that all arrived before the period, though others would not have.

        Of what happens after the period they tell nothing, and the many runs of the pilot cannot stand in for it.
        """
        if key not in self.independent:
            return None
        times = self.independent[key].first_passage(threshold).times
        return Point(
            float(times.mean()), float(times.var(ddof=1)) if times.size > 1 else float("nan"), times.size, 0
        )

    def _residuals(self, key: Key, threshold: float, horizon: int) -> tuple[Array, int]:
        """Times from the first perturbation of the runs alive at it, up to ``horizon``; how many did not arrive."""
        times, censored = [], 0
        for runs in (self.branches.get(key), self.independent.get(key)):
            if runs is not None:
                sample = runs.first_passage(threshold)
                alive = sample.times > key[1]
                tau = sample.times[alive] - key[1]
                times.append(np.minimum(tau, horizon))
                censored += int(np.sum(sample.censored[alive] & (tau < horizon)))
        return np.concatenate(times), censored


def _continued(total: float, arrived: int, horizon: int) -> float:
    """Mean of min(tau, horizon) for a constant rate: arrivals over time, with half an arrival where there was none."""
    rate = max(arrived, 0.5) / total
    return float(-np.expm1(-rate * horizon)) / rate


def joined(ensembles: Sequence[Ensemble]) -> Ensemble:
    """All runs of ensembles of one kind, padded with NaN to the longest."""
    longest = max(each.horizon for each in ensembles)
    values = [padded(each.values, longest) for each in ensembles]
    return replace(
        ensembles[0], values=np.concatenate(values), seeds=np.concatenate([each.seeds for each in ensembles])
    )


def held(runs: Ensemble, goal: float, epochs: int, horizon: int) -> Ensemble:
    """Runs that diverged before the goal, within so many epochs, held at their last value: they never arrive.

    Else the time at which a run diverges would look like a short one.
    """
    lengths = runs.lengths
    diverged = runs.first_passage(goal).censored & (lengths < epochs)
    if not diverged.any():
        return runs
    values = padded(runs.values, horizon)
    for run in np.flatnonzero(diverged):
        values[run, lengths[run] :] = values[run, lengths[run] - 1] if lengths[run] else worst(runs.direction)
    return replace(runs, values=values)


def restricted(runs: Ensemble, goal: float, horizon: int) -> Array:
    """Times min(T, horizon) of runs that were watched up to the horizon; one that diverged never arrives."""
    sample = runs.first_passage(goal, horizon)
    return np.where(sample.censored, horizon, sample.times)


def worst(direction: Direction) -> float:
    """The finite number that is furthest from any goal: the metric of a run that diverged in its first epoch."""
    largest = float(np.finfo(np.float64).max)
    return -largest if direction == "at_least" else largest


def until_passage(values: Array, times: NDArray[np.float64]) -> Array:
    """Traces with NaN after the epochs ``times``, those of their first passage."""
    return np.where(np.arange(values.shape[1]) < times[:, None], values, np.nan)


def padded(values: NDArray[np.float64], epochs: int) -> NDArray[np.float64]:
    """Traces with NaN appended up to so many epochs."""
    return np.pad(values, [(0, 0), (0, max(0, epochs - values.shape[1]))], constant_values=np.nan)


def relative_variance(points: Sequence[Point]) -> float:
    """Squared coefficient of variation of a single run, pooled over the points and an assumed value."""
    known = [point for point in points if point.runs > 1]
    weights = np.array([2.0, *(point.runs - 1 for point in known)])
    squares = np.array([ASSUMED_CV**2, *(point.variance / point.mean**2 for point in known)])
    return float(np.average(squares, weights=weights))
