r"""Drift and diffusion on a line to one target: inverse-Gaussian passage times, Levy without drift.

With the distance L to the target and the drift v counted towards it (Redner, A Guide to First-Passage Processes,
2001, section 3.2; Evans and Majumdar, Phys. Rev. Lett. 106, 160601 (2011) for the resetting)

.. math:: f(t) = \frac{L}{\sqrt{4 \pi D t^3}} e^{-(L - vt)^2 / 4Dt}, \qquad \tilde T(s) = e^{-\alpha(s) L}, \qquad
          \alpha(s) = \frac{\sqrt{v^2 + 4Ds} - v}{2D}, \qquad \langle T_r \rangle = \frac{e^{\alpha(r) L} - 1}{r}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theory.closed_forms import checks
from theory.closed_forms.base import FirstPassageLaw, FloatArray

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brownian(FirstPassageLaw):
    """Diffusion with constant drift, dx = drift dt + sqrt(2 diffusion) dW, from ``start`` to ``target``.

    Attributes
    ----------
    drift : float
        Velocity of the mean, positive to the right. Away from the target the passage may never happen.
    diffusion : float
        Diffusion coefficient D, length squared over time.
    start, target : float
        Positions; the target may lie on either side.

    Examples
    --------
    >>> law = Brownian(diffusion=1.0, target=1.0)
    >>> round(float(law.survival(1.0)), 6), law.mfpt()
    (0.5205, inf)
    >>> round(law.optimal_rate(), 4), round(float(law.mfpt_poisson(law.optimal_rate())), 4)
    (2.5396, 1.5441)
    """

    drift: float = 0.0
    diffusion: float = 1.0
    start: float = 0.0
    target: float = 1.0

    def __post_init__(self) -> None:
        for name in ("drift", "start", "target"):
            checks.finite(name, getattr(self, name))
        checks.positive("diffusion", self.diffusion)
        checks.apart(self.start, self.target)

    def _geometry(self) -> tuple[float, float]:
        """Distance to the target and drift towards it."""
        side = np.sign(self.target - self.start)
        return float(abs(self.target - self.start)), float(side * self.drift)

    def _reach(self) -> float:
        return self._geometry()[0] / float(np.sqrt(self.diffusion))

    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        distance, v = self._geometry()
        speed = np.sqrt(v**2 + 4 * self.diffusion * s)
        if v > 0:
            return -2 * distance * s / (speed + v)
        return -distance * (speed - v) / (2 * self.diffusion)

    def _bounds(self, t: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """(vt - L) and (vt + L) over sqrt(4Dt), and vL/D, which is the difference of the squares."""
        distance, v = self._geometry()
        root = 2 * np.sqrt(self.diffusion) * np.sqrt(t)
        drifted = v * np.sqrt(t) / (2 * np.sqrt(self.diffusion))
        return drifted - distance / root, drifted + distance / root, v * distance / self.diffusion

    def _log_tails(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        low, high, peclet = self._bounds(t)
        log_cdf = np.logaddexp(log_erfc(-low), image(low, high, peclet)) - np.log(2)
        return np.minimum(log_cdf, 0.0), np.minimum(log_gap(low, high, peclet) - np.log(2), 0.0)

    def _density(self, t: FloatArray) -> FloatArray:
        low, high, _ = self._bounds(t)
        # L / sqrt(4Dt) is half of high - low; the powers of t are kept apart so that none underflows.
        density: FloatArray = np.exp(-(low**2) + np.log((high - low) / 2) - np.log(t) - np.log(np.pi) / 2)
        return density

    def mfpt(self) -> float:
        """Distance over drift towards the target; infinite without such a drift."""
        distance, v = self._geometry()
        return distance / v if v > 0 else np.inf

    def second_moment(self) -> float:
        """Mean of T^2, (L/v)^2 + 2DL/v^3."""
        distance, v = self._geometry()
        return distance / v * (distance / v + 2 * self.diffusion / v**2) if v > 0 else np.inf

    def decay_rate(self) -> float:
        """Limit of the hazard, v^2/4D for a drift towards the target; not reached exponentially fast."""
        return self.drift**2 / (4 * self.diffusion) if self._geometry()[1] > 0 else 0.0


def log_erfc(x: FloatArray) -> FloatArray:
    """Logarithm of erfc."""
    result: FloatArray = special.log_ndtr(-np.sqrt(2) * x) + np.log(2)
    return result


def image(low: FloatArray, high: FloatArray, peclet: float) -> FloatArray:
    """ln(exp(peclet) erfc(high)), peclet = high^2 - low^2, without the cancellation of large exponents."""
    scaled = -(low**2) + np.log(special.erfcx(np.maximum(high, 0.0)))
    return np.where(high > 0, scaled, peclet + log_erfc(high))


def log_gap(low: FloatArray, high: FloatArray, peclet: float) -> FloatArray:
    """ln(erfc(low) - exp(peclet) erfc(high)), to relative accuracy also where the two nearly agree."""
    left, right, both = np.minimum(low, 0.0), np.maximum(low, 0.0), np.maximum(high, 0.0)
    with np.errstate(divide="ignore"):
        behind = np.log(special.erfcx(right) - special.erfcx(both)) - right**2
        ahead = log_erfc(left) + np.log(
            -np.expm1(np.minimum(image(left, high, peclet) - log_erfc(left), 0.0))
        )
    result = np.where(low > 0, behind, ahead)
    near = np.where(low > 0, high - low < np.maximum(1.0, low / 2), (high - low < 1) & (peclet > -1))
    if near.any():
        # The gap as the integral of -exp(-low^2) d erfcx(z)/dz, where erfcx(z) = 2 exp(z^2) - erfcx(-z).
        first, half = low[near, None], (high - low)[near, None] / 2
        z = first + half * (NODES + 1)
        below, common = np.minimum(z, 0.0), np.minimum(first, 0.0)
        slope = -4 * below * np.exp(below**2 - common**2) + np.exp(-(common**2)) * fall(np.abs(z))
        result[near] = np.log(half[:, 0] * (slope @ WEIGHTS)) - right[near] ** 2
    return result


def fall(z: FloatArray) -> FloatArray:
    """-d erfcx / dz at z >= 0, which is 2/sqrt(pi) - 2 z erfcx(z), by its asymptotic series at large z."""
    inverse = 1 / (2 * np.maximum(z, 8.0) ** 2)
    term = series = 2 * inverse / np.sqrt(np.pi)
    for k in range(1, 24):
        term = -term * (2 * k + 1) * inverse
        series = series + term
    result: FloatArray = np.where(
        z < 8, 2 / np.sqrt(np.pi) - 2 * np.minimum(z, 8.0) * special.erfcx(z), series
    )
    return result
