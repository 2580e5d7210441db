"""What the engine needs of a block of runs that are trained together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from ast import literal_eval
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.perturbations import Perturbation
from training.streams import DATA_ORDER, stream
from training.task import Prepared

Record = dict[str, NDArray[np.float64]]
"""Metric name to a (runs,) array."""
RunState = dict[str, Any]
"""All that one run needs to go on: tensors, numbers and text."""


class Block(ABC):
    """Runs of one task that are trained together; each depends on its own seed alone.

    Attributes
    ----------
    seeds : list of int
        Seed of each run.
    epoch : int
        Epochs trained.
    ages : list of int
        For each run, epochs since its learning-rate schedule started.
    """

    def __init__(self, prepared: Prepared, seeds: Sequence[int]) -> None:
        self.prepared, self.seeds, self.epoch = prepared, list(seeds), 0
        self.ages = [0] * len(self.seeds)
        self._orders = [stream(seed, DATA_ORDER) for seed in self.seeds]

    @abstractmethod
    def train(self, order: NDArray[np.int64], rates: list[float]) -> Record:
        """Train an epoch, the samples in the given order, and return what was measured meanwhile."""

    @abstractmethod
    def evaluate(self) -> Record:
        """Return the metrics of the test set."""

    @abstractmethod
    def perturb(self, perturbation: Perturbation, rows: Sequence[int], counts: Sequence[int]) -> None:
        """Perturb the runs ``rows``, each for the time that ``counts`` says."""

    @abstractmethod
    def _keep(self, rows: Sequence[int]) -> None:
        """Drop the tensors of all other runs."""

    @abstractmethod
    def _tensors(self, row: int) -> dict[str, Any]:
        """Copies of the tensors of one run, on the CPU."""

    @abstractmethod
    def _load_tensors(self, states: Sequence[dict[str, Any]]) -> None:
        """Take the tensors of all runs from such copies."""

    def advance(self) -> Record:
        """Train an epoch, evaluate, and return every metric."""
        task = self.prepared.task
        order = np.stack([generator.permutation(self.prepared.data.samples) for generator in self._orders])
        if task.drop_last:
            order = order[:, : self.prepared.batches * task.batch_size]
        record = self.train(order, [self._rate(age) for age in self.ages])
        self.epoch += 1
        self.ages = [age + 1 for age in self.ages]
        return {**record, **self.evaluate()}

    def _rate(self, age: int) -> float:
        return self.prepared.task.optimizer.learning_rate * self.prepared.task.schedule.factor(age)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with the runs ``rows`` alone."""
        self._keep(rows)
        for name in ("seeds", "ages", "_orders"):
            setattr(self, name, [getattr(self, name)[row] for row in rows])

    def state(self) -> list[RunState]:
        """Return all that each run needs to go on."""
        return [
            {
                "seed": seed,
                "epoch": self.epoch,
                "age": self.ages[row],
                # As text, because the generator's integers have 128 bits.
                "order": repr(self._orders[row].bit_generator.state),
                **self._tensors(row),
            }
            for row, seed in enumerate(self.seeds)
        ]

    def load(self, states: Sequence[RunState]) -> None:
        """Go on from what `state` returned, which must be of the same seeds."""
        if [state["seed"] for state in states] != self.seeds:
            raise ValueError(
                f"`states` must be those of the seeds {self.seeds}, got {[state['seed'] for state in states]}"
            )
        self._load_tensors(states)
        self.epoch = states[0]["epoch"]
        self.ages = [state["age"] for state in states]
        for generator, state in zip(self._orders, states, strict=True):
            generator.bit_generator.state = literal_eval(state["order"])

    @property
    def device(self) -> torch.device:
        """Where the block is trained."""
        return self.prepared.device
