"""Diffusion to a sphere, in any dimension and from either side of it."""

from __future__ import annotations

from typing import Any

from stochreset.kernels.spheres import Outside3D, SteppedSphere
from stochreset.processes.base import Method, Process
from theory import closed_forms

SMALLEST = 0.1
"""Default standard deviation of the smallest step, as a part of the radius of the target, for c = 0."""
LARGEST = 0.5


class Sphere(Process, closed_forms.Sphere):
    """Isotropic diffusion from the radius ``start`` to the sphere of radius ``target``; x is the radius.

    Parameters and exact answers are those of `theory.closed_forms.Sphere`. Outside in three dimensions it is
    simulated exactly. Otherwise by steps of the exact radius with a test whether the sphere was touched within
    each; steps are a fixed part of the distance to the sphere and at least ``dt``. A perturbation acts on the
    radius, of which the absolute value is taken.
    """

    __slots__ = ()

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact", "bridge") if self.dimension == 3 and not self._inside else ("bridge",)

    @property
    def _inside(self) -> bool:
        return self.start < self.target

    def exact_parameters(self) -> Outside3D:
        """Return the parameters for the event-driven kernel."""
        return Outside3D(float(self.diffusion), float(self.start), float(self.target))

    def event_parameters(self, method: Method, dt: float | None) -> Any:
        """Return the parameters for the event-driven kernel by this method."""
        if method != "bridge":
            return super().event_parameters(method, dt)
        smallest = 2 * self.diffusion * float(dt or self.default_step("bridge"))
        if smallest > (LARGEST * self.target) ** 2:
            raise ValueError(
                f"`dt` must be at most {(LARGEST * self.target) ** 2 / (2 * self.diffusion):.3g}, in which the "
                f"process crosses part of the sphere, got {dt!r}; leave it out for a good step"
            )
        sign = 1.0 if self._inside else -1.0
        numbers = (float(self.diffusion), float(self.start), float(self.target), sign, float(smallest))
        return SteppedSphere(int(self.dimension), *numbers)

    @property
    def _curvature(self) -> float:
        """Weight c of the integral of 1 / r^2 that curvature brings."""
        return abs((self.dimension - 1) * (self.dimension - 3)) / 8

    def default_step(self, method: Method) -> float:
        """Smallest time step, near the sphere."""
        spread = SMALLEST * self.target / (1 + self._curvature) ** (1 / 3)
        return float(spread**2 / (2 * self.diffusion))

    def expected_bias(self, method: Method, dt: float) -> str:
        """What is known in advance about the error of the mean."""
        if self._curvature == 0:
            return "none"
        return "small, of order dt^3/2; halve dt to estimate it"

    def bias_order(self, method: Method) -> float:
        """Power of the time step with which the error of the mean falls."""
        return 1.5

    @property
    def arrives(self) -> bool:
        """Whether every run arrives sooner or later without perturbation."""
        return bool(self._inside or self.dimension <= 2)

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite."""
        return bool(self._inside)
