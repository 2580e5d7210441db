"""The double well: escape over a barrier."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stochreset.kernels.compiling import inlined
from stochreset.kernels.diffusions import register_diffusion
from stochreset.processes.base import Diffusion
from theory.closed_forms import checks

POINTS = 20_001


class Well(NamedTuple):
    """dx = 4 height x (1 - x^2) dt + sqrt(2 diffusion) dW, absorbed at ``target``."""

    height: float
    diffusion: float
    start: float
    target: float
    sign: float


@inlined
def _drift(process, x, aux):
    return 4.0 * process.height * x * (1.0 - x * x)


register_diffusion(Well, _drift)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleWell(Diffusion):
    """Diffusion in U(x) = barrier (x^2 - 1)^2, with minima at -1 and 1: Kramers' escape problem.

    The mean first-passage time is a double integral (Gardiner, Stochastic Methods, 4th ed., section 5.5.1).

    Attributes
    ----------
    barrier : float
        Height of the barrier at 0, positive.
    diffusion, start, target : float
        As everywhere.

    Examples
    --------
    >>> round(DoubleWell(barrier=1.0, diffusion=0.3).mfpt(), 3)
    36.584
    """

    barrier: float = 1.0
    diffusion: float = 0.3
    start: float = -1.0
    target: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("barrier", self.barrier)
        checks.positive("diffusion", self.diffusion)
        checks.finite("start", self.start)
        checks.finite("target", self.target)
        checks.apart(self.start, self.target)

    def parameters(self) -> Well:
        """Return the parameters for the stepping kernels."""
        sign = math.copysign(1.0, self.target - self.start)
        return Well(float(self.barrier), float(self.diffusion), float(self.start), float(self.target), sign)

    def potential(self, x: ArrayLike) -> NDArray[np.float64]:
        """U(x)."""
        return np.asarray(self.barrier * (np.asarray(x, dtype=float) ** 2 - 1) ** 2)

    def velocity(self, x: ArrayLike) -> NDArray[np.float64]:
        """Velocity -U'(x)."""
        x = np.asarray(x, dtype=float)
        return np.asarray(4 * self.barrier * x * (1 - x**2))

    def time_scale(self) -> float:
        """Relaxation time at the bottom of a well, or the time to diffuse to the target."""
        return min(1 / (8 * self.barrier), (self.target - self.start) ** 2 / (2 * self.diffusion))

    def mfpt(self) -> float:
        r"""Mean first-passage time, :math:`\frac1D \int dy\, e^{U(y)/D} \int_{-\infty}^y dz\, e^{-U(z)/D}`.

        The integrals run from the start to the target (mirrored where the target lies below), by Simpson's
        rule on 20,001 points up to where the Boltzmann factor has fallen below 1e-16.
        """
        from scipy.integrate import cumulative_simpson, simpson

        side = 1 if self.target > self.start else -1
        # U is even: a target below is the mirror image of one above.
        start, target = side * self.start, side * self.target
        deepest = math.sqrt(1 + math.sqrt(40 * self.diffusion / self.barrier))
        z = np.linspace(min(-deepest, start), target, POINTS)
        energy = self.potential(z) / self.diffusion
        below = cumulative_simpson(np.exp(-energy), x=z, initial=0.0)
        inside = z >= start
        edge = np.r_[start, z[inside]]
        level = self.potential(edge) / self.diffusion
        return float(simpson(np.exp(level) * np.interp(edge, z, below), x=edge) / self.diffusion)
