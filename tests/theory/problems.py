"""Toy problems that sample themselves and know their answers."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from theory import Ensemble, Estimate, PassageSample, QuasiSteadyState, Response, ValidRange

NOTHING = np.empty(0)


def ensemble(times, epochs, period=None, seeds=None, censored=()):
    """Runs whose metric jumps from 0 to 1 at the given times; the runs in ``censored`` end there instead."""
    times, epoch = np.asarray(times), np.arange(1, epochs + 1)
    values = (epoch >= times[:, None]).astype(float)
    for run in censored:
        values[run] = np.where(epoch <= times[run], 0.0, np.nan)
    seeds = np.arange(times.size) if seeds is None else seeds
    return Ensemble(values, seeds, perturbation=None if period is None else "kick", period=period)


@contextmanager
def lifelines():
    """The package lifelines, kept from warning, and from switching off NumPy's warnings for good."""
    with warnings.catch_warnings(), np.errstate():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("lifelines")


def z_score(values, exact):
    """Distance of a sample mean from the exact one, in standard errors."""
    values = np.asarray(values)
    return (values.mean() - exact) / (values.std(ddof=1) / np.sqrt(values.size))


@dataclass(frozen=True)
class Renewal:
    """Completion with a hazard that depends only on the epochs since the last perturbation.

    Unperturbed runs complete with hazard ``late`` per epoch. After a perturbation nobody does for ``delay``
    epochs, then the hazard is ``early`` for ``burst`` epochs, then ``late`` again. Every perturbation
    starts the same cycle anew.
    """

    late: float
    early: float
    burst: int
    delay: int = 0

    def hazard(self, since):
        """Hazard in the given epochs since a perturbation, counted from 1."""
        burst = np.where(since <= self.delay + self.burst, self.early, self.late)
        return np.where(since <= self.delay, 0.0, burst)

    def hazard_after(self, epochs):
        """Hazard in epochs 1 .. ``epochs`` after a perturbation."""
        return self.hazard(np.arange(1, epochs + 1))

    def survival(self, epochs):
        return (1 - self.late) ** np.arange(epochs + 1.0)

    def cycle(self, epochs):
        """G(s) for s = 0 .. ``epochs``."""
        return np.cumprod(np.r_[1.0, 1 - self.hazard_after(epochs)])

    def mean(self, period):
        """Mean passage time: linear equations for the mean time still to come, epoch by epoch of a cycle."""
        if self.cycle(period)[-1] == 1:
            return np.inf
        alive = 1 - self.hazard_after(period)
        step = np.zeros((period, period))
        step[np.arange(period), (np.arange(period) + 1) % period] = alive
        ahead = float(np.linalg.solve(np.eye(period) - step, np.ones(period))[0])
        for _ in range(period):
            ahead = 1 + (1 - self.late) * ahead
        return ahead

    def times(self, runs, seed, draw=None):
        """Passage times; ``draw(rng, runs)`` gives each run its next interval, in whole epochs."""
        rng = np.random.default_rng(seed)
        times, since = np.zeros(runs, dtype=int), np.zeros(runs, dtype=int)
        perturbed, arrived = np.zeros(runs, dtype=bool), np.zeros(runs, dtype=bool)
        left = np.full(runs, -1) if draw is None else draw(rng, runs)
        while not arrived.all():
            times += ~arrived
            since += 1
            left -= 1
            arrived |= rng.random(runs) < np.where(perturbed, self.hazard(since), self.late)
            now = left == 0
            if now.any():
                perturbed, since = perturbed | now, np.where(now, 0, since)
                left = np.where(now, draw(rng, runs), left)
        return times

    def ensemble(self, runs, seed, period=None):
        """Traces of ``runs`` runs, up to the arrival of the last."""
        draw = None if period is None else lambda rng, size: np.full(size, period)
        times = self.times(runs, seed, draw)
        return ensemble(times, int(times.max()), period, seeds=1_000_000 * seed + np.arange(runs))

    def response(self, period, horizon, rows=1):
        """The exact response, as if measured at ``period``."""
        survival = self.survival(period)
        tau = (self.mean(period) - survival[:-1].sum()) / survival[-1]
        return exact_response(period, self.survival(horizon), self.cycle(period), tau, rows)


def exact_response(period, survival, cycle, tau, rows=1):
    """Response from known laws: as many resamples as wanted, all equal to the data."""
    return Response(
        perturbation="kick",
        period=period,
        threshold=1.0,
        survival=np.tile(survival, (rows, 1)),
        tau=np.full(rows, tau),
        cycles=np.tile(cycle, (rows, 1, 1)),
        alive=np.array([1000]),
        unperturbed_runs=1000,
        perturbed_runs=1000,
        perturbed_alive=1000,
        tau_censored=0,
        inverted_tau=Estimate(1.0, 0.0, 1.0, 1.0),
    )


def steady(verdict="reached", relaxation_epoch=1, until=None):
    """A verdict on a quasi-steady state, made up."""
    empty = np.empty(0, dtype=np.int64)
    return QuasiSteadyState(verdict, relaxation_epoch, until, None, "made up", empty, NOTHING, NOTHING)


def limits(period, horizon=1000, qss=None, settled_before=1, settled_after=1):
    """Time scales of validity, made up: by default everything settles at once."""
    qss = steady(until=horizon) if qss is None else qss
    return ValidRange(period, horizon, qss, settled_before, settled_after)


def complete(times):
    """A sample without censoring."""
    times = np.asarray(times, dtype=float)
    return PassageSample(times, np.zeros(times.size, dtype=bool))


def plateaus(runs=200, epochs=60, onset=12, step=5.0, slope=0.0, seed=0):
    """Traces that rise by ``step`` per epoch until ``onset``, then have one law but for a ``slope``.

    The law has standard deviation 1, and correlation 0.64 between epochs.
    """
    rng = np.random.default_rng(seed)
    epoch = np.arange(1, epochs + 1)
    own, noise = rng.standard_normal((runs, 1)), rng.standard_normal((runs, epochs))
    rise = -step * np.maximum(0, onset - epoch) + slope * np.maximum(0, epoch - onset)
    return Ensemble(0.8 * own + 0.6 * noise + rise, np.arange(runs))
