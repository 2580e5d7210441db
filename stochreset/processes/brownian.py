"""Brownian motion with drift, simulated exactly."""

from __future__ import annotations

import math

import numpy as np

from stochreset.kernels.diffusions import LinearDrift
from stochreset.kernels.free import FreeDrift
from stochreset.processes.base import Diffusion, Method
from theory import closed_forms


class Brownian(Diffusion, closed_forms.Brownian):
    """Diffusion with constant drift, dx = drift dt + sqrt(2 diffusion) dW, from ``start`` to ``target``.

    Parameters and exact answers are those of `theory.closed_forms.Brownian`. Simulated exactly: passage times
    are inverse Gaussian, and a Brownian bridge spans the interval between two perturbations.
    """

    __slots__ = ()

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact", "bridge", "euler")

    def exact_parameters(self) -> FreeDrift:
        """Return the parameters for the event-driven kernel."""
        sign = math.copysign(1.0, self.target - self.start)
        return FreeDrift(
            float(self.drift), float(self.diffusion), float(self.start), float(self.target), sign
        )

    def parameters(self) -> LinearDrift:
        """Return the parameters for the stepping kernels."""
        sign = math.copysign(1.0, self.target - self.start)
        return LinearDrift(
            float(self.drift), 0.0, float(self.diffusion), float(self.start), float(self.target), sign
        )

    def time_scale(self) -> float:
        """Time to cross to the target."""
        distance = abs(self.target - self.start)
        diffusive = distance**2 / (2 * self.diffusion)
        return min(diffusive, distance / abs(self.drift)) if self.drift else diffusive

    def expected_bias(self, method: Method, dt: float) -> str:
        """What is known in advance about the error of the mean."""
        return "none" if method == "bridge" else super().expected_bias(method, dt)

    @property
    def arrives(self) -> bool:
        """Whether every run arrives sooner or later without perturbation."""
        return bool(self.drift * np.sign(self.target - self.start) >= 0)

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite."""
        return bool(np.isfinite(self.mfpt()))
