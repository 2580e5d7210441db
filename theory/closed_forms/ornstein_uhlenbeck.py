r"""Diffusion in a harmonic potential to a boundary: the Ornstein-Uhlenbeck process.

In units of the stationary spread, y = (x - centre) sqrt(theta/D), counted so that the target lies above the start
(Siegert, Phys. Rev. 81, 617 (1951); Ricciardi and Sato, J. Appl. Probab. 25, 43 (1988))

.. math:: \tilde T(s) = \frac{e^{y_0^2/4} D_{-s/\theta}(-y_0)}{e^{y_L^2/4} D_{-s/\theta}(-y_L)}, \qquad
          \theta \langle T \rangle = \int_{y_0}^{y_L} \alpha(y)\, dy, \qquad
          \alpha(y) = \sqrt{\pi/2}\, \mathrm{erfcx}(-y / \sqrt 2).

Passages from level to level add up independently, hence so do the variances:

.. math:: \theta^2 \mathrm{Var}\, T = 2 \int_{y_0}^{y_L} \beta(y)\, dy, \qquad
          \beta(y) = \int_0^\infty e^{uy - u^2/2} \alpha(y - u)^2\, du,

from the Riccati equation of (ln g)' = (s/theta) alpha - (s/theta)^2 beta + ... The quasi-steady state decays at theta
times the lowest root of D in its order. Survival and density are inverse transforms, see `contour`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theory.closed_forms import checks, parabolic
from theory.closed_forms.base import FirstPassageLaw, FloatArray, exp

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrnsteinUhlenbeck(FirstPassageLaw):
    """Diffusion in a harmonic potential, dx = -theta (x - centre) dt + sqrt(2 diffusion) dW.

    Attributes
    ----------
    theta : float
        Relaxation rate, per time.
    diffusion : float
        Diffusion coefficient D, length squared over time; the stationary variance is D / theta.
    start, target, centre : float
        Positions, in any order.

    Notes
    -----
    Relative accuracy 1e-12 for the transform and 1e-10 for survival, its complement and density, for positions
    up to about 35 stationary standard deviations from the centre; further out it is slow, not wrong.

    Examples
    --------
    >>> law = OrnsteinUhlenbeck(theta=1.0, diffusion=1.0, start=-1.0, target=0.0)
    >>> law.decay_rate(), round(float(law.survival(1.0)), 6)
    (1.0, 0.307617)
    """

    theta: float = 1.0
    diffusion: float = 1.0
    start: float = 0.0
    target: float = 1.0
    centre: float = 0.0

    def __post_init__(self) -> None:
        for name in ("start", "target", "centre"):
            checks.finite(name, getattr(self, name))
        checks.positive("theta", self.theta)
        checks.positive("diffusion", self.diffusion)
        checks.apart(self.start, self.target)

    def _levels(self) -> tuple[float, float]:
        """Start and target in stationary standard deviations from the centre, the target above."""
        scale = np.sign(self.target - self.start) * np.sqrt(self.theta / self.diffusion)
        return float((self.start - self.centre) * scale), float((self.target - self.centre) * scale)

    def _reach(self) -> float:
        return abs(self.target - self.start) / float(np.sqrt(self.diffusion))

    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        return parabolic.log_ratio(s / self.theta, *self._levels())

    def _log_mean(self) -> float:
        """Logarithm of the mean, in units of 1/theta."""
        y, log_weight = nodes(*self._levels())
        return float(special.logsumexp(log_alpha(y) + log_weight))

    def _log_variance(self) -> float:
        """Logarithm of the variance, in units of 1/theta^2."""
        y, log_weight = nodes(*self._levels())
        return float(special.logsumexp(log_beta(y) + log_weight) + np.log(2))

    def mfpt(self) -> float:
        """Mean first-passage time; infinite beyond the largest float only."""
        return float(exp(np.array(self._log_mean() - np.log(self.theta))))

    def second_moment(self) -> float:
        """Mean of T^2; infinite beyond the largest float only."""
        log_second = np.logaddexp(2 * self._log_mean(), self._log_variance())
        return float(exp(np.array(log_second - 2 * np.log(self.theta))))

    def cv(self) -> float:
        """Coefficient of variation, standard deviation over mean."""
        return float(np.exp(self._log_variance() / 2 - self._log_mean()))

    def decay_rate(self) -> float:
        """Rate of the quasi-steady state, theta times the lowest root of D_lambda(-y_L) in lambda."""
        return self.theta * parabolic.lowest_order(self._levels()[1])


def nodes(low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Points of a quadrature from ``low`` to ``high`` and the logarithms of their weights.

    The panels are as wide as alpha and beta are smooth, wider far below 0.
    """
    edges = [high]
    while edges[-1] > low:
        y = edges[-1]
        edges.append(max(low, y - (5 / (1 + y) if y > 0 else max(1.5, -y / 3))))
    half = -np.diff(edges)[:, None] / 2
    points = np.array(edges[1:])[:, None] + half * (NODES + 1)
    return points.ravel(), np.log(half * WEIGHTS).ravel()


def log_alpha(y: FloatArray) -> FloatArray:
    """Logarithm of alpha, the slope of the mean first-passage time with the level."""
    below = np.log(special.erfcx(-np.minimum(y, 5.0) / np.sqrt(2))) + np.log(np.pi / 2) / 2
    above = y**2 / 2 + special.log_ndtr(np.maximum(y, 5.0)) + np.log(2 * np.pi) / 2
    result: FloatArray = np.where(y < 5, below, above)
    return result


def log_beta(y: FloatArray) -> FloatArray:
    """Logarithm of beta, half the slope of the variance with the level."""
    # Panels that double in width from the decay length at u = 0 on, over 9 standard deviations below 0.
    end = np.where(y > 0, y + 9, 9.0)[:, None]
    edges = np.minimum(end, (2.0 ** np.arange(-1, 14) - 0.5) / (1 + np.abs(y[:, None])))
    half = np.diff(edges, axis=1)[:, :, None] / 2
    u = (edges[:, :-1, None] + half * (NODES + 1)).reshape(len(y), -1)
    weight = (half * WEIGHTS).reshape(len(y), -1)
    exponent = u * y[:, None] - u**2 / 2 + 2 * log_alpha(y[:, None] - u)
    result: FloatArray = special.logsumexp(exponent, axis=1, b=weight)
    return result
