"""Many small networks as one batched computation, their tensors stacked along a first axis of runs.

Every operation acts on all runs of a chunk at once, so that a network of a few thousand parameters costs a
fraction of what it costs alone. Chunks have a fixed size; on a CPU, torch's threads take one chunk each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.blocks.base import Block, Record
from training.losses import correct
from training.perturbations import NetworkState, Perturbation
from training.perturbations.state import Layout, Stacked, fresh_stack, stack
from training.stacked import stacked_forward
from training.task import Prepared

CHUNK = 50
"""Runs in one batched computation."""
EVALUATED_ROWS = 3200
"""Runs times samples evaluated together: activations of this many rows stay within a processor's cache."""


class StackedBlock(Block):
    """Runs trained in chunks, each a single batched computation."""

    def __init__(self, prepared: Prepared, seeds: Sequence[int]) -> None:
        super().__init__(prepared, seeds)
        starts = range(0, len(self.seeds), CHUNK)
        self._chunks = [_Chunk(prepared, self.seeds[at : at + CHUNK]) for at in starts]

    def attempt(self) -> None:
        """Raise RuntimeError where torch cannot compute network and loss for many runs at once."""
        self._chunks[0].attempt()

    def train(self, order: NDArray[np.int64], rates: list[float]) -> Record:
        """Train an epoch, the samples in the given order, and return what was measured meanwhile."""
        spans = self._spans()
        return self._each(_Chunk.train, [(order[span], rates[span]) for span in spans])

    def evaluate(self) -> Record:
        """Return the metrics of the test set."""
        return self._each(_Chunk.evaluate, [()] * len(self._chunks))

    def _each(self, work: Any, arguments: Sequence[tuple[Any, ...]]) -> Record:
        # Each thread is told by itself: some operations do not ask what was set for all, and then round otherwise.
        with (
            _threads_for_chunks(self.device) as threads,
            ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        ):
            records = list(
                pool.map(lambda job: work(job[0], *job[1]), zip(self._chunks, arguments, strict=True))
            )
        return {name: np.concatenate([record[name] for record in records]) for name in records[0]}

    def _spans(self) -> list[slice]:
        ends = np.cumsum([0, *(len(chunk.seeds) for chunk in self._chunks)])
        return [slice(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]

    @torch.no_grad()
    def perturb(self, perturbation: Perturbation, rows: Sequence[int], counts: Sequence[int]) -> None:
        """Perturb the runs ``rows``, each for the time that ``counts`` says."""
        number = dict(zip(rows, counts, strict=True))
        for chunk, span in zip(self._chunks, self._spans(), strict=True):
            own = [row for row in range(span.start, span.stop) if row in number]
            if own:
                local = [row - span.start for row in own]
                restarted = chunk.perturb(perturbation, local, [number[row] for row in own])
                for row in own if restarted else ():
                    self.ages[row] = 0

    def _keep(self, rows: Sequence[int]) -> None:
        for chunk, span in zip(self._chunks, self._spans(), strict=True):
            chunk.keep([row - span.start for row in rows if span.start <= row < span.stop])
        self._chunks = [chunk for chunk in self._chunks if chunk.seeds]

    def _tensors(self, row: int) -> dict[str, Any]:
        for number, (chunk, span) in enumerate(zip(self._chunks, self._spans(), strict=True)):
            if row < span.stop:
                return {"chunk": number, **chunk.tensors(row - span.start)}
        raise IndexError(row)

    def _load_tensors(self, states: Sequence[dict[str, Any]]) -> None:
        # Runs that shared a chunk share one again, so that rounding is the same too, but never out of the order of
        # the states, by which rows are counted: it is not that of the chunks where a branch has seeds in its own order.
        self._chunks = []
        for _, together in groupby(states, key=lambda state: state["chunk"]):
            some = list(together)
            for at in range(0, len(some), CHUNK):  # halves of a block that were joined have equal numbers
                part = some[at : at + CHUNK]
                self._chunks.append(_Chunk(self.prepared, [state["seed"] for state in part], part))


class _Chunk:
    def __init__(
        self, prepared: Prepared, seeds: Sequence[int], states: Sequence[dict[str, Any]] | None = None
    ) -> None:
        self.prepared, self.seeds = prepared, list(seeds)
        data, task = prepared.data, prepared.task
        self.loss = prepared.stacked_loss
        with torch.random.fork_rng(devices=[]):
            template = prepared.factory()
        self.template = template
        self.forward = stacked_forward(template, 1 + len(data.input_shape))
        self.layout = Layout.of(template)
        if states is None:
            self.parameters = self._moved(
                fresh_stack(prepared.factory, [(seed, 0) for seed in self.seeds])[0]
            )
        else:
            self.parameters = self._moved(stack([state["parameters"] for state in states]))
        self.optimizer = task.optimizer.stacked(self.parameters)
        if states is not None:
            self.optimizer.state = self._moved(stack([state["optimizer"] for state in states]))

    def _moved(self, tensors: Stacked) -> Stacked:
        return {name: value.to(self.prepared.device) for name, value in tensors.items()}

    def train(self, order: NDArray[np.int64], rates: list[float]) -> Record:
        data, task = self.prepared.data, self.prepared.task
        device = self.prepared.device
        self.template.train()
        # One of each run even where they are equal, so that the arithmetic is the same when those of others change.
        rate = torch.tensor(rates, dtype=torch.float64, device=device)
        total, right = torch.zeros(2, len(self.seeds), dtype=torch.float64, device=device)
        for batch in torch.from_numpy(order).to(device).split(task.batch_size, dim=1):
            targets = data.train_targets[batch]
            losses, outputs = self._step(data.prepare(data.train_inputs[batch]), targets, rate)
            total += losses.sum(1)
            if data.classification:
                right += correct(outputs, targets).sum(1)
        record = {"train_loss": total / order.shape[1]}
        if data.classification:
            record["train_accuracy"] = 100 * right / order.shape[1]
        return {name: value.cpu().numpy() for name, value in record.items()}

    def _step(self, inputs: Tensor, targets: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        losses, outputs, gradients = self._gradients(inputs, targets)
        with torch.no_grad():
            self.optimizer.step(self.parameters, gradients, rate)
        return losses.detach(), outputs.detach()

    def _gradients(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Sequence[Tensor]]:
        leaves = {name: value.detach().requires_grad_() for name, value in self.parameters.items()}
        outputs = self._outputs(leaves, inputs)
        losses = self.loss(outputs, targets)
        # No run depends on the parameters of another, so the gradient of the sum holds that of each.
        return (
            losses,
            outputs,
            torch.autograd.grad(losses.mean(1).sum(), list(leaves.values()), materialize_grads=True),
        )

    def attempt(self) -> None:
        """Take the gradients of two samples and evaluate them, and leave everything as it was."""
        data, device = self.prepared.data, self.prepared.device
        batch = torch.arange(min(2, data.samples), device=device).expand(len(self.seeds), -1)
        inputs = data.prepare(data.train_inputs[batch])
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            self.template.train()
            self._gradients(inputs, data.train_targets[batch])
            self.template.eval()
            with torch.no_grad():
                self.loss(self._outputs(self.parameters, inputs), data.train_targets[batch])

    def _outputs(self, parameters: Stacked, inputs: Tensor) -> Tensor:
        mixed = self.prepared.task.hardware.precision == "bfloat16"
        with torch.autocast(self.prepared.device.type, torch.bfloat16, enabled=mixed):
            return self.forward(parameters, inputs).float()

    @torch.no_grad()
    def evaluate(self) -> Record:
        data, runs = self.prepared.data, len(self.seeds)
        self.template.eval()
        together = max(1, EVALUATED_ROWS // len(data.test_targets))
        inputs = [data.prepare(part) for part in data.test_inputs.split(EVALUATED_ROWS)]
        records = []
        for at in range(0, runs, together):
            parameters = {name: value[at : at + together] for name, value in self.parameters.items()}
            count = min(together, runs - at)
            parts = [self._outputs(parameters, part.expand(count, *part.shape)) for part in inputs]
            # One part is not copied: it may be laid out so that the scores take less time.
            records.append(self._score(parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)))
        return {
            name: torch.cat([record[name] for record in records]).cpu().numpy().astype(float)
            for name in records[0]
        }

    def _score(self, outputs: Tensor) -> dict[str, Tensor]:
        data = self.prepared.data
        targets = data.test_targets.expand(len(outputs), *data.test_targets.shape)
        record = {"test_loss": self.loss(outputs, targets).double().mean(1)}
        if data.classification:
            record["test_accuracy"] = 100 * correct(outputs, targets).mean(1)
        for metric in self.prepared.task.metrics:
            values = [metric.function(run, data.test_targets) for run in outputs]
            record[metric.name] = torch.stack([torch.as_tensor(value) for value in values]).double()
        return record

    def perturb(self, perturbation: Perturbation, rows: list[int], counts: list[int]) -> bool:
        """Perturb some runs; return whether their learning-rate schedules start again."""
        index = torch.tensor(rows, device=self.prepared.device)
        everything = len(rows) == len(self.seeds)
        some = self.parameters if everything else {n: value[index] for n, value in self.parameters.items()}
        restarted: list[bool] = []
        state = NetworkState(
            some,
            {},
            self.layout,
            self.prepared.factory,
            [self.seeds[row] for row in rows],
            counts,
            lambda: self.optimizer.reset(index),
            lambda: restarted.append(True),
        )
        perturbation.apply(state)
        if not everything:
            for name, value in self.parameters.items():
                value[index] = some[name]
        return bool(restarted)

    def keep(self, rows: list[int]) -> None:
        index = torch.tensor(rows, dtype=torch.int64, device=self.prepared.device)
        self.seeds = [self.seeds[row] for row in rows]
        self.parameters = {name: value[index] for name, value in self.parameters.items()}
        self.optimizer.state = {name: value[index] for name, value in self.optimizer.state.items()}

    def tensors(self, row: int) -> dict[str, Any]:
        parts = {"parameters": self.parameters, "optimizer": self.optimizer.state}
        return {
            part: {name: value[row].cpu().clone() for name, value in tensors.items()}
            for part, tensors in parts.items()
        }


@contextmanager
def _threads_for_chunks(device: torch.device) -> Iterator[int]:
    # Threads that share one small product wait for each other all the time, and on a busy machine that takes
    # ten times as long as the work. So each thread gets chunks of its own, and torch starts no others.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before if device.type == "cpu" else 1
    finally:
        torch.set_num_threads(before)
