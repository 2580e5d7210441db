"""Switch of the potential."""

from __future__ import annotations

from dataclasses import dataclass

from stochreset.kernels.moves import SWITCH, Move
from stochreset.perturbations.base import Perturbation


@dataclass(frozen=True, slots=True)
class SwitchPotential(Perturbation):
    """The second potential of the process replaces the first, for good; x stays."""

    def move(self) -> Move:
        """Return the perturbation as data for the kernels."""
        return Move(SWITCH)
