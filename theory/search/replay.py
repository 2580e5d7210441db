"""An environment that deals out recorded runs, to measure how good a search is without training anything."""

from __future__ import annotations

import numpy as np

from theory.ensembles import Ensemble, Study
from theory.search.environment import Candidate, Environment
from theory.search.evidence import restricted, until_passage
from theory.traces import pick_rows


class ReplayEnvironment(Environment):
    """Deals out the runs of a study in random order, without replacement, and counts what they would have cost.

    A recorded run stands for a new one up to its first passage of the goal. Where a run is asked for that branches
    off the pilot, one that was recorded at that period and is alive at it is dealt, for the epochs after it.

    Parameters
    ----------
    study : Study
        Recorded runs: unperturbed ones, and perturbed ones at the periods that can be tried.
    goal : float
        Threshold at which runs end.
    seed : int
        Seed of the order.
    """

    def __init__(self, study: Study, goal: float, seed: int = 0) -> None:
        self.study, self.goal, self.spent = study, goal, 0
        self.metric, self.direction = study.unperturbed.metric, study.unperturbed.direction
        self.horizon = study.unperturbed.horizon
        self.candidates = tuple(Candidate(name) for name in study.perturbations)
        rng = np.random.default_rng(seed)
        # From the left the independent runs are dealt, the pilot first; of perturbed ones, from the right the branches.
        self._left = {each.name: list(rng.permutation(len(each))) for each in study}
        self._pilot: list[int] = []
        self._epochs = 0
        self._branched: dict[str, int] = {}

    def periods(self, candidate: Candidate) -> tuple[int, ...]:
        """Periods that were recorded."""
        return self.study.periods(candidate.name)

    def pilot(self, runs: int, epochs: int) -> Ensemble:
        """Unperturbed runs; extending them costs the difference."""
        free = self.study.unperturbed
        before = len(self._pilot) * self._epochs
        while len(self._pilot) < runs and self._left[free.name]:
            self._pilot.append(self._left[free.name].pop(0))
        self._epochs = min(max(epochs, self._epochs), self.horizon)
        self.spent += len(self._pilot) * self._epochs - before
        values = pick_rows(free.values, np.array(self._pilot, dtype=np.intp))[:, : self._epochs]
        return Ensemble(values, free.seeds[self._pilot], free.metric, free.direction)

    def branch(
        self, candidate: Candidate, period: int, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Recorded runs that were alive at ``period``, as many as pilot runs still are."""
        ensemble = self.study.ensemble(candidate.name, period)
        if period > self._epochs:
            return None
        pilot = self.study.unperturbed.first_passage(self.goal).times[self._pilot]
        left = int(np.sum(pilot > period)) - self._branched.get(ensemble.name, 0)
        times = ensemble.first_passage(self.goal).times
        dealt: list[int] = []
        waiting = self._left[ensemble.name]
        for run in reversed(list(waiting)):
            if len(dealt) == min(runs, left):
                break
            if times[run] > period:
                waiting.remove(run)
                dealt.append(run)
        self._branched[ensemble.name] = self._branched.get(ensemble.name, 0) + len(dealt)
        end = self.length(epochs)
        self.spent += int(np.sum(np.minimum(times[dealt], end) - period))
        return self._dealt(ensemble, dealt, end)

    def fresh(
        self, candidate: Candidate | None, period: int | None, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Recorded runs, each up to its first passage."""
        ensemble = self.study.unperturbed
        if candidate is not None and period is not None:
            ensemble = self.study.ensemble(candidate.name, period)
        waiting = self._left[ensemble.name]
        dealt, self._left[ensemble.name] = waiting[:runs], waiting[runs:]
        end = self.length(epochs)
        self.spent += int(np.sum(ensemble.first_passage(self.goal, end).times[dealt]))
        return self._dealt(ensemble, dealt, end)

    def _dealt(self, ensemble: Ensemble, dealt: list[int], end: int) -> Ensemble | None:
        if not dealt:
            return None
        values = until_passage(ensemble.recorded, ensemble.first_passage(self.goal).times)[dealt, :end]
        return Ensemble(
            values,
            ensemble.seeds[dealt],
            ensemble.metric,
            ensemble.direction,
            ensemble.perturbation,
            ensemble.period,
        )

    def truth(self, threshold: float) -> dict[tuple[str, int], float]:
        """Mean of min(T, horizon) of all recorded runs of each perturbation and period, epochs."""
        return {
            (str(each.perturbation), int(each.period or 0)): float(
                restricted(each, threshold, self.horizon).mean()
            )
            for each in self._grid()
        }

    def grid_epochs(self) -> int | None:
        """Epochs of all recorded perturbed runs, each up to its first passage."""
        return int(sum(each.first_passage(self.goal).times.sum() for each in self._grid()))

    def _grid(self) -> list[Ensemble]:
        """Perturbed runs, without those that branch off at another epoch than their period."""
        return [each for each in self.study.perturbed if each.first is None]
