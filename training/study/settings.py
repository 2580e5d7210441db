"""What a training study consists of: one task, unperturbed runs, and runs under any number of treatments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.ensembles import UNPERTURBED
from training.checks import as_tuple, check_number, check_settings
from training.executors import ExecutorSettings
from training.protocols import check_epochs
from training.task import Task
from training.treatment import Treatment, check_seeds


@dataclass(frozen=True, slots=True)
class TrainingStudy:
    """A task, and the runs to train on it.

    Attributes
    ----------
    task : Task
        Data, network, optimizer, hardware.
    epochs : int
        Epochs of each run.
    seeds : tuple of int
        Seed of each unperturbed run, not negative, all different.
    treatments : tuple of Treatment
        Perturbed runs.
    block_size : int
        Runs that make up a unit of work: trained together, lost together, kept together.
    metric : str, optional
        Metric to read from the runs file where none is named. Default: test accuracy, or test loss.
    threshold : float, optional
        Training is complete when the metric reaches it.
    stop_at_threshold : bool
        End each run when it does. Cheaper, but higher thresholds cannot be analysed then, nor can the
        quasi-steady state be tested beyond.
    checkpoint_seconds : float
        A unit of work is saved this often, and when it is interrupted.
    keep_checkpoints : bool
        Keep the states from which perturbed runs branched off when all is done, so that treatments added later can
        branch off as well. They take the memory of the networks and their optimizers.
    executor : ExecutorSettings
        Where the units run; see `training.executors`.
    """

    task: Task
    epochs: int
    seeds: tuple[int, ...]
    treatments: tuple[Treatment, ...] = ()
    block_size: int = 100
    metric: str | None = None
    threshold: float | None = None
    stop_at_threshold: bool = False
    checkpoint_seconds: float = 60.0
    keep_checkpoints: bool = True
    executor: ExecutorSettings = ExecutorSettings()

    def __post_init__(self) -> None:
        check_settings("task", self.task, Task, "a Task")
        check_epochs("epochs", self.epochs)
        check_epochs("block_size", self.block_size, "runs")
        object.__setattr__(self, "seeds", check_seeds(self.seeds))
        object.__setattr__(self, "treatments", as_tuple("treatments", self.treatments, Treatment))
        if self.metric is not None and not isinstance(self.metric, str):
            raise ValueError(f"`metric` must be the name of a metric, got {self.metric!r}")
        if self.threshold is not None:
            check_number("threshold", self.threshold)
            if not np.isfinite(self.threshold):
                raise ValueError(f"`threshold` must be a finite number, got {self.threshold}")
        if self.stop_at_threshold and self.threshold is None:
            raise ValueError(
                "`stop_at_threshold` needs a `threshold`; give one, or train all runs to the end"
            )
        check_number("checkpoint_seconds", self.checkpoint_seconds)
        if not self.checkpoint_seconds > 0:
            raise ValueError(f"`checkpoint_seconds` must be positive, got {self.checkpoint_seconds}")
        self._check_treatments()

    def _check_treatments(self) -> None:
        settings: dict[str, object] = {}
        groups = [treatment.group for treatment in self.treatments]
        for treatment in self.treatments:
            if groups.count(treatment.group) > 1:
                raise ValueError(
                    f"`treatments` holds {treatment.group} twice; give one of them another `name`"
                )
            if settings.setdefault(treatment.name, treatment.perturbation) != treatment.perturbation:
                raise ValueError(
                    f"`treatments` calls two different perturbations {treatment.name!r}; give one another `name`"
                )
            if treatment.name == UNPERTURBED:
                raise ValueError(f"`name` of a treatment must not be {UNPERTURBED!r}")
            treatment.check_length(self.epochs)
