"""Run-and-tumble motion on a line, simulated exactly."""

from __future__ import annotations

import math

import numpy as np

from stochreset.kernels.tumbling import Tumbling
from stochreset.processes.base import Method, Process
from theory import closed_forms


class RunAndTumble(Process, closed_forms.RunAndTumble):
    """Motion at constant ``speed`` that reverses at ``tumble_rate``, from ``start`` to ``target``.

    Parameters and exact answers are those of `theory.closed_forms.RunAndTumble`. The first direction is either
    with probability 1/2, and is drawn anew at every perturbation.
    """

    __slots__ = ()

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact",)

    def exact_parameters(self) -> Tumbling:
        """Return the parameters for the event-driven kernel."""
        sign = math.copysign(1.0, self.target - self.start)
        return Tumbling(
            float(self.speed), float(self.tumble_rate), float(self.start), float(self.target), sign
        )

    def reach(self, time: float) -> float:
        """Farthest that a run can get towards the target within ``time``."""
        return float(self.speed * time)

    @property
    def arrives(self) -> bool:
        """Whether every run arrives sooner or later without perturbation."""
        return self.tumble_rate > 0

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite."""
        return bool(np.isfinite(self.mfpt()))
