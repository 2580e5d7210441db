"""Partial stochastic resetting of the weights smallest in magnitude."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from training.perturbations.base import (
    BuffersAfter,
    OptimizerAfter,
    Perturbation,
    check_choice,
    finish,
    fresh_buffers,
)
from training.perturbations.state import NetworkState, Stacked

Ranking = Literal["global", "layer"]
Ranked = Literal["named_weight", "weights"]
Source = Literal["initialisation", "uniform"]


@dataclass(frozen=True, slots=True)
class PartialReset(Perturbation):
    """Partial stochastic resetting: the weights smallest in magnitude are initialised afresh.

    Of the ``n`` entries that are ranked together the ``round(fraction * n)`` of smallest magnitude take a new
    value; of equal ones the first do. All others, and biases, stay as they are.

    Attributes
    ----------
    fraction : float
        Fraction of the weights to initialise afresh, above 0 and at most 1.
    ranking : {"global", "layer"}
        Rank the weights of all layers together, as arXiv:2502.04121 does, or those of each layer by itself.
    scope : {"named_weight", "weights"}
        Every parameter called "weight", that of batch norm included (arXiv:2502.04121), or the weights of
        convolutions and linear layers.
    source : {"initialisation", "uniform"}
        New values: those of a fresh initialisation of the network, or uniform in +-1/sqrt(n), with n the second
        axis of the weight, or the only one of a vector (arXiv:2502.04121, `paper_partial`).
    buffers : {"keep", "reset", "recalibrate"}
        What becomes of the running statistics of batch norm.
    optimizer : {"keep", "reset"}
        Keep the optimizer, momenta of the new weights included (default, arXiv:2502.04121), or start afresh.
    """

    name: ClassVar[str] = "partial_reset"
    fraction: float
    ranking: Ranking = "global"
    scope: Ranked = "named_weight"
    source: Source = "initialisation"
    buffers: BuffersAfter = "keep"
    optimizer: OptimizerAfter = "keep"

    def __post_init__(self) -> None:
        number = isinstance(self.fraction, int | float) and not isinstance(self.fraction, bool)
        if not (number and 0 < self.fraction <= 1):
            raise ValueError(
                f"`fraction` must be above 0 and at most 1, got {self.fraction!r}; "
                "give 0.2 for 20 % of the weights, or train without a perturbation"
            )
        check_choice("ranking", self.ranking, Ranking)
        check_choice("scope", self.scope, Ranked)
        check_choice("source", self.source, Source)
        check_choice("buffers", self.buffers, BuffersAfter)
        check_choice("optimizer", self.optimizer, OptimizerAfter)
        if self.buffers == "scale":
            raise ValueError(
                '`buffers` "scale" belongs to shrink and perturb; use "keep", "reset" or "recalibrate"'
            )

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        names, drawn = self._ranked(state), None
        if self.source == "initialisation":
            new, drawn = state.fresh()
        else:
            new = _uniform(state, names)
        buffers = fresh_buffers(state, self.buffers, drawn)
        for some in [names] if self.ranking == "global" else [[name] for name in names]:
            for name, mask in zip(some, _smallest(state, some, self.fraction), strict=True):
                value = state.parameters[name]
                value.copy_(torch.where(mask, new[name], value))
        finish(state, self.optimizer, self.buffers, buffers)

    def check(self, state: NetworkState) -> None:
        """Raise ValueError where the network has no weights to rank."""
        Perturbation.check(self, state)
        if not self._ranked(state):
            what = 'called "weight"' if self.scope == "named_weight" else "of convolutions or linear layers"
            raise ValueError(
                f"`parameters` must have some {what} for a partial reset to rank, "
                f"got: {', '.join(state.parameters)}; use StochasticReset or ShrinkPerturb for this network"
            )

    def _ranked(self, state: NetworkState) -> list[str]:
        if self.scope == "weights":
            return [name for name in state.parameters if name in state.layout.weights]
        return [name for name in state.parameters if name.rpartition(".")[2] == "weight"]


def _smallest(state: NetworkState, names: Sequence[str], fraction: float) -> list[Tensor]:
    values = [state.parameters[name] for name in names]
    magnitudes = torch.cat([value.abs().reshape(len(value), -1) for value in values], dim=1)
    # What has diverged to NaN counts as large; no comparison would find it.
    magnitudes = magnitudes.nan_to_num(nan=math.inf, posinf=math.inf)
    count = round(fraction * magnitudes.shape[1])
    chosen = torch.zeros_like(magnitudes, dtype=torch.bool)
    if count:
        # Of equal magnitudes the first are taken, so that all devices choose the same.
        last = magnitudes.kthvalue(count, dim=1, keepdim=True).values
        chosen, ties = magnitudes < last, magnitudes == last
        chosen |= ties & (ties.cumsum(1) <= count - chosen.sum(1, keepdim=True))
    parts = chosen.split([value[0].numel() for value in values], dim=1)
    return [part.reshape(value.shape) for part, value in zip(parts, values, strict=True)]


def _uniform(state: NetworkState, names: Sequence[str]) -> Stacked:
    numbers = state.uniform(names)
    for value in numbers.values():
        shape = (*value.shape[1:], 1)
        value /= math.sqrt(shape[1] if value.dim() > 2 else shape[0])
    return numbers
