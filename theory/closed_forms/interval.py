r"""Diffusion between a reflecting wall and the target: the simplest law with a quasi-steady state.

With the width l of the interval, the distance x from wall to start and d = l - x from start to target (Redner, A
Guide to First-Passage Processes, 2001, section 2.2)

.. math:: \tilde T(s) = \frac{\cosh x \sqrt{s/D}}{\cosh l \sqrt{s/D}}, \qquad
          S(t) = \sum_{n \ge 0} \frac{2}{k_n l} \sin(k_n d)\, e^{-D k_n^2 t}, \qquad k_n = (n + 1/2) \pi / l,

which converges fast at long times; at short times the images of the start do,

.. math:: \Pr(T \le t) = \sum_{n \ge 0} (-1)^n \left[ \mathrm{erfc} \frac{2nl + d}{\sqrt{4Dt}} +
          \mathrm{erfc} \frac{(2n + 2) l - d}{\sqrt{4Dt}} \right].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theory.closed_forms import checks
from theory.closed_forms.base import FirstPassageLaw, FloatArray
from theory.closed_forms.brownian import log_erfc
from theory.closed_forms.contour import log1mexp

# D t / l^2 at which the two series need about as many terms, and terms that leave out less than 1e-17 there.
CHANGE = 0.25
TERMS = np.arange(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(FirstPassageLaw):
    """Diffusion, dx = sqrt(2 diffusion) dW, between a reflecting ``wall`` and the ``target``.

    Attributes
    ----------
    diffusion : float
        Diffusion coefficient D, length squared over time.
    start, target, wall : float
        Positions; the target may lie on either side of the wall, the start between them or at the wall.

    Examples
    --------
    >>> law = Interval(diffusion=1.0, start=0.0, target=1.0)
    >>> law.mfpt(), round(law.decay_rate(), 4), round(float(law.survival(1.0)), 4)
    (0.5, 2.4674, 0.108)
    >>> law.resetting_helps(), Interval(start=0.8).resetting_helps()
    (False, True)
    """

    diffusion: float = 1.0
    start: float = 0.0
    target: float = 1.0
    wall: float = 0.0

    def __post_init__(self) -> None:
        for name in ("start", "target", "wall"):
            checks.finite(name, getattr(self, name))
        checks.positive("diffusion", self.diffusion)
        checks.apart(self.start, self.target)
        if self.target == self.wall:
            raise ValueError(
                f"`target` must differ from `wall`, got {self.wall!r} for both; move one of them"
            )
        if not min(self.wall, self.target) <= self.start <= max(self.wall, self.target):
            raise ValueError(
                f"`start` must lie between `wall` and `target`, got {self.start!r} outside "
                f"{self.wall!r} to {self.target!r}; move it, or move the target to its side of the wall"
            )

    def _geometry(self) -> tuple[float, float, float]:
        """Width, and the distances of the start from the wall and from the target."""
        return abs(self.target - self.wall), abs(self.start - self.wall), abs(self.target - self.start)

    def _reach(self) -> float:
        return self._geometry()[2] / float(np.sqrt(self.diffusion))

    def _log_laplace(self, s: NDArray[Any]) -> NDArray[Any]:
        width, from_wall, gap = self._geometry()
        q = np.sqrt(s) / np.sqrt(self.diffusion)
        # 1 - T~ as a product of positive factors, for the relative accuracy at small s.
        missing = -np.expm1(-q * (width + from_wall)) * -np.expm1(-q * gap) / (1 + np.exp(-2 * q * width))
        far = -q * gap + np.log1p(np.exp(-2 * q * from_wall)) - np.log1p(np.exp(-2 * q * width))
        result: NDArray[Any] = np.where(np.abs(missing) < 0.5, special.log1p(-missing), far)
        return result

    def _log_tails(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        width, _, gap = self._geometry()
        early = t < CHANGE * width**2 / self.diffusion
        log_cdf, log_survival = np.empty_like(t), np.empty_like(t)
        # Each image as its ratio to the first, so that the logarithm stays finite.
        root = np.sqrt(4 * self.diffusion) * np.sqrt(t[early, None])
        first = log_erfc(gap / root)
        near, far = 2 * TERMS * width + gap, (2 * TERMS + 2) * width - gap
        ratio = np.exp(log_erfc(near / root) - first) + np.exp(log_erfc(far / root) - first)
        log_cdf[early] = first[:, 0] + np.log(ratio @ (-1.0) ** TERMS)
        behind = (special.erfc(far / root) - special.erfc((far + 2 * gap) / root)) @ (-1.0) ** TERMS
        log_survival[early] = np.log(special.erf(gap / root[:, 0]) - behind)
        log_survival[~early] = self._modes(t[~early], 0)
        log_cdf[~early] = log1mexp(log_survival[~early])
        return log_cdf, log_survival

    def _modes(self, t: FloatArray, order: int) -> FloatArray:
        """Logarithm of the sum over modes of (decay rate)^order times their parts of the survival probability."""
        width, _, gap = self._geometry()
        k = (TERMS + 0.5) * np.pi / width
        weights = 2 * np.sin(k * gap) / (k * width) * (self.diffusion * k**2) ** order
        decay = np.exp(-self.diffusion * (k**2 - k[0] ** 2) * t[:, None])
        result: FloatArray = np.log(decay @ weights) - self.decay_rate() * t
        return result

    def _density(self, t: FloatArray) -> FloatArray:
        width, _, gap = self._geometry()
        early = t < CHANGE * width**2 / self.diffusion
        density = np.empty_like(t)
        root = np.sqrt(4 * self.diffusion) * np.sqrt(t[early, None])
        near, far = (2 * TERMS * width + gap) / root, ((2 * TERMS + 2) * width - gap) / root
        images = (near * np.exp(-(near**2)) + far * np.exp(-(far**2))) @ (-1.0) ** TERMS
        density[early] = images / (np.sqrt(np.pi) * t[early])
        density[~early] = np.exp(self._modes(t[~early], 1))
        return density

    def mfpt(self) -> float:
        """Mean first-passage time, (l^2 - x^2) / 2D."""
        width, from_wall, gap = self._geometry()
        return gap * (width + from_wall) / (2 * self.diffusion)

    def second_moment(self) -> float:
        """Mean of T^2, mean^2 + (l^4 - x^4) / 6D^2."""
        width, from_wall, _ = self._geometry()
        return self.mfpt() ** 2 + self.mfpt() * (width**2 + from_wall**2) / (3 * self.diffusion)

    def decay_rate(self) -> float:
        """Rate of the quasi-steady state, D (pi / 2l)^2."""
        return self.diffusion * (np.pi / (2 * self._geometry()[0])) ** 2
