"""Probing the response of every candidate, and refining where it promises most."""

from __future__ import annotations

import numpy as np

from theory.search.choosing import choose, longest_run
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
        chosen = choose(surrogate, points, left, exhausted, state.settings)
        if chosen is None:
            return
        key, why = chosen
        longest = longest_run(surrogate, points, key)
        if not state.measure("refine", key, state.settings.batch, why, longest):
            exhausted.add(key)
        elif key[1] == priors[key[0]].source:
            priors[key[0]] = _make_prior(state, threshold, key[0])


def posterior(
    state: SearchState, priors: dict[Candidate, Prior], threshold: float
) -> tuple[Surrogate, dict[Key, Point]]:
    """Fit the surrogate to all that has been measured."""
    found = _points(state, threshold)
    variance = relative_variance(list(found.values()))
    return fit_surrogate(priors, found, variance), found


def make_priors(state: SearchState, threshold: float) -> dict[Candidate, Prior]:
    """Prior of every candidate: by theory where its response was measured."""
    return {candidate: _make_prior(state, threshold, candidate) for candidate in state.environment.candidates}


def _make_prior(state: SearchState, threshold: float, candidate: Candidate) -> Prior:
    periods, horizon = state.environment.periods(candidate), state.environment.horizon
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
            horizon=horizon,
        )
    return prior or flat_prior(periods, horizon / 2)


def _points(state: SearchState, threshold: float) -> dict[Key, Point]:
    """All means measured so far."""
    horizon = state.environment.horizon
    found = {key: state.evidence.point(key, threshold, horizon) for key in state.evidence.measured}
    return {key: point for key, point in found.items() if point is not None}
