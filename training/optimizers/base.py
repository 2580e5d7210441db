"""What the engine needs of an optimizer's settings."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from training.perturbations.state import Stacked


class Optimizer(ABC):
    """Settings of an optimizer: a frozen dataclass with a ``learning_rate``."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    learning_rate: float

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter], capturable: bool = False) -> torch.optim.Optimizer:
        """Build the optimizer of one network.

        ``capturable``: its steps go into a CUDA graph, which reads a learning rate on the device (`rate_on_device`)
        at each step; where the rate is a number, an epoch with another rate needs a new graph. The state of such an
        optimizer must be zero before its first step, as that of SGD, Adam and AdamW is; others (NAdam, Rprop, ASGD,
        classes of your own) need ``Hardware(cuda_graphs=False)``. All groups of parameters take the learning rate of
        the schedule.
        """

    @abstractmethod
    def stacked(self, parameters: Stacked) -> StackedOptimizer:
        """Build the optimizer of many stacked networks."""


class StackedOptimizer(ABC):
    """Takes steps of many stacked networks; each run's are those of its own torch optimizer.

    Attributes
    ----------
    state : dict of str to (runs, ...) tensor
        All that it remembers.
    """

    def __init__(self) -> None:
        self.state: Stacked = {}

    @abstractmethod
    def step(self, parameters: Stacked, gradients: Sequence[Tensor], rates: Tensor) -> None:
        """Change ``parameters`` in place; ``rates``: learning rate of each run, (runs,), float64."""

    def reset(self, rows: Tensor) -> None:
        """Forget what is remembered of the runs ``rows``."""
        for value in self.state.values():
            value[rows] = 0


def per_run(numbers: Tensor, like: Tensor) -> Tensor:
    """Give a (runs,) tensor trailing axes, to multiply a (runs, ...) tensor."""
    return numbers.reshape(-1, *[1] * (like.dim() - 1))


def check_positive(argument: str, value: float) -> None:
    """Raise unless ``value`` is a positive finite number."""
    if isinstance(value, bool) or not (math.isfinite(value) and value > 0):
        raise ValueError(f"`{argument}` must be positive and finite, got {value}")


def check_fraction(argument: str, value: float, hint: str) -> None:
    """Raise unless ``value`` is at least 0 and below 1."""
    if isinstance(value, bool) or not 0 <= value < 1:
        raise ValueError(f"`{argument}` must be at least 0 and below 1, got {value}; {hint}")


def check_decay(value: float) -> None:
    """Raise unless ``value`` is a finite number of at least 0."""
    if isinstance(value, bool) or not (math.isfinite(value) and value >= 0):
        raise ValueError(
            f"`weight_decay` must be a finite number of at least 0, got {value}; give 0 for none"
        )


def rate_on_device(rate: float, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Return a learning rate as a tensor beside the parameters."""
    return torch.tensor(rate, device=parameters[0].device if parameters else None)
