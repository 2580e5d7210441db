"""A search with one's own training function: any loop, framework or machine that yields a metric epoch by epoch."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from theory.ensembles import Ensemble
from theory.files import replace_file
from theory.passages import Direction, check_direction, reaches
from theory.search.environment import Candidate, Environment
from theory.search.evidence import padded

Train = Callable[[int, str | None, int | None], Iterator[float]]
"""Called with the seed of a run, the name of the perturbation and the period, or None and None."""


class OwnLoop(Environment):
    """Runs of a training function of one's own.

    ``train(seed, perturbation, period)`` is a generator that yields the metric after each epoch; the perturbation
    acts after the metric of epochs ``period``, ``2 * period``, ... It is asked for no more epochs than are needed:
    unperturbed runs of the pilot wait until they are continued, so their networks stay in memory; all others are
    closed at their first passage. Several runs are under way at once: each needs random generators of its own, and
    nothing like ``torch.no_grad()`` may be open where it yields.

    Parameters
    ----------
    train : callable
        See above. Perturbation and period are None for unperturbed runs.
    perturbations : sequence of str
        Names of what may be tried.
    goal : float
        The hardest threshold: runs end there.
    epochs : int
        Longest run; means are restricted to it.
    periods : sequence of int
        Periods that may be tried, epochs.
    metric : str
        Name of the metric.
    direction : {"at_least", "at_most"}
        Side of the threshold on which training is complete.
    store : path, optional
        File in which finished runs are kept, so that a search that is called again does not train them again. After
        a change of the function use another.
    first_seed : int
        Seeds are this and those that follow.

    Examples
    --------
    A training that jitters around 90 and is helped by nothing:

    >>> import numpy as np
    >>> from theory.search import OwnLoop, SearchSettings, search
    >>> def train(seed, perturbation, period):
    ...     rng = np.random.default_rng(seed)
    ...     while True:
    ...         yield 90 + rng.normal()
    >>> loop = OwnLoop(train, ["kick"], goal=92, epochs=60, periods=[5, 10, 20])
    >>> search(loop, SearchSettings(thresholds=(92,), budget=3000)).answers[0].verdict
    'do_not_perturb'
    """

    can_branch = False

    def __init__(
        self,
        train: Train,
        perturbations: Sequence[str],
        *,
        goal: float,
        epochs: int,
        periods: Sequence[int],
        metric: str = "metric",
        direction: Direction = "at_least",
        store: str | os.PathLike[str] | None = None,
        first_seed: int = 0,
    ) -> None:
        check_direction(direction)
        if isinstance(perturbations, str):
            raise TypeError(
                f"`perturbations` must be a list of names, got {perturbations!r}; write [{perturbations!r}]"
            )
        self.allowed = tuple(sorted({int(period) for period in periods}))
        if not self.allowed or self.allowed[0] < 1 or self.allowed[-1] >= epochs:
            raise ValueError(f"`periods` must lie between 1 and {epochs - 1} epochs, got {list(periods)}")
        self.train, self.goal, self.horizon, self.spent = train, float(goal), int(epochs), 0
        self.metric, self.direction = metric, direction
        self.candidates = tuple(Candidate(name) for name in perturbations)
        self.store = None if store is None else Path(store)
        self._known: dict[str, list[float | None]] = {}
        if self.store is not None and self.store.exists():
            self._known = _read(self.store)
        self._next = first_seed
        self._pilot: list[_Run] = []

    def periods(self, candidate: Candidate) -> tuple[int, ...]:
        """Return the same periods for every candidate."""
        return self.allowed

    def pilot(self, runs: int, epochs: int) -> Ensemble:
        """Continue the pilot."""
        length = max([epochs, *(len(run.values) for run in self._pilot)])
        while len(self._pilot) < runs:
            self._pilot.append(self._start(None, None))
        for run in self._pilot:
            self._go_on(run, length)
        return self._ensemble(self._pilot, None, None)

    def branch(
        self, candidate: Candidate, period: int, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Return None: a function cannot go on from the state of another run."""
        return None

    def fresh(
        self, candidate: Candidate | None, period: int | None, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Run the function with new seeds."""
        name = None if candidate is None else candidate.name
        end = self.length(epochs)
        done = []
        for _ in range(runs):
            run = self._start(name, period)
            self._go_on(run, end, self._reached)
            run.close()
            done.append(run)
        return self._ensemble(done, name, period)

    def _start(self, name: str | None, period: int | None) -> _Run:
        seed, self._next = self._next, self._next + 1
        return _Run(seed, json.dumps([seed, name, period]), lambda: self.train(seed, name, period))

    def _go_on(self, run: _Run, epochs: int, stop: Callable[[float], bool] | None = None) -> None:
        before = run.epochs
        known = self._known.get(run.key, [])
        run.extend(epochs, known, stop)
        self.spent += run.epochs - before
        found = run.record()
        if self.store is not None and len(found) > len(known):
            self._known[run.key] = found
            replace_file(self.store, json.dumps(self._known).encode())

    def _reached(self, value: float) -> bool:
        return bool(reaches(value, self.goal, self.direction))

    def _ensemble(self, runs: Sequence[_Run], name: str | None, period: int | None) -> Ensemble:
        longest = max(1, max(len(run.values) for run in runs))
        values = [padded(np.array([run.values], dtype=float), longest) for run in runs]
        seeds = np.array([run.seed for run in runs])
        return Ensemble(np.concatenate(values), seeds, self.metric, self.direction, name, period)


def _read(store: Path) -> dict[str, list[float | None]]:
    try:
        known = json.loads(store.read_text(encoding="utf-8"))
        return {
            str(key): [None if value is None else float(value) for value in values]
            for key, values in known.items()
        }
    except (ValueError, TypeError, AttributeError) as problem:
        raise ValueError(
            f"`store` {store} does not hold the runs of a search ({problem}); name another file"
        ) from None


class _Run:
    """One run: what it has yielded, and the generator that yields the rest."""

    def __init__(self, seed: int, key: str, make: Callable[[], Iterator[float]]) -> None:
        self.seed, self.key, self.make = seed, key, make
        self.values: list[float] = []
        self.source: Iterator[float] | None = None
        self.ended = self.diverged = False

    @property
    def epochs(self) -> int:
        """Epochs that the run has cost; the one in which it diverged, or ended by itself, was one of them."""
        return len(self.values) + self.diverged

    def record(self) -> list[float | None]:
        """Return the values, and None for the epoch in which it diverged or ended by itself."""
        return [*self.values, None] if self.diverged else [*self.values]

    def extend(
        self, epochs: int, known: Sequence[float | None], stop: Callable[[float], bool] | None
    ) -> None:
        """Get values up to ``epochs``, those known already without training, the others from the generator."""
        while len(self.values) < epochs and not self.ended:
            if len(self.values) < len(known):
                value = known[len(self.values)]
                value = math.nan if value is None else value
            else:
                if self.source is None:
                    # A generator starts from the beginning: what is known is trained once more to get beyond.
                    self.source = islice(self.make(), len(self.values), None)
                value = next(self.source, math.nan)
            if not math.isfinite(value):
                self.ended = self.diverged = True
                return
            self.values.append(float(value))
            self.ended = stop is not None and stop(value)

    def close(self) -> None:
        """Let go of the generator and what it holds."""
        self.source = None
