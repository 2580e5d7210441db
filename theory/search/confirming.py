r"""Confirming an answer by fresh runs: perturbed as recommended, and unperturbed.

The speed-up is the ratio of the two means of min(T, horizon), from these runs alone, so that it is not the best of
many that were looked at. By the delta method the logarithm of the ratio has the variance

.. math:: v = s_0^2 / (n_0 m_0^2) + s_1^2 / (n_1 m_1^2),

and the interval takes Student's quantile with the degrees of freedom of Welch and Satterthwaite. Runs are added where
they reduce v most per epoch, v_i / (n_i c_i) with c_i the cost of a run.

Where unperturbed runs have not arrived by the horizon, few or none may have arrived at all, and their sample variance
then hides that others would have. Half a run that arrives at a time uniform between 0 and the horizon is counted in the
variance, not in the mean: the weight of Jeffreys' prior for a proportion. For the same reason neither side gets many
more runs than the other: the variance of the smaller one would be known too badly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from theory.estimates import LEVEL, Estimate
from theory.passages import PassageSample
from theory.search.evidence import Key, joined
from theory.search.state import SearchState, Step

FIRST_RUNS = 16
"""Runs of each kind at first, where the budget allows."""
FEWEST_RUNS = 8
"""With fewer the interval would be too wide to use."""
MORE = 0.25
"""Runs are added by this fraction of those there are."""
BALANCE = 1.5
"""One side has at most so many times the runs of the other."""
PSEUDO = 0.5
"""Weight of the run that is counted in the variance where some have not arrived."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the fresh runs say.

    Attributes
    ----------
    mean, unperturbed : Estimate
        Mean of min(T, horizon), epochs, perturbed as recommended and not at all.
    speedup : Estimate
        ``unperturbed`` over ``mean``.
    runs : (int, int)
        Perturbed and unperturbed runs.
    censored : (int, int)
        Of these, not arrived by the horizon.
    """

    mean: Estimate
    unperturbed: Estimate
    speedup: Estimate
    runs: tuple[int, int]
    censored: tuple[int, int]


def speed_up(perturbed: PassageSample, unperturbed: PassageSample, horizon: int) -> Confirmed:
    """Speed-up and its interval from two independent samples; see the head of this file.

    Parameters
    ----------
    perturbed, unperturbed : PassageSample
        Times in epochs; a run that was seen up to the horizon may be censored there.
    horizon : int
        Epochs.
    """
    sides = [_Side.of(sample, horizon) for sample in (perturbed, unperturbed)]
    kicked, free = sides
    ratio = free.mean / kicked.mean
    parts = np.array([side.relative_variance for side in sides])
    freedom = (
        parts.sum() ** 2 / np.sum(parts**2 / np.array([side.runs - 1 for side in sides]))
        if parts.sum()
        else 1.0
    )
    error = float(np.sqrt(parts.sum()))
    return Confirmed(
        mean=kicked.estimate(),
        unperturbed=free.estimate(),
        speedup=_log_estimate(ratio, error, float(freedom)),
        runs=(kicked.runs, free.runs),
        censored=(kicked.censored, free.censored),
    )


def confirm_answer(state: SearchState, key: Key, threshold: float, budget: int) -> Confirmed | None:
    """Get fresh runs at ``key`` and without perturbation until the speed-up is precise enough or ``budget`` is spent.

    Unperturbed runs serve all thresholds. None where the budget is not enough for the first runs of each kind.
    """
    horizon, end = state.environment.horizon, state.spent + budget
    sides = (_Fresh(state, key), _Fresh(state, None))
    costs = [side.cost() for side in sides]
    first = min(FIRST_RUNS, int(budget / sum(costs)))
    if first < FEWEST_RUNS:
        return None
    for side in sides:
        side.grow(first, "fresh runs, none of which was seen before")
    while all(len(side) >= 2 for side in sides):
        samples = [side.sample(threshold) for side in sides]
        found = speed_up(samples[0], samples[1], horizon)
        chosen = _side_to_add(samples, horizon, [side.exhausted for side in sides])
        if chosen is None or found.speedup.high <= found.speedup.value * (1 + state.settings.precision):
            return found
        size = len(sides[chosen])
        more = min(int(np.ceil(MORE * size)), int((end - state.spent) / costs[chosen]))
        if more < 1:
            return found
        sides[chosen].grow(size + more, "the interval of the speed-up is still too wide")
    return None


class _Fresh:
    """Runs of the confirmation at one point, or without perturbation."""

    def __init__(self, state: SearchState, key: Key | None) -> None:
        self.state, self.key = state, key
        self.exhausted = False

    def __len__(self) -> int:
        runs = self.state.confirmed.get(self.key)
        return 0 if runs is None else len(runs)

    def cost(self) -> float:
        """Epochs that a run is expected to cost: the measured mean, or the horizon without perturbation."""
        horizon = self.state.environment.horizon
        if self.key is None:
            return float(horizon)
        point = self.state.evidence.point(self.key, self.state.environment.goal, horizon)
        return float(horizon) if point is None else point.mean

    def sample(self, threshold: float) -> PassageSample:
        """Their passage times."""
        return self.state.confirmed[self.key].first_passage(threshold)

    def grow(self, runs: int, why: str) -> None:
        """Get what is missing to so many runs."""
        missing, before = runs - len(self), self.state.spent
        if missing <= 0:
            return
        candidate, period = self.key or (None, None)
        got = self.state.environment.fresh(candidate, period, missing)
        self.exhausted = got is None or len(got) < missing
        if got is None:
            return
        known = self.state.confirmed.get(self.key)
        self.state.confirmed[self.key] = got if known is None else joined([known, got])
        name = None if candidate is None else candidate.name
        self.state.note(Step("confirm", name, period, len(got), self.state.spent - before, why))


def _side_to_add(samples: list[PassageSample], horizon: int, exhausted: list[bool]) -> int | None:
    """Side on which a run reduces the variance most per epoch; None where no more are to be had."""
    worth = []
    most = BALANCE * min(map(len, samples))
    for sample, none_left in zip(samples, exhausted, strict=True):
        side = _Side.of(sample, horizon)
        full = none_left or side.runs >= most
        worth.append(-1.0 if full else side.relative_variance / (side.runs * side.mean))
    best = int(np.argmax(worth))
    return best if worth[best] > 0 else None


@dataclass(frozen=True, slots=True)
class _Side:
    mean: float
    variance: float  # of the mean
    runs: int
    censored: int

    @classmethod
    def of(cls, sample: PassageSample, horizon: int) -> _Side:
        times = np.minimum(sample.times, horizon)
        late = int(np.sum(sample.censored | (sample.times > horizon)))
        size = times.size
        variance = float(times.var(ddof=1)) / size if size > 1 else float("nan")
        if late:
            moments = [
                (float(np.sum(times**k)) + PSEUDO * horizon**k / (k + 1)) / (size + PSEUDO) for k in (1, 2)
            ]
            variance = max(variance, (moments[1] - moments[0] ** 2) / size)
        return cls(float(times.mean()), variance, size, late)

    @property
    def relative_variance(self) -> float:
        return self.variance / self.mean**2

    def estimate(self) -> Estimate:
        return _log_estimate(
            self.mean, float(np.sqrt(self.relative_variance)), self.runs - 1, self.censored > 0
        )


def _log_estimate(value: float, relative_error: float, freedom: float, lower_bound: bool = False) -> Estimate:
    """Estimate with an interval that is symmetric in the logarithm."""
    if not (np.isfinite(relative_error) and freedom > 0):
        return Estimate(value, float("nan"), float("nan"), float("nan"), lower_bound)
    with np.errstate(over="ignore"):
        factor = float(np.exp(stdtrit(freedom, (1 + LEVEL) / 2) * relative_error))
    return Estimate(value, value * relative_error, value / factor, value * factor, lower_bound)
