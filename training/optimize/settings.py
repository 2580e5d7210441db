"""What a search for the best perturbation of a training task is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from theory.search import Candidate, SearchSettings
from training.perturbations import Perturbation
from training.protocols import Periodic, check_epochs
from training.study.settings import TrainingStudy
from training.treatment import Treatment

STEPS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70)


@dataclass(frozen=True, slots=True)
class Optimization:
    """A task, what to try on it, and what to reach.

    Attributes
    ----------
    study : TrainingStudy
        Task, longest run, metric, block size and executor; its seeds and treatments are not used.
    candidates : mapping of Candidate to Perturbation
        What to try; `theory.search.Candidate` gives the name under which its runs are kept.
    search : SearchSettings
        Thresholds, budget, precision.
    periods : tuple of int
        Periods to try, epochs, below the length of the runs. Default: see `default_periods`.
    """

    study: TrainingStudy
    candidates: Mapping[Candidate, Perturbation]
    search: SearchSettings
    periods: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.candidates:
            raise ValueError(
                "`candidates` is empty: there is no perturbation to try; give at least one, such as ShrinkPerturb()"
            )
        names = [candidate.name for candidate in self.candidates]
        if len(set(names)) < len(names):
            raise ValueError(f"`candidates` must have different names, got {', '.join(names)}")
        for candidate, perturbation in self.candidates.items():
            Treatment(perturbation, Periodic(1), candidate.name)  # raises where it is no perturbation
        periods = tuple(sorted(set(self.periods))) or default_periods(self.study.epochs)
        for period in periods:
            check_epochs("periods", period)
        if periods[-1] >= self.study.epochs:
            raise ValueError(
                f"`periods` must lie below the {self.study.epochs} epochs of a run, got {periods[-1]}"
            )
        object.__setattr__(self, "periods", periods)


def default_periods(epochs: int) -> tuple[int, ...]:
    """Periods that grow by about a half from one to the next, up to half the length of a run.

    Examples
    --------
    >>> default_periods(100)
    (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
    """
    scales = (10**power for power in range(len(str(epochs))))
    found = {step * scale for scale in scales for step in STEPS if step * scale <= max(1, epochs // 2)}
    return tuple(sorted(found))
