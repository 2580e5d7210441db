"""Probing and refining: which candidate and period to measure next.

The next measurement is that of the largest augmented expected improvement (Huang, Allen, Notz and Zeng, J. Glob.
Optim. 34, 441 (2006)) per epoch. With f the logarithm of the mean, m* the posterior mean at the best effective
solution, s the posterior and e the sampling standard deviation of the batch,

    AEI = [(m* - m) Phi(z) + s phi(z)] (1 - e / sqrt(s^2 + e^2)),    z = (m* - m) / s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from theory.search.environment import Candidate
from theory.search.evidence import Key, Point, relative_variance
from theory.search.prior import Prior, flat_prior, theory_prior
from theory.search.state import SearchState
from theory.search.surrogate import Surrogate, fit_surrogate

PROBES = 3
"""Rounds of probes of one candidate at most."""
PRECISE = 0.2
"""A candidate has been probed enough when its mean residual time is known to this fraction."""
SURELY = 2.0
"""Standard errors that make a difference sure."""
CAP = 3.0
"""A run is given up after this many times the best mean known: the candidate is then surely worse."""

Array = NDArray[np.float64]


def augmented_improvement(best: float, mean: Array, std: Array, noise: Array) -> Array:
    """Augmented expected improvement below ``best``; see the head of this file."""
    safe = np.maximum(std, 1e-12)
    z = (best - mean) / safe
    expected = (best - mean) * ndtr(z) + safe * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return expected * (1 - noise / np.sqrt(safe**2 + noise**2))


def probe(state: SearchState, threshold: float) -> None:
    """Measure the response of every candidate at one period, the promising ones more precisely."""
    for number in range(PROBES):
        taus = {candidate: _tau(state, candidate, threshold) for candidate in state.environment.candidates}
        best = min((tau for tau in taus.values() if tau is not None), default=None)
        for candidate, tau in taus.items():
            if (number and tau is None) or (tau is not None and best is not None and _settles(tau, best)):
                continue
            period = probe_period(state, candidate, threshold)
            if period is None or state.left(state.settings.search_budget) <= 0:
                continue
            why = "response to one perturbation" if tau is None else "response not precise yet"
            state.measure("probe", (candidate, period), state.settings.batch, why)


def _settles(tau: tuple[float, float], best: tuple[float, float]) -> bool:
    """Whether a residual time, and its error, need no further runs: precise, or surely longer than the best."""
    return tau[1] <= PRECISE or tau[0] - SURELY * tau[1] > best[0] + SURELY * best[1]


def probe_period(state: SearchState, candidate: Candidate, threshold: float) -> int | None:
    """Shortest period at which the pilot has relaxed, or the longest that it covers; None if there is none."""
    pilot = state.evidence.pilot
    if pilot is None:
        return None
    times = pilot.first_passage(threshold).times
    fit = [p for p in state.environment.periods(candidate) if p <= pilot.horizon and np.sum(times > p) >= 2]
    relaxed = [period for period in fit if period >= state.settled]
    return min(relaxed) if relaxed else max(fit, default=None)


def _tau(state: SearchState, candidate: Candidate, threshold: float) -> tuple[float, float] | None:
    """Logarithm of the mean residual time of a candidate, and its standard error; None if it is not known."""
    period = probe_period(state, candidate, threshold)
    runs = None if period is None else state.evidence.perturbed((candidate, period))
    if period is None or runs is None:
        return None
    sample = runs.first_passage(threshold)
    tau = sample.times[sample.times > period] - period
    if not tau.size:
        return None
    spread = float(tau.var(ddof=1)) if tau.size > 1 else float("nan")
    variance = relative_variance([Point(float(tau.mean()), spread, tau.size, 0)])
    return float(np.log(tau.mean())), float(np.sqrt(variance / tau.size))


def refine(state: SearchState, threshold: float, limit: int) -> None:
    """Measure where it promises most, until nothing promises enough or ``limit`` epochs are spent in all."""
    priors = make_priors(state, threshold)
    exhausted: set[Key] = set()
    while (left := state.left(limit)) > 0:
        surrogate, points = posterior(state, priors, threshold)
        chosen = _next(state, surrogate, points, left, exhausted)
        if chosen is None:
            return
        key, why = chosen
        cap = None
        if points:
            cap = int(np.ceil(CAP * min(point.mean for point in points.values()))) + key[1]
        if not state.measure("refine", key, state.settings.batch, why, cap):
            exhausted.add(key)


def posterior(
    state: SearchState, priors: dict[Candidate, Prior], threshold: float
) -> tuple[Surrogate, dict[Key, Point]]:
    """Fit the surrogate to all that has been measured."""
    horizon = state.environment.horizon
    found = {}
    for key in state.evidence.measured:
        point = state.evidence.point(key, threshold, horizon)
        if point is not None:
            found[key] = point
    variance = relative_variance(list(found.values()))
    return fit_surrogate(priors, found, variance), found


def make_priors(state: SearchState, threshold: float) -> dict[Candidate, Prior]:
    """Prior of every candidate: by theory where its response was measured."""
    priors: dict[Candidate, Prior] = {}
    for candidate in state.environment.candidates:
        periods = state.environment.periods(candidate)
        period = probe_period(state, candidate, threshold)
        branches = None if period is None else state.evidence.perturbed((candidate, period))
        prior = None
        if branches is not None and state.evidence.pilot is not None:
            prior = theory_prior(
                state.evidence.pilot,
                branches,
                threshold,
                periods,
                settled=state.settled,
                horizon=state.environment.horizon,
                seed=state.settings.seed,
            )
        priors[candidate] = prior or flat_prior(periods, state.environment.horizon / 2)
    return priors


def best_key(surrogate: Surrogate, points: dict[Key, Point]) -> Key | None:
    """Measured candidate and period of the smallest posterior mean."""
    rows = [row for row, key in enumerate(surrogate.keys) if key in points]
    return surrogate.keys[min(rows, key=lambda row: surrogate.mean[row])] if rows else None


def _next(
    state: SearchState, surrogate: Surrogate, points: dict[Key, Point], left: int, exhausted: set[Key]
) -> tuple[Key, str] | None:
    measured = [row for row, key in enumerate(surrogate.keys) if key in points]
    if measured:
        effective = min(measured, key=lambda row: surrogate.mean[row] + surrogate.std[row])
        best = float(surrogate.mean[effective])
    else:
        best = float(np.min(surrogate.mean + surrogate.std))
    batch = state.settings.batch
    noise = np.full(surrogate.mean.size, surrogate.noise / np.sqrt(batch))
    gain = augmented_improvement(best, surrogate.mean, surrogate.std, noise)
    periods = np.array([period for _, period in surrogate.keys])
    times = np.exp(surrogate.mean)
    cost = batch * np.maximum(1.0, np.minimum(times, CAP * np.exp(best) + periods))
    open_ = np.array([key not in exhausted for key in surrogate.keys])
    affordable = cost <= max(left, np.min(cost, where=open_, initial=np.inf))
    worth = np.where(open_ & affordable & (gain >= state.settings.gain), gain / cost, 0.0)
    row = int(np.argmax(worth))
    if not worth[row] > 0:
        return None
    why = f"may shorten the mean by {gain[row]:.1%} for about {cost[row]:.0f} epochs"
    return surrogate.keys[row], why
