"""Gaussian noise added to the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from training.perturbations.base import (
    BuffersAfter,
    OptimizerAfter,
    Perturbation,
    Scope,
    check_choice,
    check_factor,
    finish,
    fresh_buffers,
    scoped,
)
from training.perturbations.state import NetworkState


@dataclass(frozen=True, slots=True)
class WeightNoise(Perturbation):
    """Gaussian noise: ``w <- w + noise * scale * xi`` with standard normal numbers xi.

    Attributes
    ----------
    noise : float
        Standard deviation, or its ratio to the scale of the weights; finite and not negative.
    relative : bool
        Whether ``scale`` is the root mean square of the tensor that the weight belongs to, or 1 (default).
    scope : {"all", "weights"}
        Acts on all parameters, or on the weights of convolutions and linear layers.
    buffers : {"keep", "reset", "recalibrate"}
        What becomes of the running statistics of batch norm.
    optimizer : {"keep", "reset"}
        Keep the optimizer (default), or start afresh.
    """

    name: ClassVar[str] = "weight_noise"
    noise: float
    relative: bool = False
    scope: Scope = "all"
    buffers: BuffersAfter = "keep"
    optimizer: OptimizerAfter = "keep"

    def __post_init__(self) -> None:
        check_factor("noise", self.noise, "0.01 adds normal numbers of standard deviation 0.01")
        check_choice("scope", self.scope, Scope)
        check_choice("buffers", self.buffers, BuffersAfter)
        check_choice("optimizer", self.optimizer, OptimizerAfter)
        if self.buffers == "scale":
            raise ValueError(
                '`buffers` "scale" belongs to shrink and perturb; use "keep", "reset" or "recalibrate"'
            )

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        names = scoped(state, self.scope)
        numbers = state.normal(names)
        buffers = fresh_buffers(state, self.buffers, None)
        for name in names:
            value = state.parameters[name]
            noise = self.noise * numbers[name]
            if self.relative:
                # Run by run, because torch adds up the rows of a stack in another order than a single one.
                for run, row in zip(noise, value, strict=True):
                    run.mul_(row.square().mean().sqrt())
            value.add_(noise)
        finish(state, self.optimizer, self.buffers, buffers)

    def check(self, state: NetworkState) -> None:
        """Raise ValueError where the network has none of the parameters asked for."""
        Perturbation.check(self, state)
        scoped(state, self.scope)
