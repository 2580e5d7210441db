"""Random walk on a lattice in discrete time, simulated exactly."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stochreset.kernels.lattice import Lattice, lattice
from stochreset.processes.base import Method, Process
from theory import closed_forms


class LatticeWalk(Process, closed_forms.LatticeWalk):  # type: ignore[misc]
    """Walk on the whole numbers from ``start`` to ``target``, each unit of time a step of 1 to either side.

    Parameters and exact answers are those of `theory.closed_forms.LatticeWalk`. A perturbation puts the walk on
    the lattice site nearest to the new position.
    """

    __slots__ = ()

    whole_steps: ClassVar[bool] = True

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact",)

    def exact_parameters(self) -> Lattice:
        """Return the parameters for the event-driven kernel."""
        return lattice(self._towards_target, int(self.start), int(self.target))

    @property
    def _towards_target(self) -> float:
        """Probability of a step towards the target."""
        return float(self.right if self.target > self.start else 1 - self.right)

    def reach(self, time: float) -> float:
        """Farthest that a run can get towards the target within ``time``."""
        return time if self._towards_target > 0 else 0.0

    @property
    def arrives(self) -> bool:
        """Whether every run arrives sooner or later without perturbation."""
        return self._towards_target >= 0.5

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite."""
        return bool(np.isfinite(self.mfpt()))
