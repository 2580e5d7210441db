"""Lévy flights: a random walk in discrete time with jumps of a stable law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from stochreset.kernels.compiling import inlined
from stochreset.kernels.normals import normal
from stochreset.kernels.registering import register
from stochreset.kernels.streams import exponential, uniform
from stochreset.processes.base import Method, Process
from theory.closed_forms import checks

FOREVER = 2.0**62
HEAVIEST = 0.1


class StableJumps(NamedTuple):
    """Jumps x -> x + scale * (symmetric stable number of index alpha) up to a target."""

    alpha: float
    scale: float
    start: float
    target: float
    sign: float


@inlined
def _jump(process, stream):
    """Symmetric stable number (Chambers, Mallows and Stuck, J. Am. Stat. Assoc. 71, 340 (1976))."""
    alpha = process.alpha
    if alpha == 2.0:
        return math.sqrt(2.0) * normal(stream)
    angle = math.pi * (uniform(stream) - 0.5)
    if alpha == 1.0:
        return math.tan(angle)
    log_ratio = math.log(math.cos((1.0 - alpha) * angle) / exponential(stream))
    return math.sin(alpha * angle) * math.exp(((1.0 - alpha) * log_ratio - math.log(math.cos(angle))) / alpha)


@inlined
def _advance(process, x, aux, limit, forget, stream):
    steps, done = np.int64(min(limit, FOREVER)), np.int64(0)
    arrived = False
    while done < steps and not arrived and not stream.stop[0]:
        x += process.scale * _jump(process, stream)
        done += 1
        arrived = process.sign * (process.target - x) <= 0.0
    stream.steps[0] += done
    return float(done) if arrived else limit, x, aux, arrived


register(StableJumps, advance=_advance)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevyFlight(Process):
    r"""Symmetric Lévy flight: each unit of time a jump with :math:`\langle e^{ikx} \rangle = e^{-|ck|^\alpha}`.

    A run arrives with the jump that lands on the target or beyond it; jumps over the target count. For any
    index its survival from next to the target is that of Sparre Andersen, :math:`\binom{2n}{n} / 4^n` after n
    jumps, so that without perturbation every run arrives but the mean is infinite, and without a ``horizon``
    the longest runs take very long.

    Attributes
    ----------
    alpha : float
        Stability index: 2 for Gaussian jumps (of standard deviation sqrt(2) ``scale``), 1 for Cauchy jumps,
        at least 0.1.
    scale : float
        Scale c of the jumps, a length.
    start, target : float
        Positions; the target may lie on either side.

    Examples
    --------
    >>> LevyFlight(alpha=1.5, scale=1.0, target=10.0).finite_mean
    False
    """

    whole_steps: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = True

    alpha: float = 1.5
    scale: float = 1.0
    start: float = 0.0
    target: float = 1.0

    def __post_init__(self) -> None:
        checks.finite("alpha", self.alpha)
        if not 0 < self.alpha <= 2:
            raise ValueError(
                f"`alpha` must be a stability index above 0 and at most 2 (Gaussian), got {self.alpha!r}"
            )
        if self.alpha < HEAVIEST:
            raise ValueError(
                f"`alpha` must be at least {HEAVIEST}, got {self.alpha!r}; the jumps of smaller indices do not fit "
                "into floating-point numbers"
            )
        checks.positive("scale", self.scale)
        checks.finite("start", self.start)
        checks.finite("target", self.target)
        checks.apart(self.start, self.target)

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact",)

    def exact_parameters(self) -> StableJumps:
        """Return the parameters for the event-driven kernel."""
        sign = math.copysign(1.0, self.target - self.start)
        return StableJumps(float(self.alpha), float(self.scale), float(self.start), float(self.target), sign)

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite: never."""
        return False

    def mfpt(self) -> float:
        """Mean first-passage time without perturbation: infinite, as that of any symmetric walk."""
        return math.inf
