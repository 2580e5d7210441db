"""A training task: data, network, optimizer and hardware, as settings that travel to other processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

import torch
from torch import nn

from theory.passages import Direction
from training.checks import as_tuple, check_settings
from training.data.base import Data
from training.losses import LOSSES, Loss, Metric
from training.networks.factory import Factory, Network, check_network
from training.optimizers import SGD, Constant, Optimizer, Schedule
from training.protocols import check_epochs

Precision = Literal["float32", "tf32", "bfloat16"]
Engine = Literal["auto", "stacked", "single"]


@runtime_checkable
class DataSource(Protocol):
    """Settings from which data are loaded, such as `training.data.Digits`."""

    def load(self) -> Data:
        """Load the data onto the CPU."""
        ...


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where and how to compute.

    Attributes
    ----------
    device : str
        "cpu", "cuda", "cuda:1", or "auto": CUDA where there is one.
    precision : {"float32", "tf32", "bfloat16"}
        "bfloat16": mixed precision, weights in float32. "tf32" matters on CUDA alone.
    channels_last : bool
        Keep images with channels last, which convolutions on CUDA prefer.
    compile : bool
        Use `torch.compile`; the first epoch then takes longer, 15 s for an MLP on two cores.
    cuda_graphs : bool
        On CUDA, capture a training step once and replay it.
    concurrent : int
        Networks in flight at once on one CUDA device.
    engine : {"auto", "stacked", "single"}
        "stacked": all networks of a block in one batched computation, for small ones without batch norm, dropout,
        recurrent layers, random numbers or branches on values in ``forward`` or loss; "single": one network at a time;
        "auto" chooses.
    """

    device: str = "auto"
    precision: Precision = "float32"
    channels_last: bool = False
    compile: bool = False
    cuda_graphs: bool = True
    concurrent: int = 4
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        for argument, allowed in (("precision", Precision), ("engine", Engine)):
            if getattr(self, argument) not in get_args(allowed):
                raise ValueError(
                    f"`{argument}` must be one of {', '.join(get_args(allowed))}, got {getattr(self, argument)!r}"
                )
        check_epochs("concurrent", self.concurrent, "networks")
        if self.device != "auto" and not _is_device(self.device):
            raise ValueError(f'`device` must be "auto", "cpu", "cuda" or "cuda:N", got {self.device!r}')

    def find_device(self) -> torch.device:
        """Return the device, which must be there."""
        there = torch.cuda.is_available()
        device = torch.device(("cuda" if there else "cpu") if self.device == "auto" else self.device)
        if device.type == "cuda" and not there:
            raise ValueError(
                f'`device` is "{self.device}", but torch finds no CUDA device here; use device = "cpu", or "auto"'
            )
        return device


@dataclass(frozen=True, slots=True)
class Task:
    """What is trained, and how.

    Attributes
    ----------
    data : DataSource or Data
        Settings of a data set (`training.data`), or tensors of your own.
    network : Network or callable
        Settings of a network (`training.networks`), or a function without arguments that builds an initialised
        network on the CPU. To train in other processes it must be importable.
    optimizer : Optimizer
        See `training.optimizers`.
    schedule : Schedule
        Learning rate from epoch to epoch.
    batch_size : int
        Samples in a batch.
    drop_last : bool
        Leave out the last batch of an epoch where it is smaller.
    loss : {"auto", "cross_entropy", "mse"} or callable
        Loss of each sample: a name, or a function of outputs (samples, outputs) and targets that returns
        (samples,). "auto": cross-entropy for integer targets, else the mean squared error.
    metrics : tuple of Metric
        Metrics of your own, beside the losses and the accuracies.
    hardware : Hardware
        Where and how to compute.
    """

    data: DataSource | Data
    network: Network | Callable[[], nn.Module]
    optimizer: Optimizer = field(default_factory=SGD)
    schedule: Schedule = field(default_factory=Constant)
    batch_size: int = 25
    drop_last: bool = False
    loss: str | Loss = "auto"
    metrics: tuple[Metric, ...] = ()
    hardware: Hardware = field(default_factory=Hardware)

    def __post_init__(self) -> None:
        check_settings("data", self.data, Data | DataSource, "Data or have a method `load`")
        check_network(self.network)
        for argument, kind in (("optimizer", Optimizer), ("schedule", Schedule)):
            check_settings(argument, getattr(self, argument), kind, "one of training.optimizers")
        check_epochs("batch_size", self.batch_size, "samples")
        object.__setattr__(self, "metrics", as_tuple("metrics", self.metrics, Metric))
        check_settings("hardware", self.hardware, Hardware, 'Hardware, such as Hardware(device="cpu")')
        known = self.loss in ("auto", *LOSSES) if isinstance(self.loss, str) else callable(self.loss)
        if not known:
            raise ValueError(
                f"`loss` must be auto, {', '.join(LOSSES)}, or a function of your own, got {self.loss!r}"
            )

    def prepare(self) -> Prepared:
        """Load the data onto the device, and resolve what is left open."""
        device = self.hardware.find_device()
        data = (self.data if isinstance(self.data, Data) else self.data.load()).to(device)
        if device.type == "cuda":
            tf32 = self.hardware.precision != "float32"
            torch.set_float32_matmul_precision("high" if tf32 else "highest")
            torch.backends.cudnn.allow_tf32 = tf32  # of convolutions, which the line above says nothing about
            torch.backends.cudnn.benchmark = True
        if self.drop_last and data.samples < self.batch_size:
            raise ValueError(
                f"`batch_size` is {self.batch_size}, but there are {data.samples} training samples: with "
                "`drop_last` nothing is left to train on"
            )
        named = ("cross_entropy" if data.classification else "mse") if self.loss == "auto" else self.loss
        loss = LOSSES[named] if isinstance(named, str) else named
        return Prepared(self, data, Factory(self.network, data.input_shape, data.outputs), loss, device)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A task with its data in place.

    Attributes
    ----------
    task : Task
        The settings.
    data : Data
        On the device.
    factory : callable
        Builds an initialised network on the CPU.
    loss : callable
        Loss of each sample.
    device : torch.device
        Where to train.
    """

    task: Task
    data: Data
    factory: Callable[[], nn.Module]
    loss: Loss
    device: torch.device

    @property
    def directions(self) -> dict[str, Direction]:
        """Names of the metrics that are recorded, each with the side of a threshold that completes training."""
        known: dict[str, Direction] = {}
        if self.data.classification:
            known |= {"test_accuracy": "at_least", "train_accuracy": "at_least"}
        known |= {"test_loss": "at_most", "train_loss": "at_most"}
        for metric in self.task.metrics:
            if metric.name in (*known, SECONDS):
                raise ValueError(f"`metrics` holds {metric.name!r} twice, or one that is recorded anyhow")
            known[metric.name] = metric.direction
        return known | {SECONDS: "at_most"}

    @property
    def stacked_loss(self) -> Loss:
        """Loss of each sample of many stacked networks, which those of this package take as they are."""
        return self.loss if self.loss in LOSSES.values() else torch.func.vmap(self.loss)

    @property
    def batches(self) -> int:
        """Steps in an epoch."""
        whole, rest = divmod(self.data.samples, self.task.batch_size)
        return whole + (rest > 0 and not self.task.drop_last)


def _is_device(name: object) -> bool:
    try:
        return isinstance(name, str) and bool(torch.device(name).type)
    except RuntimeError:
        return False


SECONDS = "epoch_seconds"
"""Name of the metric that holds the time that an epoch took, shared out among the runs trained together."""
