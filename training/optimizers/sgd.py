"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.checks import check_number
from training.optimizers.base import (
    Optimizer,
    StackedOptimizer,
    check_decay,
    check_fraction,
    check_positive,
    per_run,
    rate_on_device,
)
from training.perturbations.state import Stacked


@dataclass(frozen=True, slots=True)
class SGD(Optimizer):
    """Stochastic gradient descent as in `torch.optim.SGD`.

    Attributes
    ----------
    learning_rate : float
        Positive.
    momentum : float
        At least 0, below 1.
    weight_decay : float
        L2 penalty, at least 0.
    nesterov : bool
        Nesterov's momentum; needs a momentum.
    """

    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        for name in ("learning_rate", "momentum", "weight_decay"):
            check_number(name, getattr(self, name))
        check_positive("learning_rate", self.learning_rate)
        check_fraction("momentum", self.momentum, "give 0 for none")
        check_decay(self.weight_decay)
        if self.nesterov and self.momentum == 0:
            raise ValueError("`nesterov` needs a `momentum` above 0, got 0")

    def build(self, parameters: Iterable[nn.Parameter], capturable: bool = False) -> torch.optim.Optimizer:
        """Build the optimizer of one network."""
        parameters = list(parameters)
        return torch.optim.SGD(
            parameters,
            lr=rate_on_device(self.learning_rate, parameters) if capturable else self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
            fused=True if capturable else None,  # the other ways take the rate as a number of the host
        )

    def stacked(self, parameters: Stacked) -> StackedOptimizer:
        """Build the optimizer of many stacked networks."""
        return _StackedSGD(self, parameters)


class _StackedSGD(StackedOptimizer):
    def __init__(self, settings: SGD, parameters: Stacked) -> None:
        super().__init__()
        self.settings = settings
        if settings.momentum > 0:
            self.state = {name: torch.zeros_like(value) for name, value in parameters.items()}

    def step(self, parameters: Stacked, gradients: Sequence[Tensor], rates: Tensor) -> None:
        own = self.settings
        for (name, value), gradient in zip(parameters.items(), gradients, strict=True):
            if own.weight_decay > 0:
                gradient = gradient.add(value, alpha=own.weight_decay)
            if own.momentum > 0:
                momentum = self.state[name].mul_(own.momentum).add_(gradient)
                gradient = gradient.add(momentum, alpha=own.momentum) if own.nesterov else momentum
            value.sub_(gradient * per_run(rates.to(value.dtype), value))
