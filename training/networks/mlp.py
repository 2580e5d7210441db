"""Fully connected networks."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

from torch import nn

from training.networks.checks import check_shape, check_units

Activation = Literal["relu", "tanh", "sigmoid", "gelu", "silu", "elu", "leaky_relu"]
LAYERS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
}


@dataclass(frozen=True, slots=True)
class MLP:
    """A perceptron; inputs of more than one axis are flattened.

    Attributes
    ----------
    hidden : tuple of int
        Units of each hidden layer; empty for a linear model.
    activation : {"relu", "tanh", "sigmoid", "gelu", "silu", "elu", "leaky_relu"}
        What follows each hidden layer.

    Examples
    --------
    >>> from training.networks import MLP
    >>> len(MLP().build((64,), 10))
    5
    """

    hidden: tuple[int, ...] = (64, 64)
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        check_units("hidden", self.hidden)
        if self.activation not in get_args(Activation):
            raise ValueError(
                f"`activation` must be one of {', '.join(get_args(Activation))}, got {self.activation!r}"
            )

    def build(self, input_shape: tuple[int, ...], outputs: int) -> nn.Sequential:
        """Return the network, initialised as torch does it by default."""
        check_shape(input_shape, outputs)
        layers: list[nn.Module] = [] if len(input_shape) == 1 else [nn.Flatten()]
        width = prod(input_shape)
        for units in self.hidden:
            layers += [nn.Linear(width, units), LAYERS[self.activation]()]
            width = units
        return nn.Sequential(*layers, nn.Linear(width, outputs))
