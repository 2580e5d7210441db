"""Reset of whole layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from training.perturbations.base import OptimizerAfter, Perturbation, check_choice, finish
from training.perturbations.state import NetworkState


@dataclass(frozen=True, slots=True)
class LayerReset(Perturbation):
    """Reset of the last layers, or of named ones, to a fresh initialisation, buffers of these layers included.

    A layer is a module with parameters of its own, not all of them frozen; they count in the order in which the network
    holds them.

    Attributes
    ----------
    last : int, optional
        How many layers to reset, from the end. Default 1, where no ``layers`` are given.
    layers : tuple of str, optional
        Names of modules instead; all layers within them are reset, and buffers of modules without parameters.
        "" is the whole network.
    optimizer : {"keep", "reset"}
        Keep the optimizer (default), or start afresh.
    """

    name: ClassVar[str] = "layer_reset"
    last: int | None = None
    layers: tuple[str, ...] = ()
    optimizer: OptimizerAfter = "keep"

    def __post_init__(self) -> None:
        if isinstance(self.layers, str) or not all(isinstance(name, str) for name in self.layers):
            raise ValueError(f"`layers` must be names of modules, such as ('fc',), got {self.layers!r}")
        object.__setattr__(self, "layers", tuple(self.layers))
        if self.last is not None and self.layers:
            raise ValueError("`last` and `layers` exclude each other; give one of them")
        whole = isinstance(self.last, int) and not isinstance(self.last, bool)
        if self.last is not None and not (whole and self.last >= 1):
            raise ValueError(f"`last` must be a whole number of at least 1, got {self.last!r}")
        check_choice("optimizer", self.optimizer, OptimizerAfter)

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        chosen = self._chosen(state)
        parameters, buffers = state.fresh()
        for layer in chosen:
            for name in state.layout.layers.get(layer, ()):
                if name not in state.frozen:
                    state.parameters[name].copy_(parameters[name])
        for name, value in state.buffers.items():
            if name.rpartition(".")[0] in chosen:
                value.copy_(buffers[name])
        finish(state, self.optimizer)

    @property
    def initialises(self) -> bool:
        """Whether it draws fresh initialisations of the network."""
        return True

    def check(self, state: NetworkState) -> None:
        """Raise ValueError where the network has no such layers."""
        Perturbation.check(self, state)
        self._chosen(state)

    def _chosen(self, state: NetworkState) -> list[str]:
        known = [name for name, own in state.layout.layers.items() if not state.frozen.issuperset(own)]
        if not self.layers:
            count = 1 if self.last is None else self.last
            if count > len(known):
                raise ValueError(
                    f"`last` must be at most {len(known)}, the layers of this network that are trained, got {count}"
                )
            return known[-count:]
        # Batch norm without parameters of its own has statistics to reset all the same.
        owners = list(dict.fromkeys([*known, *(name.rpartition(".")[0] for name in state.buffers)]))
        chosen = []
        for name in self.layers:
            inside = [layer for layer in owners if _within(layer, name)]
            if not inside:
                frozen = any(_within(layer, name) for layer in state.layout.layers)
                raise ValueError(
                    f"`layers` {name!r} is {'frozen' if frozen else 'not'} in this network; "
                    f"it has: {', '.join(owners)}"
                )
            chosen += inside
        return list(dict.fromkeys(chosen))


def _within(layer: str, outer: str) -> bool:
    return outer in ("", layer) or layer.startswith(f"{outer}.")
