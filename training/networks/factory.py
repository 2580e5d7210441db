"""How a network is made: settings and shapes, in one object that can be sent to another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import nn

from training.networks.checks import check_shape


class Network(Protocol):
    """Settings of a network."""

    def build(self, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
        """Return a newly initialised network for samples of ``input_shape``."""
        ...


@dataclass(frozen=True, slots=True)
class Factory:
    """Makes newly initialised networks, one at each call.

    Attributes
    ----------
    network : Network or callable
        Settings such as `MLP`, or a function of yours that takes nothing and returns a network. For worker
        processes it must be picklable: a function of a module, not a lambda.
    input_shape : tuple of int
        Shape of the inputs of one sample; a function of yours does not get it.
    outputs : int
        Number of outputs; a function of yours does not get it.

    Raises
    ------
    ValueError
        If an attribute is none of these; at a call, if the network made is not a `torch.nn.Module`.

    Examples
    --------
    >>> from training.networks import MLP, Factory
    >>> len(Factory(MLP(hidden=(8,)), input_shape=(64,), outputs=10)())
    3
    """

    network: Network | Callable[[], nn.Module]
    input_shape: tuple[int, ...]
    outputs: int

    def __post_init__(self) -> None:
        check_network(self.network)
        check_shape(self.input_shape, self.outputs)
        object.__setattr__(self, "input_shape", tuple(int(length) for length in self.input_shape))

    def __call__(self) -> nn.Module:
        """Return a new network, initialised with torch's global random numbers."""
        build = getattr(self.network, "build", None)
        made = self.network() if build is None else build(self.input_shape, self.outputs)  # type: ignore[operator]
        if not isinstance(made, nn.Module):
            raise ValueError(
                f"`network` must make a torch.nn.Module, and {self.network!r} made {type(made).__name__}"
            )
        return made


def check_network(network: object) -> None:
    """Raise ValueError unless ``network`` can make networks."""
    if isinstance(network, nn.Module):
        raise ValueError(
            f"`network` must make networks, and got one network, {type(network).__name__}; give a "
            "function that returns a new one"
        )
    if isinstance(network, type) and hasattr(network, "build"):
        raise ValueError(
            f"`network` must be settings, got their class; give {network.__name__}(), with brackets"
        )
    if not hasattr(network, "build") and not callable(network):
        raise ValueError(
            "`network` must be settings with a method build(input_shape, outputs), such as MLP(), or a "
            f"function that returns a network, got {network!r}"
        )
