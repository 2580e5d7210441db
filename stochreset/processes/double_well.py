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

PANELS, NODES = 100, 16
"""Of the outer integral, each a rule of so many nodes."""
INNER_PANELS, INNER_NODES = 60, 12
DEEPEST = 40.0
"""Energy in units of the diffusion, above that at y, from which on the inner integral gets nothing."""


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

        The outer integral runs from the start to the target (mirrored where the target lies below), the inner one
        from where the Boltzmann factor has fallen below 1e-17 of that at y; both by Gauss-Legendre quadrature in
        panels. The energies are subtracted before the exponential is taken, and their common factors before that.
        """
        side = 1 if self.target > self.start else -1
        # U is even: a target below is the mirror image of one above.
        start, target = side * self.start, side * self.target
        nodes, weights = _panels(PANELS, NODES)
        y = (start + (target - start) * nodes)[:, None]
        back, back_weights = _panels(INNER_PANELS, INNER_NODES)
        lowest = -np.sqrt(1 + np.sqrt((y * y - 1) ** 2 + DEEPEST * self.diffusion / self.barrier))
        s = (y - lowest) * back
        # U(y) - U(y - s), in factors.
        rise = self.barrier * s * (2 * y - s) * (y * y + (y - s) ** 2 - 2)
        with np.errstate(over="ignore"):
            inner = np.exp(rise / self.diffusion) @ back_weights * (y - lowest)[:, 0]
            return float((target - start) * (inner @ weights) / self.diffusion)


def _panels(panels: int, nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of Gauss-Legendre quadrature in equal panels of the interval from 0 to 1."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    places = (np.arange(panels)[:, None] + (x + 1) / 2) / panels
    return places.ravel(), np.tile(weights / (2 * panels), panels)
