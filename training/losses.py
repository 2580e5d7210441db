"""Losses and metrics: what is minimised, and what is recorded after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from theory.passages import Direction, check_direction
from training.run_group import check_name

Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps outputs (..., samples, outputs) and targets (..., samples[, outputs]) to losses (..., samples)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the test set, recorded after each epoch.

    Attributes
    ----------
    name : str
        What the runs file calls it.
    function : callable
        Maps outputs of shape (samples, outputs) and targets (samples,) or (samples, outputs) to a tensor with
        one number. To train in other processes it must be importable: a function of a module, no lambda.
    direction : {"at_least", "at_most"}
        Whether training is complete when the metric is at least, or at most, the threshold.
    """

    name: str
    function: Callable[[Tensor, Tensor], Tensor]
    direction: Direction = "at_least"

    def __post_init__(self) -> None:
        check_name("name", self.name, "/")
        check_direction(self.direction)
        if not callable(self.function):
            raise ValueError(f"`function` of metric {self.name!r} must be callable, got {self.function!r}")


def cross_entropies(outputs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of each sample, of one network or of many stacked ones."""
    # `cross_entropy` takes the classes on the second axis.
    return cross_entropy(outputs if outputs.dim() == 2 else outputs.mT, targets, reduction="none")


def squared_errors(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared error of each sample, the mean over its outputs."""
    if targets.dim() < outputs.dim():
        targets = targets.unsqueeze(-1)
    return (outputs - targets).square().mean(-1)


def correct(outputs: Tensor, targets: Tensor) -> Tensor:
    """1 for each sample classified correctly, else 0, as float64; of equal outputs the first one counts."""
    if outputs.device.type == "cpu":
        # `argmax` is slow there; it is needed only where outputs are equal.
        largest = outputs.amax(-1)
        # Sample by sample: a total would let the none of a NaN make up for a tie elsewhere.
        if ((outputs == largest.unsqueeze(-1)).count_nonzero(-1) == 1).all():
            own = outputs.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
            return (own == largest).to(torch.float64)
    return (outputs.argmax(-1) == targets).to(torch.float64)


LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropies, "mse": squared_errors}
"""Losses by name."""
