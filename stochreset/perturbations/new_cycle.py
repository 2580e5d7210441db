"""A new cycle of training."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.moves import STAY, Move
from stochreset.perturbations.base import Perturbation


@dataclass(frozen=True, slots=True)
class NewCycle(Perturbation):
    """Whatever a perturbation does by the model of the process itself: `Plateaus` draws a new plateau."""

    def move(self) -> Move:
        """Return the perturbation as data for the kernels."""
        return Move(STAY)
