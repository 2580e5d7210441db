"""Runs of a search, trained when they are asked for and kept in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from theory.ensembles import Ensemble
from theory.search import Candidate, Environment
from theory.search.evidence import joined
from training.executors import Where
from training.optimize.settings import Optimization
from training.protocols import Periodic
from training.run_group import RunGroup
from training.study.plan import WorkUnit, without_executor
from training.study.study import train_units
from training.study.work import chosen_metric, read_finished
from training.treatment import Treatment


class TrainingEnvironment(Environment):
    """Trains what a search asks for, block by block; what the folder holds already is not trained again.

    The pilot keeps its state at every period that may be tried, so that perturbed runs can branch off there. Seeds
    are dealt in order, each to one pilot run or one independent run; branches have the seeds of their pilot runs.

    Parameters
    ----------
    optimization : Optimization
        What to train and try.
    folder : path
        Of the search.
    executor : str, ExecutorSettings, Executor or callable
        Where to train.
    progress : bool
        Whether to show a bar on standard error.

    Attributes
    ----------
    pilot_groups, branch_groups, fresh_groups : lists of RunGroup
        All metrics of all runs: the pilot block by block, branches, independent runs.
    """

    def __init__(
        self, optimization: Optimization, folder: Path, executor: Where, progress: bool = False
    ) -> None:
        study = without_executor(optimization.study)
        directions = study.task.prepare().directions
        self.metric = chosen_metric(study, directions)
        self.direction = directions[self.metric]
        hardest = max if self.direction == "at_least" else min
        self.goal, self.horizon = hardest(optimization.search.thresholds), study.epochs
        self.perturbations, self.allowed = dict(optimization.candidates), optimization.periods
        self.candidates = tuple(self.perturbations)
        self.spent, self.folder, self.executor, self.progress = 0, folder.absolute(), executor, progress
        self.block_size = study.block_size
        self._free = replace(study, treatments=(), threshold=None, stop_at_threshold=False)
        self._seeds = 0
        self._length = 0
        self._branched: dict[tuple[str, int], set[int]] = {}
        self.pilot_groups: list[RunGroup] = []
        self.branch_groups: list[RunGroup] = []
        self.fresh_groups: list[RunGroup] = []

    def periods(self, candidate: Candidate) -> tuple[int, ...]:
        """Return the same periods for every candidate."""
        return self.allowed

    def pilot(self, runs: int, epochs: int) -> Ensemble:
        """Train what is missing of the pilot, from where it ended."""
        known, epochs = self._length, max(epochs, self._length)
        missing = runs - sum(len(group.seeds) for group in self.pilot_groups)
        blocks = [tuple(map(int, group.seeds)) for group in self.pilot_groups] if epochs > known else []
        units = [self._pilot_unit(seeds, epochs, known) for seeds in blocks]
        units += [self._pilot_unit(seeds, epochs, 0) for seeds in self._blocks(self._deal(missing))]
        groups = self._train(units)
        self.pilot_groups = groups if blocks else self.pilot_groups + groups
        self._length = epochs
        return joined([self._ensemble(group) for group in self.pilot_groups])

    def branch(
        self, candidate: Candidate, period: int, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Perturb pilot runs that are alive at ``period``, going on from the state that they had there."""
        end = self.length(epochs)
        done = self._branched.setdefault((candidate.name, period), set())
        left, units = runs, []
        for group in self.pilot_groups if self._length >= period else []:
            alive = self._ensemble(group).first_passage(self.goal).times > period
            seeds = [int(seed) for seed in group.seeds[alive] if int(seed) not in done][:left]
            left -= len(seeds)
            done |= set(seeds)
            if seeds:
                unit = self._unit(candidate, period, tuple(seeds), end)
                trunk = int(group.seeds[0])
                units.append(
                    replace(
                        unit,
                        trunk=trunk,
                        branch_epoch=period,
                        trunk_stops=False,
                        label=f"{unit.name}-branch",
                    )
                )
        groups = self._train(units)
        self.branch_groups += groups
        return joined([self._ensemble(group) for group in groups]) if groups else None

    def fresh(
        self, candidate: Candidate | None, period: int | None, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Train runs with new seeds."""
        end = self.length(epochs)
        units = [self._unit(candidate, period, seeds, end) for seeds in self._blocks(self._deal(runs))]
        groups = self._train(units)
        self.fresh_groups += groups
        return joined([self._ensemble(group) for group in groups])

    def _pilot_unit(self, seeds: tuple[int, ...], epochs: int, known: int) -> WorkUnit:
        """A block of the pilot, numbered by its first seed, that goes on from what is known of it."""
        kept = {period for period in self.allowed if known < period <= epochs} | {epochs}
        return WorkUnit(
            self.folder,
            replace(self._free, epochs=epochs),
            None,
            seeds[0],
            seeds,
            trunk=seeds[0] if known else None,
            branch_epoch=known or None,
            branches=tuple(sorted(kept)),
            label=f"pilot-{seeds[0]}-{len(seeds)}-to-{epochs}",
        )

    def _unit(
        self, candidate: Candidate | None, period: int | None, seeds: tuple[int, ...], epochs: int
    ) -> WorkUnit:
        """Runs that end at the goal, named by what they are: a search with another budget finds them again."""
        study = replace(
            self._free, epochs=epochs, metric=self.metric, threshold=self.goal, stop_at_threshold=True
        )
        treatment = None
        if candidate is not None and period is not None:
            treatment = Treatment(self.perturbations[candidate], Periodic(period), candidate.name)
        unit = WorkUnit(self.folder, study, treatment, seeds[0], seeds)
        return replace(unit, label=f"{unit.name}-{unit.fingerprint[:12]}")

    def _deal(self, runs: int) -> tuple[int, ...]:
        first, self._seeds = self._seeds, self._seeds + max(0, runs)
        return tuple(range(first, self._seeds))

    def _blocks(self, seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
        return [seeds[at : at + self.block_size] for at in range(0, len(seeds), self.block_size)]

    def _train(self, units: Sequence[WorkUnit]) -> list[RunGroup]:
        if not units:
            return []
        self.spent += sum(report.trained for report in train_units(units, self.executor, self.progress))
        return [read_finished(unit).group for unit in units]

    def _ensemble(self, group: RunGroup) -> Ensemble:
        return group.ensemble(self.metric)
