"""Networks of any kind, one after the other on a CPU, several in flight at once on a CUDA device."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.blocks.base import Block, Record
from training.blocks.network_run import NetworkRun
from training.perturbations import Perturbation
from training.streams import LAYERS, torch_seed
from training.task import Prepared


class SingleBlock(Block):
    """Runs that are trained each by itself.

    On a CUDA device ``hardware.concurrent`` of them take turns at each step, on streams of their own, so that
    the small kernels of one fill the gaps of the others. Nothing waits for the device within an epoch.
    """

    def __init__(self, prepared: Prepared, seeds: Sequence[int]) -> None:
        super().__init__(prepared, seeds)
        self._runs = [NetworkRun(prepared, seed) for seed in self.seeds]

    def train(self, order: NDArray[np.int64], rates: list[float]) -> Record:
        """Train an epoch, the samples in the given order, and return what was measured meanwhile."""
        together = self.prepared.task.hardware.concurrent if self.device.type == "cuda" else 1
        indices = torch.from_numpy(order)
        totals = []
        for at in range(0, len(self._runs), together):
            some = slice(at, at + together)
            self._train_together(self._runs[some], indices[some].to(self.device), rates[some])
            totals += [run.totals for run in self._runs[some]]
        means = torch.stack(totals).cpu().double().numpy() / order.shape[1]
        record = {"train_loss": means[:, 0]}
        if self.prepared.data.classification:
            record["train_accuracy"] = 100 * means[:, 1]
        return record

    def _train_together(self, runs: Sequence[NetworkRun], orders: Tensor, rates: Sequence[float]) -> None:
        for place, (run, rate) in enumerate(zip(runs, rates, strict=True)):
            run.begin_epoch(rate, _stream_at(self.device, place))
        self._wait()  # what was queued before, a perturbation say, lies on another stream
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            batches = orders.split(self.prepared.task.batch_size, dim=1)
            for number, batch in enumerate(batches):
                for run, indices in zip(runs, batch, strict=True):
                    if number == 0 or len(runs) > 1:
                        # Dropout depends on seed, epoch and, where networks take turns, batch; on nothing else.
                        torch.manual_seed(torch_seed(run.seed, LAYERS, self.epoch, number))
                    with nullcontext() if run.stream is None else torch.cuda.stream(run.stream):
                        run.step(indices)
        self._wait()

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def evaluate(self) -> Record:
        """Return the metrics of the test set."""
        scores = [run.evaluate() for run in self._runs]
        return {name: np.array([float(score[name]) for score in scores]) for name in scores[0]}

    @torch.no_grad()
    def perturb(self, perturbation: Perturbation, rows: Sequence[int], counts: Sequence[int]) -> None:
        """Perturb the runs ``rows``, each for the time that ``counts`` says."""
        for row, count in zip(rows, counts, strict=True):
            if self._runs[row].perturb(perturbation, count):
                self.ages[row] = 0

    def _keep(self, rows: Sequence[int]) -> None:
        self._runs = [self._runs[row] for row in rows]

    def _tensors(self, row: int) -> dict[str, Any]:
        return self._runs[row].state_dict()

    def _load_tensors(self, states: Sequence[dict[str, Any]]) -> None:
        for run, state in zip(self._runs, states, strict=True):
            run.load_state_dict(state)


@cache
def _stream_at(device: torch.device, place: int) -> torch.cuda.Stream | None:
    # Not one of each network: cuBLAS keeps a workspace for every stream, 32 MiB on recent devices.
    return torch.cuda.Stream(device) if device.type == "cuda" else None
