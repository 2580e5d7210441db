r"""Confirming an answer by fresh runs: perturbed as recommended, and unperturbed.

The speed-up is the ratio of the two means of min(T, horizon), from these runs alone, so that it is not the best of
many that were looked at. Its interval is the central one of the Bayesian bootstrap over runs (see
`theory.bootstrap`), which follows the skewness of the means: where few unperturbed runs arrive, their mean is more
often far too high than far too low.

Where unperturbed runs have not arrived by the horizon, few or none may have arrived at all, and the sample then hides
that others would have. Half a run that arrives at a time uniform between 0 and the horizon takes part in the
bootstrap, not in the estimate: the weight of Jeffreys' prior for a proportion.

Runs are added where they reduce the variance v_i of the logarithm of a mean most per epoch, v_i / (n_i m_i), but
neither side gets many more than the other: the variance of the smaller one would be known too badly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.bootstrap import percentile_interval
from theory.estimates import Estimate
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
"""Weight of the run that takes part in the bootstrap where some have not arrived."""
RESAMPLES = 2000

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
        Times in epochs; a run that is censored, at the horizon or where it diverged, counts as not arrived by then.
    horizon : int
        Epochs.
    """
    rng = np.random.default_rng(0)
    kicked, free = (_Side.of(sample, horizon) for sample in (perturbed, unperturbed))
    means, alone = kicked.resampled(horizon, rng), free.resampled(horizon, rng)
    return Confirmed(
        mean=_estimate(kicked.mean, means, kicked.censored > 0),
        unperturbed=_estimate(free.mean, alone, free.censored > 0),
        speedup=_estimate(free.mean / kicked.mean, alone / means),
        runs=(kicked.runs, free.runs),
        censored=(kicked.censored, free.censored),
    )


def confirm_answer(
    state: SearchState, key: Key, threshold: float, budget: int, most: int | None = None
) -> Confirmed | None:
    """Get fresh runs at ``key`` and without perturbation until the speed-up is precise enough or ``budget`` is spent.

    Unperturbed runs serve all thresholds, so the first to be confirmed may take up to ``most`` for the fewest runs.
    None where that is not enough.
    """
    horizon, end = state.environment.horizon, state.spent + budget
    sides = (_Fresh(state, key), _Fresh(state, None))
    sizes = range(FEWEST_RUNS, FIRST_RUNS + 1)
    first = max((size for size in sizes if sum(side.price(size) for side in sides) <= budget), default=0)
    if not first and sum(side.price(FEWEST_RUNS) for side in sides) <= (budget if most is None else most):
        first = FEWEST_RUNS
    if not first:
        return None
    for side in sides:
        # The perturbed runs may have cost more than was expected.
        affordable = int((end - state.spent) / side.cost()) + len(side)
        side.grow(max(FEWEST_RUNS, min(first, affordable)), "fresh runs, none of which was seen before")
    while all(len(side) >= 2 for side in sides):
        samples = [side.sample(threshold) for side in sides]
        found = speed_up(samples[0], samples[1], horizon)
        chosen = _side_to_add(samples, horizon, [side.exhausted for side in sides])
        if chosen is None or found.speedup.high <= found.speedup.value * (1 + state.settings.precision):
            return found
        size = len(sides[chosen])
        more = min(int(np.ceil(MORE * size)), int((end - state.spent) / sides[chosen].cost()))
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
        """Epochs that a run is expected to cost: the measured mean, or the horizon without perturbation.

        The mean by which a point was found the best is likely too low; that of the fresh runs is not.
        """
        horizon, goal = self.state.environment.horizon, self.state.environment.goal
        if self.key is None:
            return float(horizon)
        if len(self):
            return float(self.sample(goal).times.mean())
        point = self.state.evidence.point(self.key, goal, horizon)
        return float(horizon) if point is None else point.mean

    def price(self, runs: int) -> float:
        """Epochs that it is expected to cost to have so many."""
        return max(0, runs - len(self)) * self.cost()

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
        worth.append(-1.0 if full else side.relative_variance(horizon) / (side.runs * side.mean))
    best = int(np.argmax(worth))
    return best if worth[best] > 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    times: Array
    censored: int

    @classmethod
    def of(cls, sample: PassageSample, horizon: int) -> _Side:
        # A run that ended before without arriving has diverged: it never will.
        times = np.where(sample.censored, horizon, np.minimum(sample.times, horizon)).astype(float)
        return cls(times, int(np.sum(sample.censored | (sample.times > horizon))))

    @property
    def runs(self) -> int:
        return self.times.size

    @property
    def mean(self) -> float:
        return float(self.times.mean())

    def relative_variance(self, horizon: int) -> float:
        """Variance of the logarithm of the mean, with the run that may have been missed."""
        weight = PSEUDO if self.censored else 0.0
        total = self.runs + weight
        first, second = (float(np.sum(self.times**k) + weight * horizon**k / (k + 1)) / total for k in (1, 2))
        return (second - first**2) / (self.runs - 1) / self.mean**2

    def resampled(self, horizon: int, rng: np.random.Generator) -> Array:
        """Mean in each resample, (RESAMPLES,)."""
        weights = rng.standard_gamma(1 - 2 / max(4, self.runs), (RESAMPLES, self.runs))
        total, size = weights @ self.times, weights.sum(axis=1)
        if self.censored:
            missed = rng.standard_gamma(PSEUDO, RESAMPLES)
            total, size = total + missed * rng.uniform(0, horizon, RESAMPLES), size + missed
        means: Array = total / size
        return means


def _estimate(value: float, resampled: Array, lower_bound: bool = False) -> Estimate:
    low, high = percentile_interval(resampled)
    # Of identical runs the quantiles differ from the mean by rounding.
    return Estimate(value, float(resampled.std(ddof=1)), min(low, value), max(high, value), lower_bound)
