"""What all perturbations have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, Literal, get_args

from torch import Tensor

from training.perturbations.state import NetworkState

BuffersAfter = Literal["keep", "scale", "reset", "recalibrate"]
"""What becomes of buffers such as the running statistics of batch norm: left alone, mapped as the parameters
are, those of a fresh network, or computed anew from training data."""
OptimizerAfter = Literal["keep", "reset"]
"""What becomes of the optimizer's state, such as momenta: left alone, or that of a fresh optimizer."""
Scope = Literal["all", "weights"]
"""All parameters, or the weights of convolutions and linear layers."""


class Perturbation(ABC):
    """A frozen dataclass that says what is done to a network."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    name: ClassVar[str]
    """What a runs file calls it, unless the study gives another name."""

    @abstractmethod
    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place; gradients are off."""

    def settings(self) -> dict[str, Any]:
        """Return kind and settings, ready for JSON."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            "kind": self.name,
            **{name: list(value) if isinstance(value, tuple) else value for name, value in own.items()},
        }


def scoped(state: NetworkState, scope: Scope) -> list[str]:
    """Return the names of the parameters in a scope, at least one."""
    names = [name for name in state.parameters if scope == "all" or name in state.layout.weights]
    if not names:
        raise ValueError(
            '`scope` "weights" means weights of convolutions and linear layers, of which this network has none; '
            "it has: " + ", ".join(state.parameters) + '; use "all"'
        )
    return names


def finish(
    state: NetworkState,
    optimizer: OptimizerAfter,
    buffers: BuffersAfter,
    fresh: dict[str, Tensor] | None = None,
    scale: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> None:
    """Do to optimizer and buffers what was asked for; ``fresh`` and ``scale`` for buffers reset or scaled."""
    if buffers in ("scale", "reset") and state.buffers:
        source = state.fresh()[1] if fresh is None else fresh
        for name, value in state.buffers.items():
            new = source.get(name, value)
            value.copy_(scale(value, new) if buffers == "scale" and scale is not None else new)
    if buffers == "recalibrate" and state.buffers:
        state.recalibrate()
    if optimizer == "reset":
        state.reset_optimizer()


def check_choice(argument: str, value: str, allowed: Any) -> None:
    """Raise unless ``value`` is one of the literals ``allowed``."""
    choices = get_args(allowed)
    if value not in choices:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"`{argument}` must be one of {listed}, got {value!r}")


def check_factor(argument: str, value: float, hint: str) -> None:
    """Raise unless ``value`` is a finite number of at least 0."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and value >= 0)
    ):
        raise ValueError(f"`{argument}` must be a finite number of at least 0, got {value!r}; {hint}")
