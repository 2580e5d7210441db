r"""A linear potential that a perturbation switches, for good, to a logarithmic one.

Before the switch the drift is -v (``slope``), and the passage to 0 is that of `Brownian`. After it the drift is
-k/x (``strength`` k), a Bessel process, for which :math:`D \tau'' - (k/x) \tau' = -1` gives the mean residual time

.. math:: \tau(x) = \frac{x^2}{2 (k - D)}, \qquad
          \Pr(T > t) = P\left(\tfrac{1}{2} + \tfrac{k}{2D}, \tfrac{x^2}{4Dt}\right)

with the regularised incomplete gamma function P (Bray, Phys. Rev. E 62, 103 (2000)). The density before the
switch is the Gaussian less its image of weight exp(v x0 / D) (Redner 2001, section 3.2). For the mean x0 - vt and
the variance 2Dt of the Gaussian, and -x0 - vt of the image, its second moment is

.. math:: \langle x^2; T > t \rangle = m(x_0 - vt) - e^{v x_0/D} m(-x_0 - vt), \qquad
          m(u) = \int_0^\infty \frac{x^2 e^{-(x - u)^2 / 4Dt}}{\sqrt{4 \pi D t}} dx.

Multiplying its equation by 1, x and x^2 gives the transforms. With :math:`\beta = 2/(v + \sqrt{v^2 + 4Dr})` and
c = r beta x0, free of cancellation at small r,

.. math:: \int_0^\infty e^{-rt} \langle x^2; T > t \rangle dt = x_0^3 \beta \chi(c) + 2 D x_0^2 \beta^2 \psi(c) +
          2 D^2 x_0 \beta^3 \frac{1 - e^{-c}}{c}, \quad \psi = \frac{c - 1 + e^{-c}}{c^2}, \quad
          \chi = \frac{c^2 - 2c + 2 - 2 e^{-c}}{c^3}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from theory.closed_forms import checks, search
from theory.closed_forms.base import FirstPassageLaw, FloatArray
from theory.closed_forms.brownian import Brownian

NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)
# Standard deviations beyond which the Gaussian is left out.
BREADTH = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearLogarithmic(FirstPassageLaw):
    """Diffusion from ``start`` > 0 to the target at 0, drift -slope, and -strength / x after the switch.

    In contrast to the other laws, the perturbation is the switch, not a return to the start: ``mfpt_poisson``,
    ``mfpt_sharp``, their logarithms, ``survival_sharp``, ``resetting_helps`` and the best rate and period are about
    the first, and only effective, switch. All else is the unperturbed passage.

    Attributes
    ----------
    slope : float
        Velocity towards the target before the switch; the mean passage time is finite for a positive one.
    strength : float
        Strength k of the drift after the switch, length squared over time; above ``diffusion``, so that the mean
        residual time is finite.
    diffusion : float
        Diffusion coefficient D, length squared over time.
    start : float
        Distance from the target.

    Examples
    --------
    >>> law = LinearLogarithmic(slope=1.0, strength=2.0, diffusion=0.5, start=1.0)
    >>> law.mfpt(), round(float(law.residual(1.0)), 6), round(float(law.mfpt_once(0.4)), 6)
    (1.0, 0.333333, 0.603036)
    >>> round(law.mean_residual(), 6), round(law.linear_response(), 6)
    (0.444444, -0.555556)
    """

    target: ClassVar[float] = 0.0

    slope: float = 1.0
    strength: float = 2.0
    diffusion: float = 1.0
    start: float = 1.0

    def __post_init__(self) -> None:
        checks.finite("slope", self.slope)
        for name in ("strength", "diffusion", "start"):
            checks.positive(name, getattr(self, name))
        if self.strength <= self.diffusion:
            raise ValueError(
                f"`strength` must be above `diffusion` = {self.diffusion!r} for a finite mean after the switch, "
                f"got {self.strength!r}; raise it or lower `diffusion`"
            )

    def _before(self) -> Brownian:
        """Law without the switch."""
        return Brownian(drift=-self.slope, diffusion=self.diffusion, start=self.start, target=0.0)

    def _reach(self) -> float:
        return self._before()._reach()

    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        return self._before()._log_laplace(s)

    def _log_tails(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._before()._log_tails(t)

    def _density(self, t: FloatArray) -> FloatArray:
        return self._before()._density(t)

    def mfpt(self) -> float:
        """Mean first-passage time without the switch, start / slope; infinite without a positive slope."""
        return self._before().mfpt()

    def second_moment(self) -> float:
        """Mean of T^2 without the switch."""
        return self._before().second_moment()

    def decay_rate(self) -> float:
        """Limit of the hazard without the switch."""
        return self._before().decay_rate()

    def residual(self, x: ArrayLike) -> Any:
        """Mean time from a switch at ``x`` >= 0 to the target, x^2 / 2(k - D)."""
        array = checks.times("x", x, allow_zero=True)
        return checks.unpack(array**2 / (2 * (self.strength - self.diffusion)))

    def squared_position(self, t: ArrayLike) -> Any:
        """Mean of x(t)^2 over the runs on their way at ``t``, zero for the others; no switch."""
        return self._at_times("t", t, self._squared_position, self.start**2, 0.0)

    def _squared_position(self, t: FloatArray) -> FloatArray:
        width = np.sqrt(2 * self.diffusion * t)
        low, high = (self.slope * t - self.start) / width, (self.slope * t + self.start) / width
        right, left = np.maximum(low, 0.0), np.minimum(low, 0.0)
        # With Mills' ratio R both Gaussians are the density at `low` times (h^2 + 1) R(h) - h.
        scale = np.exp(-(low**2) / 2) / np.sqrt(2 * np.pi)
        image = special.log_ndtr(-high) + self.slope * self.start / self.diffusion
        near = (low**2 + 1) * special.ndtr(-left) - (high**2 + 1) * np.exp(image) + (high - low) * scale
        far = scale * (excess(right) - excess(np.maximum(high, 0.0)))
        squared: FloatArray = np.maximum(width**2 * np.where(low > 0, far, near), 0.0)
        return squared

    def _transformed(self, rate: FloatArray) -> FloatArray:
        """Integral of exp(-rate t) times `squared_position`."""
        v, d, x = self.slope, self.diffusion, self.start
        root = np.sqrt(v**2 + 4 * d * rate)
        beta = 2 / (v + root) if v > 0 else (root - v) / (2 * d * rate)
        c = rate * beta * x
        result: FloatArray = (
            beta * x * (x**2 * chi(c) + 2 * d * x * beta * psi(c) + 2 * d**2 * beta**2 * special.exprel(-c))
        )
        return result

    def mfpt_once(self, time: ArrayLike) -> Any:
        """Mean first-passage time with the switch at ``time``: the mean up to it and the mean residual."""
        checks.times("time", time, allow_zero=True)
        before = np.asarray(self.restricted_mean(time))
        residual = np.asarray(self.squared_position(time)) / (2 * (self.strength - self.diffusion))
        return checks.unpack(before + residual)

    def mfpt_sharp(self, period: ArrayLike) -> Any:
        """Mean first-passage time with switches each ``period``, of which the first is final; `mfpt_once`."""
        return self.mfpt_once(checks.times("period", period, allow_zero=False))

    def log_mfpt_sharp(self, period: ArrayLike) -> Any:
        """Logarithm of `mfpt_sharp`."""
        return np.log(self.mfpt_sharp(period))

    def mfpt_poisson(self, rate: ArrayLike) -> Any:
        """Mean first-passage time with the switch at a constant ``rate``, not resetting."""
        rates = checks.times("rate", rate, allow_zero=False)
        at_once = float(self.residual(self.start))
        finite = np.where(np.isfinite(rates), rates, 1.0)
        before = -np.expm1(self._log_laplace(finite)) / finite
        after = finite * self._transformed(finite) / (2 * (self.strength - self.diffusion))
        return checks.unpack(np.where(np.isfinite(rates), before + after, at_once))

    def log_mfpt_poisson(self, rate: ArrayLike) -> Any:
        """Logarithm of `mfpt_poisson`."""
        return np.log(self.mfpt_poisson(rate))

    def mean_residual(self) -> float:
        """Residual time averaged over all times and runs on their way; infinite without a positive slope.

        Equal to (x0^2/3 + D x0/v + 2 D^2/v^2) / 2(k - D), the integral of `squared_position` over that of S.
        """
        if self.slope <= 0:
            return np.inf
        length = self.diffusion / self.slope
        mean_square = self.start**2 / 3 + length * self.start + 2 * length**2
        return mean_square / (2 * (self.strength - self.diffusion))

    def linear_response(self) -> float:
        """Slope of `mfpt_poisson` at rate 0: mean * mean_residual - second_moment / 2.

        Raises
        ------
        ValueError
            If the mean first-passage time without the switch is infinite.
        """
        if self.slope <= 0:
            raise ValueError(
                f"`slope` must be positive for a linear response, got {self.slope!r}, with which the mean is infinite; "
                "use `mfpt_poisson` at a rate above zero"
            )
        return self.mfpt() * self.mean_residual() - self.second_moment() / 2

    def resetting_helps(self) -> bool:
        """Whether a small rate of the switch shortens the mean."""
        return self.slope <= 0 or self.linear_response() < 0

    def survival_sharp(self, t: ArrayLike, period: float) -> Any:
        """Probability that T > ``t`` with the switch at ``period``, to about 1e-9, by quadrature over x."""
        checks.times("period", period, allow_zero=False)
        array = checks.times("t", t, allow_zero=True)
        later = array > period
        # Squares put more nodes near the target, where the residual time is short.
        width = float(np.sqrt(2 * self.diffusion * min(period, 1e300)))
        middle = self.start - self.slope * period if later.any() else 0.0
        begin = max(middle - BREADTH * width, 0.0)
        end = max(middle, 0.0) + BREADTH * width if later.any() else begin + 1.0
        u = (NODES + 1) / 2
        x, weights = begin + (end - begin) * u**2, (end - begin) * u * WEIGHTS
        straight = (x - self.start + self.slope * period) / width
        density = np.exp(-(straight**2) / 2) / (np.sqrt(2 * np.pi) * width)
        density = density * -np.expm1(-x * (self.start / (self.diffusion * period)))
        scaled = x**2 / (4 * self.diffusion * np.where(later, array - period, 1.0)[..., None])
        remaining = special.gammainc((1 + self.strength / self.diffusion) / 2, scaled) @ (density * weights)
        return checks.unpack(np.where(later, remaining, self.survival(np.minimum(array, period))))

    def optimal_rate(self) -> float:
        """Rate of the switch of least mean first-passage time; infinite for at once, 0 for never."""
        rate = search.best_rate(self.log_mfpt_poisson, self.mfpt(), self._reach() ** 2)
        value = float(self.mfpt_poisson(rate)) if rate > 0 else self.mfpt()
        return np.inf if self.residual(self.start) <= value else rate

    def optimal_period(self) -> float:
        """Time of the switch of least mean first-passage time; 0 for at once, infinite for never."""
        time = search.best_period(self.log_mfpt_sharp, self.mfpt(), self._reach() ** 2)
        value = float(self.mfpt_once(time)) if np.isfinite(time) else self.mfpt()
        return 0.0 if self.residual(self.start) <= value else time


def excess(h: FloatArray) -> FloatArray:
    """(h^2 + 1) R(h) - h with Mills' ratio R, about 2/h^3 at large h."""
    ratio = np.sqrt(np.pi / 2) * special.erfcx(np.minimum(h, 30.0) / np.sqrt(2))
    large = 1 / np.maximum(h, 30.0) ** 2
    series = 2 * large**1.5 * (1 - large * (6 - large * (45 - large * 420)))
    return np.where(h < 30, (h**2 + 1) * ratio - h, series)


def psi(c: FloatArray) -> FloatArray:
    """(c - 1 + exp(-c)) / c^2, with its power series at small c."""
    large = np.maximum(c, 1.0)
    return np.where(c < 1, powers(np.minimum(c, 1.0), 2), (large + np.expm1(-large)) / large**2)


def chi(c: FloatArray) -> FloatArray:
    """(c^2 - 2c + 2 - 2 exp(-c)) / c^3, with its power series at small c."""
    large = np.maximum(c, 1.0)
    direct = (1 - 2 * (large + np.expm1(-large)) / large**2) / large
    return np.where(c < 1, 2 * powers(np.minimum(c, 1.0), 3), direct)


def powers(c: FloatArray, first: int) -> FloatArray:
    """Sum of (-c)^k / (k + first)! over k."""
    terms = np.arange(20)
    result: FloatArray = ((-np.asarray(c)[..., None]) ** terms / special.factorial(terms + first)).sum(
        axis=-1
    )
    return result
