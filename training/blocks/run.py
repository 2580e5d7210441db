"""The runs of one block under one protocol, epoch by epoch: train, evaluate, record, then perturb."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from theory.passages import Direction, reaches
from training.blocks.base import Record
from training.blocks.choose import make_block
from training.perturbations import Perturbation
from training.protocols import Never, Protocol, check_epochs
from training.streams import ALONE
from training.task import SECONDS, Prepared


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a run ends before its last epoch.

    Attributes
    ----------
    metric : str
        Name of the metric.
    threshold : float
        In its unit.
    direction : {"at_least", "at_most"}
        The side of the threshold that ends the run.
    """

    metric: str
    threshold: float
    direction: Direction

    def reached(self, record: Record) -> np.ndarray:
        """Return which runs have arrived."""
        return reaches(record[self.metric], self.threshold, self.direction)


class BlockRun:
    """Runs of equal protocol, from the first epoch to the last.

    Until the first perturbation the runs are those without perturbation, bit for bit. A perturbation at epoch e is
    done at the start of epoch e + 1, so that the state between epochs is that before the perturbation: whoever has
    the state of unperturbed runs after epoch e can go on from it under any protocol that first perturbs at e or
    later.

    Runs in several threads of one process take turns, epoch by epoch: torch's random numbers belong to the process.

    Parameters
    ----------
    prepared : Prepared
        The task.
    seeds : sequence of int
        Seed of each run.
    epochs : int
        Epochs to train.
    perturbation : Perturbation, optional
        What is done.
    protocol : Protocol
        When.
    stop : Stop, optional
        Ends single runs earlier.

    Attributes
    ----------
    epoch : int
        Epochs done.
    traces : dict of str to (runs, epochs) array
        What was recorded; NaN after the end or the divergence of a run.
    trained : int
        Epochs trained by this object and those that it was continued from, summed over runs.
    diverged : list of int
        Runs whose loss was not finite any more.
    """

    def __init__(
        self,
        prepared: Prepared,
        seeds: Sequence[int],
        epochs: int,
        perturbation: Perturbation | None = None,
        protocol: Protocol | None = None,
        stop: Stop | None = None,
    ) -> None:
        check_epochs("epochs", epochs)
        self.prepared, self.seeds, self.epochs = prepared, list(seeds), epochs
        self.perturbation, self.protocol = perturbation, protocol or Never()
        self.stop = stop
        self.epoch = self.trained = 0
        self.traces = {name: np.full((len(self.seeds), epochs), np.nan) for name in prepared.directions}
        self.counts = [0] * len(self.seeds)
        self.due = [self.protocol.interval(seed, 1) for seed in self.seeds]
        self.running = list(range(len(self.seeds)))
        self.diverged: list[int] = []
        with ALONE:
            self.block = make_block(prepared, self.seeds)

    @property
    def finished(self) -> bool:
        """Whether all runs have ended."""
        return self.epoch >= self.epochs or not self.running

    def step(self) -> None:
        """Perturb what is due, train an epoch, evaluate, record, and drop the runs that have ended, if any goes on."""
        if self.finished:
            return
        with ALONE:
            self._step()

    def _step(self) -> None:
        self._perturb()
        started = time.perf_counter()
        record = self.block.advance()
        self.trained += len(self.running)
        record[SECONDS] = np.full(len(self.running), (time.perf_counter() - started) / len(self.running))
        sound = np.isfinite(record["test_loss"]) & np.isfinite(record["train_loss"])
        for name, values in record.items():
            self.traces[name][np.array(self.running)[sound], self.epoch] = values[sound]
        self.diverged += [self.running[row] for row in np.flatnonzero(~sound)]
        self.epoch += 1
        going = sound if self.stop is None else sound & ~self.stop.reached(record)
        if not going.all():
            rows = np.flatnonzero(going)
            self.running = [self.running[row] for row in rows]
            self.block.keep(rows.tolist())

    def _perturb(self) -> None:
        if self.perturbation is None:
            return
        rows = [row for row, run in enumerate(self.running) if self.due[run] == self.epoch and self.epoch > 0]
        for row in rows:
            run = self.running[row]
            self.counts[run] += 1
            interval = self.protocol.interval(self.seeds[run], self.counts[run] + 1)
            self.due[run] = None if interval is None else self.epoch + interval
        if rows:
            counts = [self.counts[self.running[row]] for row in rows]
            self.block.perturb(self.perturbation, rows, counts)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on: tensors, numbers and text."""
        return {
            "epoch": self.epoch,
            "trained": self.trained,
            "seeds": list(self.seeds),
            "counts": list(self.counts),
            "due": list(self.due),
            "diverged": [self.seeds[run] for run in self.diverged],
            "traces": {
                name: torch.from_numpy(values[:, : self.epoch].copy()) for name, values in self.traces.items()
            },
            "runs": self.block.state() if self.running else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned, of the same runs under the same protocol."""
        self._load(state)
        self.trained, self.counts, self.due = state["trained"], list(state["counts"]), list(state["due"])

    def branch_off(self, state: dict[str, Any]) -> None:
        """Go on from the state of unperturbed runs that hold these seeds, not later than the first perturbation."""
        first = [epoch for epoch in self.due if epoch is not None]
        if first and min(first) < state["epoch"]:
            raise ValueError(
                f"`state` is of epoch {state['epoch']}, but the first perturbation comes at epoch {min(first)}"
            )
        self._load(state)

    def _load(self, state: dict[str, Any]) -> None:
        known = {seed: row for row, seed in enumerate(state["seeds"])}
        missing = [seed for seed in self.seeds if seed not in known]
        if missing:
            raise ValueError(f"`state` has no run of seed {missing[0]}; it has {state['seeds']}")
        self.epoch = state["epoch"]
        rows = [known[seed] for seed in self.seeds]
        for name, values in self.traces.items():
            values[:, : self.epoch] = state["traces"][name].numpy()[rows]
        self.diverged = [run for run, seed in enumerate(self.seeds) if seed in state["diverged"]]
        states = {each["seed"]: each for each in state["runs"]}
        self.running = [run for run, seed in enumerate(self.seeds) if seed in states]
        if self.running:
            if len(self.running) < len(self.block.seeds):
                self.block.keep(self.running)
            with ALONE:
                self.block.load([states[self.seeds[run]] for run in self.running])
