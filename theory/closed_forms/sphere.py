r"""Isotropic diffusion to a sphere, from outside or from inside.

With nu = d/2 - 1 and q = sqrt(s/D), for a start at radius rho and the target sphere at R (Redner, A Guide to
First-Passage Processes, 2001, chapter 6; Evans and Majumdar, J. Phys. A 47, 285001 (2014) for the resetting)

.. math:: \tilde T(s) = \left(\frac{R}{\rho}\right)^\nu \frac{K_\nu(q \rho)}{K_\nu(q R)} \quad (\rho > R),
          \qquad \tilde T(s) = \left(\frac{R}{\rho}\right)^\nu \frac{I_\nu(q \rho)}{I_\nu(q R)} \quad (\rho < R).

From outside the mean is infinite, and for d > 2 the target is missed with probability 1 - (R/rho)^(d-2); in three
dimensions Pr(T <= t) = (R/rho) erfc[(rho - R) / sqrt(4Dt)]. Elsewhere the survival is an inverse transform, see
`contour`. From inside the quasi-steady state decays at the rate D (j/R)^2, j the first zero of J_nu.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theory.closed_forms import checks
from theory.closed_forms.base import FirstPassageLaw, FloatArray
from theory.closed_forms.bessel import first_zero, log_i, log_k
from theory.closed_forms.brownian import log_erfc

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
HIGHEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sphere(FirstPassageLaw):
    """Diffusion in ``dimension`` dimensions to the sphere of radius ``target`` around the origin.

    Attributes
    ----------
    dimension : int
        Dimension of space, 1 to 200.
    diffusion : float
        Diffusion coefficient D, length squared over time.
    start, target : float
        Radii; from outside start > target, from inside start < target and possibly 0.

    Examples
    --------
    >>> law = Sphere(dimension=3, start=2.0, target=1.0)
    >>> round(float(law.laplace(0.0)), 12), round(float(law.mfpt_poisson(1.0)), 4)
    (0.5, 4.4366)
    >>> Sphere(dimension=2, start=0.0, target=1.0).mfpt()
    0.25
    """

    dimension: int = 3
    diffusion: float = 1.0
    start: float = 2.0
    target: float = 1.0

    def __post_init__(self) -> None:
        checks.whole("dimension", self.dimension)
        if not 1 <= self.dimension <= HIGHEST:
            raise ValueError(
                f"`dimension` must lie between 1 and {HIGHEST}, got {self.dimension}; "
                "beyond, the Bessel functions leave the range of floats"
            )
        checks.positive("diffusion", self.diffusion)
        checks.positive("target", self.target)
        checks.finite("start", self.start)
        if self.start < 0:
            raise ValueError(f"`start` must not be negative, got {self.start!r}; it is a radius")
        checks.apart(self.start, self.target)

    @property
    def _order(self) -> float:
        return self.dimension / 2 - 1

    @property
    def _outside(self) -> bool:
        return self.start > self.target

    def _reach(self) -> float:
        return abs(self.start - self.target) / float(np.sqrt(self.diffusion))

    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        q = np.sqrt(s) / np.sqrt(self.diffusion)
        never = -max(0.0, 2 * self._order) * np.log(self.start / self.target) if self._outside else 0.0
        result: NDArray[Any] = np.full_like(q, never)
        moving = q != 0
        result[moving] = (self._from_outside if self._outside else self._from_inside)(q[moving])
        return result

    def _from_outside(self, q: NDArray[Any]) -> NDArray[Any]:
        order, gap = self._order, self.start - self.target
        if self.dimension == 1:
            return -q * gap
        direct: NDArray[Any] = log_k(order, q * self.start) - log_k(order, q * self.target)
        direct = direct - order * np.log(self.start / self.target)
        # Near the target the logarithmic derivative is integrated, for the relative accuracy.
        near = (np.abs(q) * gap < 1) & (gap < self.target / 2)
        if near.any():
            x = q[near, None] * (self.target + gap * (NODES + 1) / 2)
            slope = np.exp(log_k(order + 1, x) - log_k(order, x))
            direct[near] = -q[near] * gap / 2 * (slope @ WEIGHTS)
        return direct

    def _from_inside(self, q: NDArray[Any]) -> NDArray[Any]:
        order, gap = self._order, self.target - self.start
        direct: NDArray[Any] = log_i(order, q * self.start) - log_i(order, q * self.target)
        # Within the first zero of J, so that the logarithmic derivative has no pole near.
        near = ((np.abs(q) * self.target < 1) | (q.imag == 0)) & (np.abs(q) * gap < 1)
        if near.any():
            x = q[near, None] * (self.start + gap * (NODES + 1) / 2)
            slope = x / (2 * order + 2) * np.exp(log_i(order + 1, x) - log_i(order, x))
            direct[near] = -q[near] * gap / 2 * (slope @ WEIGHTS)
        return direct

    def _log_tails(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        if not self._outside or self.dimension not in (1, 3):
            return FirstPassageLaw._log_tails(self, t)
        hit = self.target / self.start if self.dimension == 3 else 1.0
        z = (self.start - self.target) / (2 * np.sqrt(self.diffusion) * np.sqrt(t))
        never = (self.start - self.target) / self.start if self.dimension == 3 else 0.0
        return log_erfc(z) + np.log(hit), np.log(never + hit * special.erf(z))

    def mfpt(self) -> float:
        """Mean first-passage time, (R^2 - rho^2) / 2dD from inside, infinite from outside."""
        if self._outside:
            return np.inf
        return (self.target - self.start) * (self.target + self.start) / (2 * self.dimension * self.diffusion)

    def second_moment(self) -> float:
        """Mean of T^2, mean^2 + (R^4 - rho^4) / (2 D^2 d^2 (d + 2)) from inside."""
        if self._outside:
            return np.inf
        squares = self.target**2 + self.start**2
        return self.mfpt() ** 2 + self.mfpt() * squares / (
            self.dimension * (self.dimension + 2) * self.diffusion
        )

    def decay_rate(self) -> float:
        """Rate of the quasi-steady state, D (j/R)^2 from inside; 0 from outside."""
        return 0.0 if self._outside else self.diffusion * (first_zero(self._order) / self.target) ** 2
