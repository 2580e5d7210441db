"""Adam with decoupled weight decay."""

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

STEPS = "*steps"
"""Where the number of steps of each run is kept, beside the moments; no parameter has such a name."""


@dataclass(frozen=True, slots=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay as in `torch.optim.AdamW`; without decay it is Adam.

    Attributes
    ----------
    learning_rate : float
        Positive.
    beta1, beta2 : float
        Decay of the first and of the second moment, at least 0, below 1.
    epsilon : float
        Added to the root of the second moment, positive.
    weight_decay : float
        At least 0.
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        for name in ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay"):
            check_number(name, getattr(self, name))
        check_positive("learning_rate", self.learning_rate)
        check_fraction("beta1", self.beta1, "0.9 is usual")
        check_fraction("beta2", self.beta2, "0.999 is usual")
        check_positive("epsilon", self.epsilon)
        check_decay(self.weight_decay)

    def build(self, parameters: Iterable[nn.Parameter], capturable: bool = False) -> torch.optim.Optimizer:
        """Build the optimizer of one network."""
        parameters = list(parameters)
        return torch.optim.AdamW(
            parameters,
            lr=rate_on_device(self.learning_rate, parameters) if capturable else self.learning_rate,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            capturable=capturable,
        )

    def stacked(self, parameters: Stacked) -> StackedOptimizer:
        """Build the optimizer of many stacked networks."""
        return _StackedAdamW(self, parameters)


class _StackedAdamW(StackedOptimizer):
    def __init__(self, settings: AdamW, parameters: Stacked) -> None:
        super().__init__()
        self.settings = settings
        first = next(iter(parameters.values()))
        self.state = {STEPS: torch.zeros(len(first), device=first.device, dtype=torch.float64)}
        for name, value in parameters.items():
            self.state[f"first {name}"] = torch.zeros_like(value)
            self.state[f"second {name}"] = torch.zeros_like(value)

    def step(self, parameters: Stacked, gradients: Sequence[Tensor], rates: Tensor) -> None:
        own = self.settings
        steps = self.state[STEPS].add_(1)
        size = (rates / (1 - own.beta1**steps)).float()
        root = (1 - own.beta2**steps).sqrt().float()
        keep = (1 - rates * own.weight_decay).float()
        for (name, value), gradient in zip(parameters.items(), gradients, strict=True):
            first = self.state[f"first {name}"].lerp_(gradient, 1 - own.beta1)
            second = (
                self.state[f"second {name}"].mul_(own.beta2).addcmul_(gradient, gradient, value=1 - own.beta2)
            )
            divisor = second.sqrt().div_(per_run(root, value)).add_(own.epsilon)
            value.mul_(per_run(keep, value)).sub_(per_run(size, value) * first / divisor)
