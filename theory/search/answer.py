"""What a search found: an answer for each threshold, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from theory.ensembles import Ensemble
from theory.estimates import Estimate
from theory.relaxation import QuasiSteadyState
from theory.search.choosing import best_key
from theory.search.confirming import FEWEST_RUNS, Confirmed
from theory.search.environment import Candidate
from theory.search.evidence import Evidence, Key, Point, worst
from theory.search.prior import Prior
from theory.search.refine import make_priors, posterior
from theory.search.state import SearchState, Step
from theory.search.surrogate import Surrogate

Array = NDArray[np.float64]
Verdict = Literal["perturb", "do_not_perturb", "undecided"]
GRID_RUNS = 20
"""Runs at each point of the grid that a search is compared with where nothing else is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Mean first-passage time against the period, of one candidate.

    Attributes
    ----------
    candidate : Candidate
        Which.
    periods : (n,) int array
        Epochs.
    prior, prior_low, prior_high : (n,) arrays
        What the theory expected before any measurement at that period, epochs, and 95 % interval.
    mean, low, high : (n,) arrays
        What is expected after all measurements, epochs, and 95 % interval.
    points : tuple of (int, Point)
        Measurements, by period.
    """

    candidate: Candidate
    periods: NDArray[np.int64]
    prior: NDArray[np.float64]
    prior_low: NDArray[np.float64]
    prior_high: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    points: tuple[tuple[int, Point], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Answer at one threshold.

    Attributes
    ----------
    threshold : float
        In the unit of the metric.
    verdict : {"perturb", "do_not_perturb", "undecided"}
        ``perturb`` where the confirmation shows a speed-up, its 95 % interval above 1. ``do_not_perturb`` where fresh
        runs do not show one: its interval reaches down to 1, also because it is wide; see ``confirmed``.
        ``undecided`` where the budget left no fresh runs, or nothing could be recommended.
    candidate : Candidate or None
        The best one found; None where no run reached the threshold, or none was perturbed.
    period : int or None
        Its best period, epochs.
    predicted : Estimate or None
        Mean of min(T, horizon) there, from the search, epochs.
    confirmed : Confirmed or None
        What fresh runs say; None where the budget had none left.
    sentence : str
        The answer in words.
    curves : tuple of Curve
        Of every candidate.
    """

    threshold: float
    verdict: Verdict
    candidate: Candidate | None
    period: int | None
    predicted: Estimate | None
    confirmed: Confirmed | None
    sentence: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """All that a search has to say.

    Attributes
    ----------
    answers : tuple of Answer
        By threshold, ascending.
    steps : tuple of Step
        What was done, in order.
    horizon : int
        Epochs to which means are restricted.
    qss : QuasiSteadyState or None
        Verdict on the pilot; None where the budget did not reach so far.
    settled : int
        Epoch from which a run was taken to be relaxed.
    evidence : Evidence
        Runs of pilot, probes and refinement.
    confirmed : dict
        Runs of the confirmation, by candidate and period, or None for unperturbed ones.
    grid : int or None
        Epochs of the full grid, to compare with.
    """

    answers: tuple[Answer, ...]
    steps: tuple[Step, ...]
    horizon: int
    qss: QuasiSteadyState | None
    settled: int
    evidence: Evidence
    confirmed: dict[Key | None, Ensemble]
    grid: int | None

    @property
    def cost(self) -> dict[str, int]:
        """Epochs of each kind of step, and in all."""
        kinds = ("pilot", "probe", "refine", "confirm")
        cost = {kind: sum(step.epochs for step in self.steps if step.step == kind) for kind in kinds}
        return {**cost, "total": sum(cost.values())}


class Finding(NamedTuple):
    """What a search knows at one threshold before it is confirmed.

    ``key`` is the best candidate and period measured, None where no run arrived or none was perturbed.
    """

    key: Key | None
    surrogate: Surrogate
    points: dict[Key, Point]
    priors: dict[Candidate, Prior]

    def predicted(self) -> Estimate | None:
        """Mean expected at the best point, epochs."""
        if self.key is None:
            return None
        log_mean, std = self.surrogate.at(self.key)
        low, mean, high = (float(np.exp(log_mean + k * std)) for k in (-1.96, 0, 1.96))
        return Estimate(mean, mean * std, low, high)


def find_answer(state: SearchState, threshold: float) -> Finding:
    """Best candidate and period by all that the search has measured, with the surrogate that says so."""
    priors = make_priors(state, threshold)
    surrogate, points = posterior(state, priors, threshold)
    reached = state.evidence.reached(threshold)
    arrived = {key: point for key, point in points.items() if reached and point.censored < point.runs}
    return Finding(best_key(surrogate, arrived), surrogate, points, priors)


def compose(state: SearchState, threshold: float, found: Finding, confirmed: Confirmed | None) -> Answer:
    """Put the answer at one threshold into words."""
    curves, predicted = _curves(found), found.predicted()
    if found.key is None or predicted is None:
        sentence = (_unmeasured if state.evidence.reached(threshold) else _nothing)(state, threshold)
        return Answer(threshold, "undecided", None, None, None, None, sentence, curves)
    candidate, period = found.key
    name = f"{candidate.name} every {period} epoch" + ("s" if period > 1 else "")
    verdict: Verdict = "undecided"
    if confirmed is None:
        sentence = _unconfirmed(state, threshold, name, predicted)
    else:
        verdict = "perturb" if confirmed.speedup.low > 1 else "do_not_perturb"
        sentence = _confirmed(state, threshold, name, confirmed)
    return Answer(threshold, verdict, candidate, period, predicted, confirmed, sentence, curves)


def _unconfirmed(state: SearchState, threshold: float, name: str, predicted: Estimate) -> str:
    cost = FEWEST_RUNS * (predicted.value + state.environment.horizon)
    return (
        f"Best so far, not confirmed: {name}, with {threshold:g} expected after {predicted.value:.3g} epochs "
        f"(95 % interval {predicted.low:.3g} to {predicted.high:.3g}); fresh runs to confirm it cost about "
        f"{cost:,.0f} epochs, which the budget of {state.settings.budget:,d} does not leave."
    )


def _confirmed(state: SearchState, threshold: float, name: str, confirmed: Confirmed) -> str:
    ratio = confirmed.speedup
    interval = f"95 % interval {ratio.low:.3g} to {ratio.high:.3g}"
    runs = f"means up to epoch {state.environment.horizon}, {confirmed.runs[0]} and {confirmed.runs[1]} fresh runs"
    if ratio.low > 1:
        return (
            f"Use {name}: {threshold:g} is reached in {confirmed.mean.value:.3g} epochs on average, "
            f"{ratio.value:.3g} times sooner than without ({interval}; {runs})."
        )
    found = f"(best found: {name}, speed-up {ratio.value:.3g}, {interval}; {runs})"
    if ratio.high < 1:
        return f"Do not perturb: it takes longer to reach {threshold:g} {found}."
    return f"No speed-up is shown in reaching {threshold:g} {found}."


def _unmeasured(state: SearchState, threshold: float) -> str:
    return (
        f"Nothing to recommend: no perturbed run tells when {threshold:g} is reached, after {state.spent:,d} epochs of "
        f"the budget of {state.settings.budget:,d}; unperturbed runs do reach it. Give a larger budget."
    )


def _nothing(state: SearchState, threshold: float) -> str:
    runs = state.evidence.runs
    values = np.concatenate([each.recorded.ravel() for each in runs])
    values = values[np.isfinite(values)]
    direction = runs[0].direction
    pick = np.max if direction == "at_least" else np.min
    best = float(pick(values, initial=worst(direction)))
    count = sum(map(len, runs))
    if best == worst(direction):
        return (
            f"Nothing to recommend: each of {count} runs diverged in its first epoch, the metric is not finite. Look "
            "for the cause in training, such as a learning rate that is too large."
        )
    longest = max(each.horizon for each in runs)
    return (
        f"Nothing to recommend: none of {count} runs of up to {longest} epochs reached {threshold:g}, perturbed or "
        f"not; the best value was {best:.4g}. Choose a threshold up to that, train longer, or add perturbations."
    )


def _curves(found: Finding) -> tuple[Curve, ...]:
    curves = []
    for candidate, prior in found.priors.items():
        rows = [row for row, key in enumerate(found.surrogate.keys) if key[0] == candidate]
        mean, std = found.surrogate.mean[rows], found.surrogate.std[rows]
        seen = sorted((key[1], point) for key, point in found.points.items() if key[0] == candidate)
        curves.append(
            Curve(
                candidate,
                prior.periods,
                *_band(prior.log_mean, prior.width(found.surrogate.noise**2)),
                *_band(mean, std),
                tuple(seen),
            )
        )
    return tuple(curves)


def _band(log_mean: Array, width: Array) -> tuple[Array, Array, Array]:
    return np.exp(log_mean), np.exp(log_mean - 1.96 * width), np.exp(log_mean + 1.96 * width)


def grid_epochs(state: SearchState, surrogate: Surrogate) -> int:
    """Epochs of the full grid: recorded, or as expected for `GRID_RUNS` runs at each candidate and period."""
    known = state.environment.grid_epochs()
    if known is not None:
        return known
    return int(GRID_RUNS * np.minimum(np.exp(surrogate.mean), state.environment.horizon).sum())
