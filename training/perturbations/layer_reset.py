"""Reset of whole layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from training.perturbations.base import OptimizerAfter, Perturbation, check_choice, finish
from training.perturbations.state import NetworkState


@dataclass(frozen=True, slots=True)
class LayerReset(Perturbation):
    """Reset of the last layers, or of named ones, to a fresh initialisation, buffers of these layers included.

    A layer is a module with parameters of its own; they count in the order in which the network holds them.

    Attributes
    ----------
    last : int, optional
        How many layers to reset, from the end. Default 1, where no ``layers`` are given.
    layers : tuple of str, optional
        Names of modules instead; all layers within them are reset.
    optimizer : {"keep", "reset"}
        Keep the optimizer (default), or start afresh.
    """

    name: ClassVar[str] = "layer_reset"
    last: int | None = None
    layers: tuple[str, ...] = ()
    optimizer: OptimizerAfter = "keep"

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if self.last is not None and self.layers:
            raise ValueError("`last` and `layers` exclude each other; give one of them")
        if self.last is not None and (isinstance(self.last, bool) or self.last < 1):
            raise ValueError(f"`last` must be a whole number of at least 1, got {self.last!r}")
        check_choice("optimizer", self.optimizer, OptimizerAfter)

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        chosen = self._chosen(list(state.layout.layers))
        parameters, buffers = state.fresh()
        for layer in chosen:
            for name in state.layout.layers[layer]:
                if name in state.parameters:
                    state.parameters[name].copy_(parameters[name])
            for name, value in state.buffers.items():
                if name.rpartition(".")[0] == layer:
                    value.copy_(buffers[name])
        finish(state, self.optimizer, "keep")

    def _chosen(self, known: list[str]) -> list[str]:
        if not self.layers:
            count = 1 if self.last is None else self.last
            if count > len(known):
                raise ValueError(
                    f"`last` must be at most {len(known)}, the layers of this network, got {count}"
                )
            return known[-count:]
        chosen = []
        for name in self.layers:
            inside = [layer for layer in known if layer == name or layer.startswith(f"{name}.")]
            if not inside:
                raise ValueError(f"`layers` {name!r} is not in this network; it has: {', '.join(known)}")
            chosen += inside
        return list(dict.fromkeys(chosen))
