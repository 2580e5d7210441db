"""Toy models as the environment of a search: what it finds can be compared with the exact optimum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from theory.ensembles import Ensemble
from theory.passages import Direction, first_passage
from theory.search import Candidate, Environment
from theory.search.evidence import until_passage

Array = NDArray[np.float64]
Seeds = NDArray[np.int64]


class Model(Protocol):
    """What an environment needs of a toy model; `PlateauMixture` and `Autoregression` have it."""

    @property
    def unperturbed_law(self) -> tuple[float, ...]:
        """All that decides how runs go without perturbation."""

    def traces(
        self, seeds: Seeds, epochs: int, period: int | None = None, *, later: Seeds | None = None
    ) -> Array:
        """Traces of the runs of these seeds, with other random numbers after the first perturbation."""

    def restricted_mean(self, threshold: float, horizon: int, period: int | None = None) -> float:
        """Exact mean of min(T, ``horizon``)."""


class ToyEnvironment(Environment):
    """Runs of toy models, one model for each candidate: what its perturbation does.

    Branches share the history of their pilot run and have random numbers of their own after the perturbation.

    Parameters
    ----------
    models : mapping
        From a name, or a `theory.search.Candidate`, to the model of its perturbation. Without perturbation all
        must be the same.
    goal : float
        Threshold at which runs end, in the unit of the metric.
    horizon : int
        Longest run, epochs.
    periods : sequence of int
        Periods to be tried, epochs, the same for all.
    seed : int
        Seed of all runs.

    Examples
    --------
    >>> from stochreset import Autoregression
    >>> reset = Autoregression(memory=0.98, start=0.5)
    >>> toy = ToyEnvironment({"reset": reset}, goal=1.5, horizon=400, periods=[10, 20, 40, 80])
    >>> runs = toy.fresh(toy.candidates[0], 20, runs=4)
    >>> bool(toy.spent == runs.first_passage(1.5).times.sum())
    True
    >>> exact = toy.truth(1.5)
    >>> min(exact, key=exact.get)
    ('reset', 40)
    """

    direction: Direction = "at_least"

    def __init__(
        self,
        models: Mapping[Any, Model],
        *,
        goal: float,
        horizon: int,
        periods: Sequence[int],
        seed: int = 0,
        metric: str = "metric",
    ) -> None:
        named = {key if isinstance(key, Candidate) else Candidate(key): each for key, each in models.items()}
        laws = {each.unperturbed_law for each in named.values()}
        if len(laws) != 1:
            raise ValueError(
                "`models` must be the same without perturbation, and at least one; they may differ only in what "
                f"a perturbation does, got {len(laws)} different laws"
            )
        self._periods = tuple(sorted(int(period) for period in periods))
        if not self._periods or self._periods[0] < 1 or self._periods[-1] >= horizon:
            raise ValueError(
                f"`periods` must be at least one, each at least 1 and below the `horizon` {horizon}, got "
                f"{list(periods)}"
            )
        self.models, self.candidates = named, tuple(named)
        self.goal, self.horizon, self.metric, self.spent = goal, horizon, metric, 0
        self._free = next(iter(named.values()))
        self._rng = np.random.default_rng(seed)
        self._pilot: list[int] = []
        self._epochs = 0
        self._branched: dict[tuple[Candidate, int], set[int]] = {}

    def periods(self, candidate: Candidate) -> tuple[int, ...]:
        """Periods to be tried."""
        return self._periods

    def pilot(self, runs: int, epochs: int) -> Ensemble:
        """Unperturbed runs; extending them costs the difference."""
        before = len(self._pilot) * self._epochs
        self._pilot += [int(seed) for seed in self._seeds(runs - len(self._pilot))]
        self._epochs = max(self._epochs, min(epochs, self.horizon))
        self.spent += len(self._pilot) * self._epochs - before
        seeds = np.array(self._pilot)
        return Ensemble(self._free.traces(seeds, self._epochs), seeds, self.metric, self.direction)

    def branch(
        self, candidate: Candidate, period: int, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Runs that share their first ``period`` epochs with pilot runs alive at it."""
        if period > self._epochs:
            return None
        branched = self._branched.setdefault((candidate, period), set())
        left = np.array([seed for seed in self._pilot if seed not in branched], dtype=np.int64)
        if not left.size:
            return None
        alive = first_passage(self._free.traces(left, period), self.goal).censored
        seeds = left[alive][:runs]
        if not seeds.size:
            return None
        branched.update(int(seed) for seed in seeds)
        length = self.length(epochs)
        values = self.models[candidate].traces(seeds, length, period, later=self._seeds(seeds.size))
        return self._ended(values, seeds, candidate, period, shared=period)

    def fresh(
        self, candidate: Candidate | None, period: int | None, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Independent runs; of these there are always more."""
        seeds = self._seeds(runs)
        length = self.length(epochs)
        model = self._free if candidate is None else self.models[candidate]
        return self._ended(model.traces(seeds, length, period), seeds, candidate, period)

    def truth(self, threshold: float) -> dict[tuple[str, int], float]:
        """Exact mean of min(T, horizon) of each candidate and period, epochs."""
        return {
            (candidate.name, period): model.restricted_mean(threshold, self.horizon, period)
            for candidate, model in self.models.items()
            for period in self._periods
        }

    def unperturbed_truth(self, threshold: float) -> float:
        """Exact mean of min(T, horizon) without perturbation, epochs."""
        return self._free.restricted_mean(threshold, self.horizon)

    def _seeds(self, count: int) -> Seeds:
        return self._rng.integers(np.iinfo(np.int64).max, size=max(0, count))

    def _ended(
        self, values: Array, seeds: Seeds, candidate: Candidate | None, period: int | None, shared: int = 0
    ) -> Ensemble:
        """Traces up to the passage of the goal, their cost beyond the ``shared`` epochs counted."""
        times = first_passage(values, self.goal).times
        self.spent += int(np.sum(times - shared))
        name = None if candidate is None else candidate.name
        return Ensemble(until_passage(values, times), seeds, self.metric, self.direction, name, period)
