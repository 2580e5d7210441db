"""Continuous-time random walk with power-law waiting times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stochreset.kernels.compiling import inlined
from stochreset.kernels.registering import register
from stochreset.kernels.streams import uniform
from stochreset.processes.base import Method, Process
from theory.closed_forms import checks

SLACK = 1e-9
"""A hop that falls short of the target by this part of a step has reached it: positions are rounded."""
HEAVIEST = 0.1


class WaitingWalk(NamedTuple):
    """Hops of ``step`` to either side after Pareto waiting times; aux is what is left of the present one."""

    exponent: float
    time_unit: float
    step: float
    start: float
    target: float
    sign: float


@inlined
def _wait(process, stream):
    return process.time_unit * uniform(stream) ** (-1.0 / process.exponent)


@inlined
def _begin(process, stream):
    return process.start, _wait(process, stream)


@inlined
def _renew(process, x, aux, stream):
    return x, _wait(process, stream)


@inlined
def _beyond(process, x):
    return process.sign * (process.target - x) <= SLACK * process.step


@inlined
def _advance(process, x, aux, limit, forget, stream):
    gap = math.ceil(process.sign * (process.target - x) / process.step - SLACK)
    moved, elapsed = np.int64(0), 0.0
    while not stream.stop[0]:
        if aux > limit - elapsed:
            aux -= limit - elapsed
            break
        elapsed += aux
        stream.steps[0] += 1
        moved += 1 if uniform(stream) < 0.5 else -1
        aux = _wait(process, stream)
        if moved >= gap:
            return elapsed, x + process.sign * process.step * moved, aux, True
    return limit, x + process.sign * process.step * moved, aux, False


register(WaitingWalk, begin=_begin, renew=_renew, beyond=_beyond, advance=_advance)


@dataclass(frozen=True, slots=True, kw_only=True)
class CTRW(Process):
    r"""Continuous-time random walk: hops of one ``step`` to either side after power-law waiting times.

    The waiting times have the Pareto density :math:`\psi(t) = (a / t_0) (t / t_0)^{-1-a}` for t > t_0, of
    infinite mean for an exponent a <= 1: subdiffusion (Montroll and Weiss, J. Math. Phys. 6, 167 (1965)). A
    perturbation begins a new waiting time. With the number d of steps to the target

    .. math:: \tilde T(s) = \left[ \frac{1 - \sqrt{1 - \tilde\psi(s)^2}}{\tilde\psi(s)} \right]^d, \qquad
              \langle T_r \rangle = \frac{1 - \tilde T(r)}{r \tilde T(r)}.

    Without perturbation every run arrives, but the mean is infinite for any exponent; without a ``horizon``
    the longest runs take very long.

    Attributes
    ----------
    exponent : float
        Exponent a of the waiting times, from 0.1 on.
    time_unit : float
        Shortest waiting time t_0.
    step : float
        Length of a hop.
    start, target : float
        Positions; the target may lie on either side, and is reached where a hop leads to it or beyond.

    Examples
    --------
    >>> walk = CTRW(exponent=0.5, time_unit=1.0, step=1.0, target=3.0)
    >>> round(float(walk.mfpt_poisson(0.1)), 3)
    392.321
    """

    one_by_one: ClassVar[bool] = True

    exponent: float = 0.5
    time_unit: float = 1.0
    step: float = 1.0
    start: float = 0.0
    target: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("exponent", self.exponent)
        if self.exponent < HEAVIEST:
            raise ValueError(
                f"`exponent` must be at least {HEAVIEST}, got {self.exponent!r}; the waiting times of smaller ones "
                "do not fit into floating-point numbers"
            )
        checks.positive("time_unit", self.time_unit)
        checks.positive("step", self.step)
        checks.finite("start", self.start)
        checks.finite("target", self.target)
        checks.apart(self.start, self.target)

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact",)

    def exact_parameters(self) -> WaitingWalk:
        """Return the parameters for the event-driven kernel."""
        sign = math.copysign(1.0, self.target - self.start)
        law = float(self.exponent), float(self.time_unit), float(self.step)
        return WaitingWalk(*law, float(self.start), float(self.target), sign)

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite: never."""
        return False

    def reach(self, time: float) -> float:
        """Farthest that a run can get towards the target within ``time``: each hop takes longer than the unit."""
        return float(self.step * max(np.ceil(time / self.time_unit) - 1, 0.0))

    @property
    def hops(self) -> int:
        """Steps from the start to the target."""
        return math.ceil(abs(self.target - self.start) / self.step - SLACK)

    def mfpt(self) -> float:
        """Mean first-passage time without perturbation: infinite, as that of any symmetric walk."""
        return math.inf

    def log_laplace(self, s: ArrayLike) -> Any:
        """Logarithm of `laplace`, for real ``s`` >= 0."""
        rates = checks.times("s", s, allow_zero=True)
        waits = [_log_transform(self.exponent, float(x) * self.time_unit) for x in rates.flat]
        log_psi = np.reshape(waits, rates.shape)
        missing = -np.expm1(log_psi)
        # (1 - sqrt(1 - psi^2)) / psi without a difference, and 1 - psi^2 = missing (2 - missing).
        return checks.unpack(self.hops * (log_psi - np.log1p(np.sqrt(missing * (2 - missing)))))

    def laplace(self, s: ArrayLike) -> Any:
        """Laplace transform of the density, the mean of exp(-s T), for real ``s`` >= 0."""
        return np.exp(self.log_laplace(s))

    def mfpt_poisson(self, rate: ArrayLike) -> Any:
        """Mean first-passage time under resets to the start at a constant ``rate``."""
        rates = checks.times("rate", rate, allow_zero=False)
        return checks.unpack(np.expm1(-self.log_laplace(rates)) / rates)


def _log_transform(exponent: float, s: float) -> float:
    """Logarithm of the transform of the waiting time in units of its shortest, u^(-1/a) with u uniform."""
    from scipy import integrate

    if s > 1:
        rest = integrate.quad(lambda u: math.exp(-s * (u ** (-1 / exponent) - 1)), 0, 1, epsabs=0, limit=200)
        return math.log(rest[0]) - s
    # From 1 minus the transform, which keeps its relative accuracy where that is small.
    missing = integrate.quad(lambda u: -math.expm1(-s * u ** (-1 / exponent)), 0, 1, epsabs=0, limit=200)
    return math.log1p(-missing[0])
