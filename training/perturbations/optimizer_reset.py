"""Reset of the optimizer alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from training.perturbations.base import Perturbation
from training.perturbations.state import NetworkState


@dataclass(frozen=True, slots=True)
class OptimizerReset(Perturbation):
    """The optimizer forgets its state (momenta, second moments); the network stays as it is."""

    name: ClassVar[str] = "optimizer_reset"

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        state.reset_optimizer()

    @property
    def resets_optimizer(self) -> bool:
        """Whether it makes the optimizer forget its state."""
        return True
