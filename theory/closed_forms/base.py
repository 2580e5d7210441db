r"""What the exact first-passage laws have in common: from the Laplace transform to the best restart.

With :math:`\tilde T(s) = \langle e^{-sT} \rangle` and the survival probability :math:`S(t) = \Pr(T > t)`, a process
that is put back to its start at a constant rate r, or with a sharp period P, has the mean first-passage times
(Reuveni, Phys. Rev. Lett. 116, 170601 (2016); Pal and Reuveni, Phys. Rev. Lett. 118, 030603 (2017))

.. math:: \langle T_r \rangle = \frac{1 - \tilde T(r)}{r \tilde T(r)}, \qquad
          \langle T_P \rangle = \frac{\int_0^P S(t)\, dt}{1 - S(P)}.

Both are worked out from logarithms, hence keep their relative accuracy where the transform or 1 - S(P) underflows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.closed_forms import checks, contour, search
from theory.whole_cycles import into_cycles

FloatArray = NDArray[np.float64]
LOG_MAX = float(np.log(np.finfo(float).max))


class FirstPassageLaw(ABC):
    """Law of a first-passage time, and of its resetting to the start.

    A model gives ``_log_laplace`` (real s >= 0, and complex s off the cut below ``_edge()``), ``_reach``, ``mfpt``
    and ``second_moment``; closed forms of the survival probability replace the inversion where they exist. All
    functions take a number or an array and return the same shape.
    """

    __slots__ = ()

    @abstractmethod
    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        """Logarithm of T~(s), to relative accuracy for real s near 0."""

    @abstractmethod
    def _reach(self) -> float:
        """Distance over sqrt(diffusion): the square is the time scale, T~ -> exp(-reach sqrt(s)) at large s."""

    def _edge(self) -> float:
        """Rightmost singularity of T~, at most 0."""
        return -self.decay_rate()

    def _log_tails(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logarithms of Pr(T <= t) and Pr(T > t) at finite t > 0, one axis."""
        return contour.log_tails(self._log_laplace, t, self._edge(), self._reach())

    def _density(self, t: FloatArray) -> FloatArray:
        """Density at finite t > 0, one axis."""
        return np.exp(contour.log_density(self._log_laplace, t, self._edge(), self._reach()))

    def _restricted_mean(self, t: FloatArray) -> FloatArray:
        """Integral of the survival probability up to finite t > 0, one axis."""
        return contour.restricted_mean(self._log_laplace, t, self._edge(), self._reach(), self.mfpt())

    @abstractmethod
    def mfpt(self) -> float:
        """Mean first-passage time without resetting; infinite where the target can be missed."""

    @abstractmethod
    def second_moment(self) -> float:
        """Mean of T^2 without resetting."""

    def decay_rate(self) -> float:
        """Rate of the quasi-steady state, the limit of the hazard at long times; 0 where there is none."""
        return 0.0

    def cv(self) -> float:
        """Coefficient of variation, standard deviation over mean; infinite where the mean is."""
        mean, second = self.mfpt(), self.second_moment()
        return float(np.sqrt(second / mean**2 - 1)) if np.isfinite(second) else np.inf

    def resetting_helps(self) -> bool:
        """Whether a small resetting rate shortens the mean: CV > 1 (Pal and Reuveni 2017)."""
        return self.cv() > 1

    def log_laplace(self, s: ArrayLike) -> Any:
        """Logarithm of `laplace`, for real ``s`` >= 0."""
        return checks.unpack(self._log_laplace(checks.rates("s", s, allow_zero=True)))

    def laplace(self, s: ArrayLike) -> Any:
        """Laplace transform of the density, the mean of exp(-s T), for real ``s`` >= 0."""
        return np.exp(self.log_laplace(s))

    def survival(self, t: ArrayLike) -> Any:
        """Probability that T > ``t``."""
        return np.exp(self.log_survival(t))

    def log_survival(self, t: ArrayLike) -> Any:
        """Logarithm of `survival`."""
        return self._tail(t, 1)

    def log_cdf(self, t: ArrayLike) -> Any:
        """Logarithm of the probability that T <= ``t``."""
        return self._tail(t, 0)

    def density(self, t: ArrayLike) -> Any:
        """Probability density of T at ``t``."""
        return self._at_times("t", t, self._density, 0.0, 0.0)

    def restricted_mean(self, period: ArrayLike) -> Any:
        """Mean of min(T, ``period``), the integral of the survival probability."""
        return self._at_times("period", period, self._restricted_mean, 0.0, self.mfpt())

    def _tail(self, t: ArrayLike, which: int) -> Any:
        ever = float(self._log_laplace(np.zeros(1))[0])
        limit = (ever, float(contour.log1mexp(np.array(ever))))[which]
        return self._at_times("t", t, lambda x: self._log_tails(x)[which], (-np.inf, 0.0)[which], limit)

    def _at_times(
        self, name: str, values: ArrayLike, function: Any, at_zero: float, at_infinity: float
    ) -> Any:
        array = checks.times(name, values, allow_zero=True)
        result = np.where(array > 0, at_infinity, at_zero)
        inside = (array > 0) & np.isfinite(array)
        if inside.any():
            result[inside] = function(array[inside])
        return checks.unpack(result)

    def mfpt_poisson(self, rate: ArrayLike) -> Any:
        """Mean first-passage time under resetting at a constant ``rate``."""
        rates = checks.rates("rate", rate, allow_zero=False)
        cost = -self._log_laplace(rates)
        with np.errstate(over="ignore"):
            plain = np.expm1(np.minimum(cost, 600.0)) / rates
        value = np.where(cost < 600, plain, exp(np.asarray(self.log_mfpt_poisson(rate))))
        # Where even the cost underflows the rate is as good as 0.
        return checks.unpack(np.where(cost > 0, value, self.mfpt()))

    def log_mfpt_poisson(self, rate: ArrayLike) -> Any:
        """Logarithm of `mfpt_poisson`, finite where that overflows."""
        rates = checks.rates("rate", rate, allow_zero=False)
        cost = -self._log_laplace(rates)
        with np.errstate(divide="ignore"):
            return checks.unpack(cost + np.log(-np.expm1(-cost)) - np.log(rates))

    def mfpt_sharp(self, period: ArrayLike) -> Any:
        """Mean first-passage time under resetting each ``period``; infinite only beyond the largest float."""
        return checks.unpack(exp(np.asarray(self.log_mfpt_sharp(period))))

    def log_mfpt_sharp(self, period: ArrayLike) -> Any:
        """Logarithm of `mfpt_sharp`."""
        checks.times("period", period, allow_zero=False)
        with np.errstate(divide="ignore"):
            return np.log(self.restricted_mean(period)) - self.log_cdf(period)

    def survival_sharp(self, t: ArrayLike, period: float) -> Any:
        """Probability that T > ``t`` under resetting each ``period``: S(P)^n S(t - nP), nP <= t < (n + 1) P."""
        checks.times("period", period, allow_zero=False)
        array = checks.times("t", t, allow_zero=True)
        if np.isinf(period):
            return self.survival(array)
        last = np.isinf(array)
        cycles, rest = into_cycles(np.where(last, 0.0, array), period)
        log_cycle = self.log_survival(period)
        finite = np.where(cycles > 0, cycles, 0.0) * log_cycle + self.log_survival(rest)
        return np.exp(np.where(last, -np.inf if log_cycle < 0 else 0.0, finite))

    def optimal_rate(self) -> float:
        """Resetting rate of least mean first-passage time, to about 1e-9; 0 where resetting never helps."""
        return search.best_rate(self.log_mfpt_poisson, self.mfpt(), self._reach() ** 2)

    def optimal_period(self) -> float:
        """Period of least mean first-passage time, to about 1e-9; infinite where resetting does not help."""
        return search.best_period(self.log_mfpt_sharp, self.mfpt(), self._reach() ** 2)


def exp(log_mean: FloatArray) -> FloatArray:
    """Exponential that is infinite, without a warning, beyond the largest float."""
    return np.where(log_mean < LOG_MAX, np.exp(np.minimum(log_mean, LOG_MAX)), np.inf)
