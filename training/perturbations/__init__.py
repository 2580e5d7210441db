"""What is done to a network, one perturbation per file, for one network or for many stacked ones.

A perturbation is a frozen dataclass with a method ``apply(state)`` that changes a `NetworkState` in place:
parameters and buffers with a first axis of runs, the optimizer and the learning-rate schedule. To use one in a
training loop of your own, give it to `training.Perturber`. To add one, write a class like these and name it
in `KINDS`.
"""

from training.perturbations.base import Perturbation
from training.perturbations.composed import Composed
from training.perturbations.layer_reset import LayerReset
from training.perturbations.optimizer_reset import OptimizerReset
from training.perturbations.partial_reset import PartialReset
from training.perturbations.presets import PRESETS, ash_adams, paper_partial, paper_shrink_perturb
from training.perturbations.shrink_perturb import ShrinkPerturb
from training.perturbations.state import NetworkState
from training.perturbations.stochastic_reset import StochasticReset
from training.perturbations.warm_restart import WarmRestart
from training.perturbations.weight_noise import WeightNoise

KINDS: dict[str, type[Perturbation]] = {
    kind.name: kind
    for kind in (
        ShrinkPerturb,
        StochasticReset,
        PartialReset,
        LayerReset,
        WeightNoise,
        WarmRestart,
        OptimizerReset,
    )
}
"""Kinds of perturbation by name, as configurations and runs files call them."""

__all__ = [
    "KINDS",
    "PRESETS",
    "Composed",
    "LayerReset",
    "NetworkState",
    "OptimizerReset",
    "PartialReset",
    "Perturbation",
    "ShrinkPerturb",
    "StochasticReset",
    "WarmRestart",
    "WeightNoise",
    "ash_adams",
    "paper_partial",
    "paper_shrink_perturb",
]
