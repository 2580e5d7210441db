"""What a search needs of the world: runs to be had for epochs, whoever trains, simulates or replays them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from theory.ensembles import Ensemble
from theory.passages import Direction


@dataclass(frozen=True, slots=True)
class Candidate:
    """One perturbation, with its parameters, that may turn out the best.

    Attributes
    ----------
    name : str
        Of the perturbation.
    family : str
        Candidates of one family differ in ``parameters`` alone, and tell about each other. Default: ``name``.
    parameters : tuple of (str, float)
        Name and value of each, in the same order throughout a family.
    """

    name: str
    family: str = ""
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not self.family:
            object.__setattr__(self, "family", self.name)


class Environment(ABC):
    """Deals out runs and counts the epochs that they cost.

    No run is dealt twice. A run that is not of the pilot ends when its metric reaches the goal.

    Attributes
    ----------
    metric : str
        Name of the metric.
    direction : {"at_least", "at_most"}
        Side of the threshold on which training is complete.
    goal : float
        Threshold at which runs end, the hardest of those that are looked for.
    horizon : int
        Longest run, epochs; means are restricted to it.
    candidates : tuple of Candidate
        What may be tried.
    spent : int
        Epochs trained so far; history that runs share is counted once.
    can_branch : bool
        Whether runs can go on from the state of others; if not, independent runs are asked for instead.
    """

    metric: str
    direction: Direction
    goal: float
    horizon: int
    candidates: tuple[Candidate, ...]
    spent: int
    can_branch: bool = True

    @abstractmethod
    def periods(self, candidate: Candidate) -> tuple[int, ...]:
        """Periods at which the candidate can be tried, epochs, ascending."""

    @abstractmethod
    def pilot(self, runs: int, epochs: int) -> Ensemble:
        """Unperturbed runs, at least so many for at least so many epochs, those dealt before among them.

        They do not end at the goal. There may be fewer than asked for where no more are to be had.
        """

    @abstractmethod
    def branch(
        self, candidate: Candidate, period: int, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Up to ``runs`` new runs that share the history of pilot runs up to ``period`` and are perturbed from there.

        Only pilot runs that are alive at ``period``, and have not branched there into the same candidate before,
        can do so; their traces are whole, the shared history included, and as long as ``epochs`` at most (more than
        the period), by default as the horizon. None if there is no such run left.
        """

    @abstractmethod
    def fresh(
        self, candidate: Candidate | None, period: int | None, runs: int, epochs: int | None = None
    ) -> Ensemble | None:
        """Up to ``runs`` new independent runs, perturbed every ``period`` epochs, or not at all.

        They are as long as ``epochs`` at most, by default as the horizon. None if none are left.
        """

    def length(self, epochs: int | None) -> int:
        """Length of runs that may be as long as ``epochs``: the horizon at most, and where None is given."""
        return self.horizon if epochs is None else min(epochs, self.horizon)

    def grid_epochs(self) -> int | None:
        """Epochs of a full search of the grid of candidates and periods, where that is known."""
        return None
