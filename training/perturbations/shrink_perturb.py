"""Shrink and perturb, in each of the senses that the literature gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

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

Source = Literal["initialisation", "gaussian"]


@dataclass(frozen=True, slots=True)
class ShrinkPerturb(Perturbation):
    """Shrink and perturb: ``w <- shrink * w + noise * w0``.

    From Ash and Adams, arXiv:1910.08475. What w0 is, and what is shrunk, differs from author to author:
    arXiv:2502.04121 mixes in a fresh initialisation, acts on the whole state of the network, running statistics
    included, and starts a fresh optimizer (`paper_shrink_perturb`); Ash and Adams add Gaussian noise to the
    parameters (`ash_adams`).

    Attributes
    ----------
    shrink, noise : float
        Factors of the present parameters and of w0, finite and not negative.
    source : {"initialisation", "gaussian"}
        What w0 is: a fresh initialisation of the network, or standard normal numbers.
    scope : {"all", "weights"}
        Acts on all parameters, or on the weights of convolutions and linear layers.
    buffers : {"keep", "scale", "reset", "recalibrate"}
        What becomes of the running statistics of batch norm. "scale" is ``shrink * b + noise * b0`` with those
        of a fresh network for b0.
    optimizer : {"reset", "keep"}
        Start with a fresh optimizer, its momentum zero (default), or keep it.
    """

    name: ClassVar[str] = "shrink_perturb"
    shrink: float = 0.6
    noise: float = 0.1
    source: Source = "initialisation"
    scope: Scope = "all"
    buffers: BuffersAfter = "keep"
    optimizer: OptimizerAfter = "reset"

    def __post_init__(self) -> None:
        hint = "shrink=1 with noise=0 changes nothing, shrink=0 with noise=1 is a full reset"
        check_factor("shrink", self.shrink, hint)
        check_factor("noise", self.noise, hint)
        check_choice("source", self.source, Source)
        check_choice("scope", self.scope, Scope)
        check_choice("buffers", self.buffers, BuffersAfter)
        check_choice("optimizer", self.optimizer, OptimizerAfter)

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        names, drawn = scoped(state, self.scope), None
        if self.source == "initialisation":
            new, drawn = state.fresh()
        else:
            new = state.normal(names)
        buffers = fresh_buffers(state, self.buffers, drawn)
        for name in names:
            value = state.parameters[name]
            value.copy_(self.shrink * value + self.noise * new[name])
        finish(state, self.optimizer, self.buffers, buffers, self.shrink, self.noise)

    def check(self, state: NetworkState) -> None:
        """Raise ValueError where the network has none of the parameters asked for."""
        Perturbation.check(self, state)
        scoped(state, self.scope)
