r"""Run-and-tumble motion on a line to one target, from the telegrapher's equations.

Let the velocity v be reversed at the rate g, and L be the distance. The transforms for the first direction
towards the target (+) and away from it (-) obey the backward equations

.. math:: -v T_+' + g (T_- - T_+) = s T_+, \qquad v T_-' + g (T_+ - T_-) = s T_-, \qquad T_+(L = 0) = 1,

whence, with :math:`\lambda = \sqrt{s (s + 2g)} / v`, :math:`T_+ = e^{-\lambda L}` and
:math:`T_- = e^{-\lambda L} (s + g - v \lambda) / g`. Either direction with probability 1/2 gives

.. math:: \tilde T(s) = \frac{T_+ + T_-}{2} = \frac{e^{-\lambda L}}{1 + \sqrt{s / (s + 2g)}}

(Evans and Majumdar, J. Phys. A 51, 475003 (2018), also for the resetting with the direction drawn anew;
Malakar et al., J. Stat. Mech. 043215 (2018)). With a = L/v and :math:`x = \sqrt{t^2 - a^2}`, the law is an atom,
the ballistic arrival :math:`\Pr(T = a) = e^{-ga}/2`, and for t > a the density

.. math:: f(t) = \frac{e^{-gt}}{2} \left[ g a \frac{I_1(gx)}{x} + \frac{g}{2} \left( I_0(gx) -
          \frac{t - a}{t + a} I_2(gx) \right) \right].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theory.closed_forms import checks, contour, search
from theory.closed_forms.base import FirstPassageLaw, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAndTumble(FirstPassageLaw):
    """Motion at constant ``speed`` that reverses at ``tumble_rate``, from ``start`` to ``target``.

    The first direction is either with probability 1/2, at the beginning and after each reset. Nothing arrives
    before the time |target - start| / speed, at which a finite fraction does: `survival` jumps there, and `density`
    is that of the other arrivals.

    Attributes
    ----------
    speed : float
        Length over time.
    tumble_rate : float
        Reversals over time; without any, half of the runs never arrive.
    start, target : float
        Positions; the target may lie on either side.

    Examples
    --------
    >>> law = RunAndTumble(speed=1.0, tumble_rate=1.0, target=1.0)
    >>> [round(float(s), 6) for s in law.survival([0.999, 1.0, 2.0])]
    [1.0, 0.81606, 0.675794]
    >>> round(law.ballistic(), 6), law.mfpt()
    (0.18394, inf)
    """

    speed: float = 1.0
    tumble_rate: float = 1.0
    start: float = 0.0
    target: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "target"):
            checks.finite(name, getattr(self, name))
        checks.positive("speed", self.speed)
        checks.finite("tumble_rate", self.tumble_rate)
        if self.tumble_rate < 0:
            raise ValueError(
                f"`tumble_rate` must not be negative, got {self.tumble_rate!r}; pass the reversals per unit of time"
            )
        checks.apart(self.start, self.target)

    def _first(self) -> float:
        """Earliest time of arrival."""
        return abs(self.target - self.start) / self.speed

    def _reach(self) -> float:
        return float(np.sqrt(self._first() * (1 + 2 * self.tumble_rate * self._first())))

    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        return self._log_delayed(s) - s * self._first()

    def _log_delayed(self, s: NDArray[Any]) -> NDArray[Any]:
        """Logarithm of the transform of T less the earliest time of arrival."""
        twice = 2 * self.tumble_rate
        if twice == 0:
            return np.full_like(s, -np.log(2))
        low, high = np.sqrt(s), np.sqrt(s + twice)
        # v lambda - s = 2g s / (v lambda + s), without the cancellation.
        delayed: NDArray[Any] = -self._first() * twice * low / (high + low) - np.log1p(low / high)
        return delayed

    def _vertex(self, t: FloatArray) -> FloatArray:
        """Parameter of the contour: the saddle point of exp(st - lambda L), not too close to the cut."""
        first = self._first()
        x = np.sqrt((t - first) * (t + first))
        saddle = self.tumble_rate * first / x * (first / (t + x))
        return np.maximum(np.sqrt(saddle), contour.FROM_EDGE / np.sqrt(t - first))

    def _arrived(self, t: FloatArray, order: int) -> FloatArray:
        """Logarithm of the inverse of T~ / s^order at times after the first."""

        def transform(s: NDArray[Any]) -> NDArray[Any]:
            value: NDArray[Any] = self._log_delayed(s) - order * np.log(s)
            return value

        return contour.bromwich(transform, t - self._first(), 0.0, self._vertex(t))[0]

    def _missing(self, t: FloatArray, order: int) -> FloatArray:
        """Logarithm of the inverse of (1 - T~) / s^order at times from twice the first on."""
        first = self._first()

        def transform(s: NDArray[Any]) -> NDArray[Any]:
            value: NDArray[Any] = np.log(-special.expm1(self._log_laplace(s))) + s * first - order * np.log(s)
            return value

        later = t - first
        return contour.bromwich(transform, later, 0.0, contour.FROM_EDGE / np.sqrt(later))[0]

    def _log_tails(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        first = self._first()
        log_cdf = np.where(t < first, -np.inf, -np.log(2) - self.tumble_rate * first)
        after, late = t > first, t >= 2 * first
        if after.any():
            log_cdf[after] = np.minimum(self._arrived(t[after], 1), 0.0)
        log_survival = contour.log1mexp(log_cdf)
        if late.any():
            log_survival[late] = np.minimum(self._missing(t[late], 1), 0.0)
            sure = late & (log_survival < -np.log(2))
            log_cdf[sure] = contour.log1mexp(log_survival[sure])
        return log_cdf, log_survival

    def _density(self, t: FloatArray) -> FloatArray:
        first, rate = self._first(), self.tumble_rate
        after = np.maximum(t, first)
        x = np.sqrt((after - first) * (after + first))
        # I1(gx) / (gx) is 1/2 at 0; I2 = I0 - 2 I1/(gx), which leaves positive terms only.
        argument = np.maximum(rate * x, 1e-8)
        ratio = special.ive(1, argument) / argument
        share = first / (after + first)
        turned = share * special.ive(0, argument) + (1 - 2 * share) * ratio
        lost = rate * first * (first / (after + x))
        density = rate / 2 * np.exp(-lost) * (rate * first * ratio + turned)
        return np.where(t < first, 0.0, density)

    def _restricted_mean(self, t: FloatArray) -> FloatArray:
        first = self._first()
        value = t.copy()
        early, late = (t > first) & (t < 2 * first), t >= 2 * first
        if early.any():
            value[early] -= np.exp(self._arrived(t[early], 2))
        if late.any():
            value[late] = np.exp(self._missing(t[late], 2))
        return value

    def ballistic(self) -> float:
        """Probability of arriving without a reversal, at the earliest time possible, exp(-gL/v) / 2."""
        return float(np.exp(-self.tumble_rate * self._first()) / 2)

    def mfpt(self) -> float:
        """Infinite: the survival probability falls as t^(-1/2)."""
        return np.inf

    def second_moment(self) -> float:
        """Infinite."""
        return np.inf

    def optimal_period(self) -> float:
        """Period of least mean first-passage time, to about 1e-7; often the earliest time of arrival itself."""
        first = self._first()
        extra = search.best_period(lambda x: self.log_mfpt_sharp(first + x), np.inf, self._reach() ** 2)
        if not np.isfinite(extra) or self.log_mfpt_sharp(first) <= self.log_mfpt_sharp(first + extra):
            return first
        return first + extra
