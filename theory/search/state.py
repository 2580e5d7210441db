"""State of a search under way: settings, environment, evidence, and the log of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from theory.ensembles import Ensemble
from theory.relaxation import QuasiSteadyState
from theory.search.environment import Environment
from theory.search.evidence import Evidence, Key, held
from theory.search.settings import SearchSettings

Kind = Literal["pilot", "probe", "refine", "confirm"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a search.

    Attributes
    ----------
    step : {"pilot", "probe", "refine", "confirm"}
        What it belongs to.
    perturbation : str or None
        Name of the candidate, None for unperturbed runs.
    period : int or None
        Epochs.
    runs : int
        New runs.
    epochs : int
        What they cost.
    why : str
        Reason.
    """

    step: Kind
    perturbation: str | None
    period: int | None
    runs: int
    epochs: int
    why: str


@dataclass
class SearchState:
    """What a search knows so far."""

    environment: Environment
    settings: SearchSettings
    on_step: Callable[[Step], None] | None = None
    evidence: Evidence = field(default_factory=Evidence)
    steps: list[Step] = field(default_factory=list)
    settled: int = 1
    qss: QuasiSteadyState | None = None
    started: int = 0
    confirmed: dict[Key | None, Ensemble] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.environment.spent

    @property
    def spent(self) -> int:
        """Epochs spent by this search."""
        return self.environment.spent - self.started

    def left(self, share: int) -> int:
        """Epochs left of the first ``share`` epochs of the budget."""
        return share - self.spent

    def note(self, step: Step) -> None:
        """Add a step to the log."""
        self.steps.append(step)
        if self.on_step is not None:
            self.on_step(step)

    def measure(self, kind: Kind, key: Key, runs: int, why: str, epochs: int | None = None) -> int:
        """Get runs at one period: off the pilot as long as there are any, then independent ones; their number."""
        candidate, period = key
        before, got = self.spent, 0
        goal, horizon = self.environment.goal, self.environment.horizon
        length = self.environment.length(epochs)
        branches = self.environment.branch(candidate, period, runs, length)
        if branches is not None:
            self.evidence.add(key, held(branches, goal, length, horizon), branched=True)
            got += len(branches)
        if got < runs and (kind != "probe" or not self.environment.can_branch):
            independent = self.environment.fresh(candidate, period, runs - got, length)
            if independent is not None:
                self.evidence.add(key, held(independent, goal, length, horizon), branched=False)
                got += len(independent)
        if got:
            self.note(Step(kind, candidate.name, period, got, self.spent - before, why))
        return got
