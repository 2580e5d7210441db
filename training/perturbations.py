"""Perturbations of many training runs at once, and the fresh initialisations that they mix in.

The parameters of all runs are stacked: a dict from parameter name to a tensor of shape (runs, ...), and a
dict of momentum buffers of the same shapes. A perturbation maps both to new ones and never changes its
arguments. What is random in it is a fresh initialisation, one per run, from `fresh_parameters`. To add a
perturbation, write a class like those below; nothing else needs to know about it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

Stacked = dict[str, Tensor]

# Independent random streams of one run; a third key is added to the initialisations, their number.
INITIALISATION, DATA_ORDER = 0, 1


class Perturbation(Protocol):
    """What the trainer needs of a frozen dataclass: a name for the runs file, and the map itself."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    name: ClassVar[str]

    def apply(self, parameters: Stacked, momenta: Stacked, fresh: Stacked) -> tuple[Stacked, Stacked]:
        """Return the parameters and momentum buffers after one perturbation."""
        ...


@dataclass(frozen=True, slots=True)
class ShrinkPerturb:
    """Shrink and perturb: ``w <- shrink * w + noise * w0`` with a fresh initialisation ``w0``.

    Acts on every parameter, biases included. From Ash and Adams, arXiv:1910.08475; arXiv:2502.04121 takes
    0.4 and 0.1.

    Attributes
    ----------
    shrink, noise : float
        Factors of the present parameters and of the fresh ones, finite and not negative.
    fresh_optimizer : bool
        Start with a fresh optimizer, its momentum zero, as in arXiv:2502.04121 (default), or keep it.
    """

    name: ClassVar[str] = "shrink_perturb"
    shrink: float = 0.6
    noise: float = 0.1
    fresh_optimizer: bool = True

    def __post_init__(self) -> None:
        for argument, value in (("shrink", self.shrink), ("noise", self.noise)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(
                    f"`{argument}` must be a finite number of at least 0, got {value}; "
                    "shrink=1 with noise=0 changes nothing, shrink=0 with noise=1 is a full reset"
                )

    def apply(self, parameters: Stacked, momenta: Stacked, fresh: Stacked) -> tuple[Stacked, Stacked]:
        """Return the parameters and momentum buffers after one perturbation."""
        mixed = {name: self.shrink * value + self.noise * fresh[name] for name, value in parameters.items()}
        return mixed, _optimizer_after(momenta, self.fresh_optimizer)


@dataclass(frozen=True, slots=True)
class StochasticReset:
    """Full stochastic resetting: every parameter, biases included, becomes that of a fresh initialisation.

    Attributes
    ----------
    fresh_optimizer : bool
        Start with a fresh optimizer, its momentum zero (default), or keep it.
    """

    name: ClassVar[str] = "stochastic_reset"
    fresh_optimizer: bool = True

    def apply(self, parameters: Stacked, momenta: Stacked, fresh: Stacked) -> tuple[Stacked, Stacked]:
        """Return the parameters and momentum buffers after one perturbation."""
        return {name: fresh[name].clone() for name in parameters}, _optimizer_after(
            momenta, self.fresh_optimizer
        )


@dataclass(frozen=True, slots=True)
class PartialReset:
    """Partial stochastic resetting: the weights smallest in magnitude are initialised afresh.

    The parameters called "weight" (``0.weight``, ``features.conv.weight``) of one run are ranked together,
    over all layers; of their ``n`` entries the ``round(fraction * n)`` of smallest magnitude take the value
    that a fresh initialisation has there. Biases and all other parameters stay as they are.

    Attributes
    ----------
    fraction : float
        Fraction of the weights to initialise afresh, above 0 and at most 1.
    fresh_optimizer : bool
        Start with a fresh optimizer, the momentum of every parameter zero, or keep all of it, as in
        arXiv:2502.04121 (default).
    """

    name: ClassVar[str] = "partial_reset"
    fraction: float
    fresh_optimizer: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError(
                f"`fraction` must be above 0 and at most 1, got {self.fraction}; "
                "give 0.2 for 20 % of the weights, or train without a perturbation"
            )

    def apply(self, parameters: Stacked, momenta: Stacked, fresh: Stacked) -> tuple[Stacked, Stacked]:
        """Return the parameters and momentum buffers after one perturbation."""
        weights = [name for name in parameters if name.rpartition(".")[2] == "weight"]
        if not weights:
            raise ValueError(
                '`parameters` must have some called "weight" for a partial reset to rank, '
                f"got: {', '.join(parameters)}; use StochasticReset or ShrinkPerturb for this network"
            )
        magnitudes = torch.cat([parameters[name].abs().flatten(1) for name in weights], dim=1)
        count = round(self.fraction * magnitudes.shape[1])
        smallest = magnitudes.topk(count, dim=1, largest=False, sorted=False).indices
        chosen = torch.zeros_like(magnitudes, dtype=torch.bool).scatter_(1, smallest, True)
        masks = chosen.split([parameters[name][0].numel() for name in weights], dim=1)
        result = {name: value.clone() for name, value in parameters.items()}
        for name, mask in zip(weights, masks, strict=True):
            value = parameters[name]
            result[name] = torch.where(mask.reshape(value.shape), fresh[name], value)
        return result, _optimizer_after(momenta, self.fresh_optimizer)


def fresh_parameters(factory: Callable[[], nn.Module], seeds: Sequence[int], draw: int) -> Stacked:
    """Initialise one network per run and stack the parameters.

    Parameters
    ----------
    factory : callable
        Builds one network on the CPU, initialised by the `reset_parameters` of its layers.
    seeds : sequence of int
        Seed of each run, not negative.
    draw : int
        Which of the independent initialisations of each run: 0 to start from, n for the n-th perturbation.

    Returns
    -------
    dict of str to (runs, ...) tensor
        That of a run depends on its seed and ``draw`` alone; torch's own random state is left as it was.
    """
    networks = []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            key = np.random.SeedSequence([seed, INITIALISATION, draw]).generate_state(1, np.uint64)[0]
            torch.default_generator.manual_seed(int(key))
            networks.append(dict(factory().named_parameters()))
    return {name: torch.stack([network[name].detach() for network in networks]) for name in networks[0]}


def _optimizer_after(momenta: Stacked, fresh: bool) -> Stacked:
    change = torch.zeros_like if fresh else torch.clone
    return {name: change(value) for name, value in momenta.items()}
