"""The Ornstein–Uhlenbeck process: diffusion in a harmonic potential."""

from __future__ import annotations

import math

from stochreset.kernels.diffusions import LinearDrift
from stochreset.processes.base import Diffusion
from theory import closed_forms


class OrnsteinUhlenbeck(Diffusion, closed_forms.OrnsteinUhlenbeck):
    """Diffusion in a harmonic potential: dx = -theta (x - centre) dt + sqrt(2 diffusion) dW.

    Parameters and exact answers are those of `theory.closed_forms.OrnsteinUhlenbeck`. Simulated with the
    exact transition from step to step and a bridge test of the target in between.
    """

    __slots__ = ()

    def parameters(self) -> LinearDrift:
        """Return the parameters for the stepping kernels."""
        return LinearDrift(
            float(self.theta * self.centre),
            float(self.theta),
            float(self.diffusion),
            float(self.start),
            float(self.target),
            math.copysign(1.0, self.target - self.start),
        )

    def time_scale(self) -> float:
        """Shortest of the relaxation time and the time to diffuse to the target."""
        return min(1 / self.theta, (self.target - self.start) ** 2 / (2 * self.diffusion))
