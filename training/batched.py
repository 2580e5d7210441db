"""Many training runs of one small network as a single batched computation.

All runs see the same data and differ in their seed: in their initialisation and in the order of their data.
The parameters are stacked along a first axis of runs, every operation acts on all runs of a block at once,
and each run draws its random numbers from generators of its own. What a run does therefore depends on its
seed alone, up to rounding, whatever runs share the batch; and a perturbation does not touch the data order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from training.perturbations import DATA_ORDER, Perturbation, Stacked, fresh_parameters
from training.stacked import stacked_forward

Factory = Callable[[], nn.Module]

# Runs times images evaluated together: activations of this many rows stay within the processor's cache.
EVALUATED_ROWS = 3200


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """A classification task: inputs of shape (samples, ...) and integer labels of shape (samples,)."""

    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            inputs, labels = getattr(self, f"{part}_inputs"), getattr(self, f"{part}_labels")
            if len(inputs) == 0 or labels.shape != (len(inputs),):
                raise ValueError(
                    f"`{part}_labels` must hold one label for each of the {len(inputs)} entries of "
                    f"`{part}_inputs`, at least one; got shape {tuple(labels.shape)}"
                )


@dataclass(frozen=True, slots=True)
class SGD:
    """Stochastic gradient descent as in `torch.optim.SGD`; the last batch of an epoch may be smaller."""

    learning_rate: float = 0.05
    momentum: float = 0.9
    batch_size: int = 25

    def __post_init__(self) -> None:
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"`learning_rate` must be positive and finite, got {self.learning_rate}")
        if not 0 <= self.momentum < 1:
            raise ValueError(
                f"`momentum` must be at least 0 and below 1, got {self.momentum}; give 0 for none"
            )
        _check_count("batch_size", self.batch_size)


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """What `train_batched` records after each epoch, as float arrays of shape (runs, epochs).

    Attributes
    ----------
    test_accuracy : (runs, epochs) array
        Per cent of the test samples classified correctly; NaN where the test loss is not finite.
    test_loss : (runs, epochs) array
        Mean cross-entropy over the test samples; NaN or infinite where a run diverged.
    train_loss : (runs, epochs) array
        Mean cross-entropy over the training samples, each taken just before the step that it was used in.
    """

    test_accuracy: NDArray[np.float64]
    test_loss: NDArray[np.float64]
    train_loss: NDArray[np.float64]


def train_batched(
    factory: Factory,
    data: Data,
    optimizer: SGD,
    seeds: Sequence[int],
    epochs: int,
    perturbation: Perturbation | None = None,
    period: int | None = None,
    *,
    block_size: int = 50,
    progress: Callable[[int, int], None] | None = None,
) -> Traces:
    """Train one network per seed, evaluate each after every epoch, and perturb them periodically.

    Order: train an epoch, evaluate, record; then perturb where the epoch is a multiple of ``period``. Until
    the first perturbation a call gives what the same call without one does, bit for bit, for any number of
    threads. Among other runs or in other blocks, a run takes the same random numbers; its rounding errors may
    differ, and training amplifies them.

    Parameters
    ----------
    factory : callable
        Builds one initialised network that maps (samples, ...) to logits (samples, classes).
    data : Data
        The task; training happens on the device of its tensors.
    optimizer : SGD
        Settings of the optimizer.
    seeds : sequence of int
        Seed of each run, not negative.
    epochs : int
        Epochs to train.
    perturbation : Perturbation, optional
        What to apply; goes together with ``period``.
    period : int, optional
        Epochs between perturbations.
    block_size : int, optional
        Runs trained together. On a CPU as many blocks as torch has threads are trained at the same time.
    progress : callable, optional
        Called after each epoch with the epochs done and their total.

    Returns
    -------
    Traces
        Test accuracy, test loss and training loss of each run after each epoch.

    Raises
    ------
    ValueError
        If an argument is out of range, or the network is stochastic or has buffers (batch norm, dropout).
    """
    seeds = _check_seeds(seeds)
    for name, count in (("epochs", epochs), ("block_size", block_size)):
        _check_count(name, count)
    if (perturbation is None) != (period is None):
        raise ValueError(
            "`perturbation` and `period` go together: give both, or neither for unperturbed runs; "
            f"got {perturbation!r} and {period!r}"
        )
    if period is not None:
        _check_count("period", period)
    some = [seeds[at : at + block_size] for at in range(0, len(seeds), block_size)]
    blocks = [_Block(factory, data, optimizer, part) for part in some]
    records = np.empty((3, len(seeds), epochs))
    with _threads_for_blocks(data.train_inputs.device) as threads, ThreadPoolExecutor(threads) as pool:
        for epoch in range(1, epochs + 1):
            records[:, :, epoch - 1] = np.concatenate(list(pool.map(_Block.advance, blocks)), axis=1)
            if perturbation is not None and period is not None and epoch % period == 0 and epoch < epochs:
                for block in blocks:
                    block.perturb(perturbation)
            if progress is not None:
                progress(epoch, epochs)
    return Traces(*records)


@contextmanager
def _threads_for_blocks(device: torch.device) -> Iterator[int]:
    # Threads that share one small product wait for each other all the time, and on a busy machine that takes
    # ten times as long as the work. So each thread gets blocks of its own, and torch starts no others.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before if device.type == "cpu" else 1
    finally:
        torch.set_num_threads(before)


class _Block:
    """Runs trained together: their parameters, momentum buffers and generators."""

    def __init__(self, factory: Factory, data: Data, optimizer: SGD, seeds: list[int]) -> None:
        self.factory, self.data, self.optimizer, self.seeds = factory, data, optimizer, seeds
        with torch.random.fork_rng(devices=[]):
            self.forward = stacked_forward(factory(), data.train_inputs.dim())
        self.orders = [np.random.default_rng([seed, DATA_ORDER]) for seed in seeds]
        self.draws = 0
        self.parameters = self._fresh()
        self.momenta = {name: torch.zeros_like(value) for name, value in self.parameters.items()}

    def _fresh(self) -> Stacked:
        fresh = fresh_parameters(self.factory, self.seeds, self.draws)
        self.draws += 1
        return {name: value.to(self.data.train_inputs.device) for name, value in fresh.items()}

    def perturb(self, perturbation: Perturbation) -> None:
        """Apply ``perturbation`` with the next initialisation of each run."""
        self.parameters, self.momenta = perturbation.apply(self.parameters, self.momenta, self._fresh())

    def advance(self) -> NDArray[np.float64]:
        """Train an epoch and evaluate; return the three rows of `Traces` for this epoch."""
        losses = self.train()
        return np.stack([*self.evaluate(), losses])

    def train(self) -> NDArray[np.float64]:
        """Train an epoch and return the mean training loss of each run."""
        samples = len(self.data.train_labels)
        order = torch.from_numpy(np.stack([generator.permutation(samples) for generator in self.orders]))
        total = torch.zeros(len(self.seeds), dtype=torch.float64, device=self.data.train_inputs.device)
        for batch in order.to(total.device).split(self.optimizer.batch_size, dim=1):
            total += self._step(self.data.train_inputs[batch], self.data.train_labels[batch])
        return (total / samples).cpu().numpy()

    def _step(self, inputs: Tensor, labels: Tensor) -> Tensor:
        leaves = {name: value.detach().requires_grad_() for name, value in self.parameters.items()}
        losses = _losses(self.forward(leaves, inputs), labels)
        # No run depends on the parameters of another, so the gradient of the sum holds that of each.
        gradients = torch.autograd.grad(losses.mean(1).sum(), list(leaves.values()), materialize_grads=True)
        with torch.no_grad():
            for name, gradient in zip(leaves, gradients, strict=True):
                self.momenta[name].mul_(self.optimizer.momentum).add_(gradient)
                self.parameters[name].sub_(self.momenta[name], alpha=self.optimizer.learning_rate)
        return losses.detach().sum(1)

    @torch.no_grad()
    def evaluate(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return test accuracy (per cent) and mean test loss of each run."""
        parts = (self.data.test_inputs, self.data.test_labels)
        samples, runs = len(self.data.test_labels), len(self.seeds)
        together = max(1, EVALUATED_ROWS // samples)
        correct, total = torch.zeros(2, runs, dtype=torch.float64, device=self.data.test_inputs.device)
        for at in range(0, runs, together):
            some = slice(at, at + together)
            parameters = {name: value[some] for name, value in self.parameters.items()}
            count = len(total[some])
            for inputs, labels in zip(*(part.split(EVALUATED_ROWS) for part in parts), strict=True):
                logits = self.forward(parameters, inputs.expand(count, *inputs.shape))
                correct[some] += (logits.argmax(2) == labels).sum(1)
                total[some] += _losses(logits, labels.expand(count, -1)).sum(1)
        correct[~total.isfinite()] = math.nan
        return (100 * correct / samples).cpu().numpy(), (total / samples).cpu().numpy()


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    # Classes on the second axis: ten times as fast on a CPU as on the last.
    return cross_entropy(logits.mT, labels, reduction="none")


def _check_count(argument: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"`{argument}` must be a whole number of at least 1, got {value!r}")


def _check_seeds(seeds: Sequence[int]) -> list[int]:
    listed = list(seeds)
    bad = [
        seed
        for seed in listed
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0
    ]
    if bad or not listed:
        raise ValueError(
            f"`seeds` must be whole numbers of at least 0, at least one, got {bad[0] if bad else listed!r}; "
            "range(200) gives 200 runs"
        )
    if len(set(listed)) < len(listed):
        twice = next(seed for seed in listed if listed.count(seed) > 1)
        raise ValueError(
            f"`seeds` must differ from each other, {twice} occurs twice; such runs would be the same"
        )
    return [int(seed) for seed in listed]
