"""What all perturbations have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, ClassVar, Literal, get_args

from training.perturbations.state import NetworkState, Refusal, Stacked

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
        """Change ``state`` in place; gradients are off.

        Call `check` and draw all numbers before anything is changed, so that an error leaves the state as it was.
        """

    @property
    def initialises(self) -> bool:
        """Whether it draws fresh initialisations of the network."""
        drawn = getattr(self, "source", None) == "initialisation"
        return drawn or getattr(self, "buffers", None) in ("scale", "reset")

    @property
    def restarts(self) -> bool:
        """Whether it sets the learning-rate schedule back to its start."""
        return False

    @property
    def recalibrates(self) -> bool:
        """Whether it computes running statistics anew from training data, where the network has some."""
        return getattr(self, "buffers", None) == "recalibrate"

    @property
    def resets_optimizer(self) -> bool:
        """Whether it makes the optimizer forget its state."""
        return getattr(self, "optimizer", None) == "reset"

    def check(self, state: NetworkState) -> None:
        """Raise ValueError where this cannot be done to ``state``; draw nothing and change nothing."""
        for asked, hook in (
            (self.resets_optimizer, state.reset_optimizer),
            (self.restarts, state.restart_schedule),
            (self.recalibrates and bool(state.buffers), state.recalibrate),
        ):
            if asked and isinstance(hook, Refusal):
                hook()

    def settings(self) -> dict[str, Any]:
        """Return kind and settings, ready for JSON."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            "kind": self.name,
            **{name: list(value) if isinstance(value, tuple) else value for name, value in own.items()},
        }


def scoped(state: NetworkState, scope: Scope) -> list[str]:
    """Return the names of the parameters in a scope, at least one."""
    if not state.parameters:
        raise ValueError(
            "`requires_grad` is False for every parameter of this network; a perturbation acts on others"
        )
    names = [name for name in state.parameters if scope == "all" or name in state.layout.weights]
    if not names:
        raise ValueError(
            '`scope` "weights" means weights of convolutions and linear layers, of which this network has none; '
            "it has: " + ", ".join(state.parameters) + '; use "all"'
        )
    return names


def fresh_buffers(state: NetworkState, buffers: BuffersAfter, drawn: Stacked | None) -> Stacked:
    """Return the buffers of a fresh network if they are needed: those ``drawn`` already, or drawn now."""
    if buffers not in ("scale", "reset") or not state.buffers:
        return {}
    return state.fresh()[1] if drawn is None else drawn


def finish(
    state: NetworkState,
    optimizer: OptimizerAfter,
    buffers: BuffersAfter = "keep",
    fresh: Stacked | None = None,
    shrink: float = 0.0,
    noise: float = 1.0,
) -> None:
    """Do to buffers and optimizer what was asked for, once the parameters are changed."""
    if buffers in ("scale", "reset") and fresh:
        for name, value in state.buffers.items():
            # Whole numbers are cut off as `load_state_dict` would do it.
            value.copy_(shrink * value + noise * fresh[name] if buffers == "scale" else fresh[name])
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
