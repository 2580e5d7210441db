r"""A finite Markov process in continuous time that ends in absorption, and its exact first-passage law.

With the rates between transient states in the generator A (rows sum to minus the rate of absorption a) and
the start p,

    S(t) = p e^{At} 1,   -dS/dt = p e^{At} a,   <T> = p m with -A m = 1,   <T^2> = 2 p m_2 with -A m_2 = m,
    <e^{-sT}> = p (s - A)^{-1} a.

Perturbed by a kernel K on the states (what K throws beyond the target is absorbed at that moment): periodic
with period P, m = M + E K m, where E = e^{AP} and M = int_0^P e^{At} 1 dt; Poisson with rate r, the chain
with generator A + r (K - 1).

Linear solves are free of subtractions (`theory.numerical.elimination`), so means have full relative
accuracy however slow completion is; a mean is infinite where completion is not certain. Units of time are
those of 1 / rates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from theory.numerical import cycles
from theory.numerical.checks import distribution_of, positive, read_only, times_of
from theory.numerical.elimination import Array
from theory.numerical.generator import split_generator, transient_rates
from theory.numerical.kernels import as_kernel
from theory.numerical.quasi_steady import QuasiSteadyMode, slowest_mode
from theory.numerical.solver import ChainSolver

_NOT_PERTURBED = "for the unperturbed process use `mfpt()` or `survival(t)`"


@dataclass(frozen=True, eq=False)
class AbsorbingChain:
    """Transient states with rates between them and into the target.

    Parameters
    ----------
    rates : (n, n) dense or sparse array
        Rates i -> j between transient states; the diagonal is ignored.
    absorption : (n,) array
        Rate from each state into the target. Given by itself, so that a slow one stays exact.
    start : int or (n,) array
        State or distribution at t = 0.
    positions : (n,) array, optional
        Coordinate of each state, for plots and conditions.
    labels : sequence of str, optional
        Names of the states.
    method : {"auto", "spectral", "doubling"}
        How e^{At} is computed: "auto" takes the spectral path (states on a line with detailed balance)
        where its error is below 1e-10, else doubling.

    Raises
    ------
    ValueError
        If rates are negative or not finite, or shapes do not fit.

    Examples
    --------
    Two states in a row, each left at rate 2:

    >>> chain = AbsorbingChain([[0, 2], [0, 0]], [0, 2], start=0)
    >>> chain.mfpt(), round(chain.cv() ** 2, 12)
    (1.0, 0.5)
    >>> chain.mfpt_poisson(1.0, [[1, 0], [1, 0]])
    1.25
    """

    rates: Any = field(repr=False)
    absorption: Array = field(repr=False)
    start: Any = field(repr=False)
    positions: Any = field(default=None, repr=False)
    labels: tuple[str, ...] | None = None
    method: Literal["auto", "spectral", "doubling"] = field(default="auto", kw_only=True)

    def __post_init__(self) -> None:
        rates, absorption = transient_rates(self.rates, self.absorption)
        states = absorption.size
        for name in ("positions", "labels"):
            given = getattr(self, name)
            if given is not None and len(given) != states:
                raise ValueError(f"`{name}` must have one entry per state ({states}), got {len(given)}")
        if self.method not in ("auto", "spectral", "doubling"):
            raise ValueError(f"`method` must be 'auto', 'spectral' or 'doubling', got {self.method!r}")
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "absorption", absorption)
        object.__setattr__(self, "start", read_only(distribution_of(self.start, states)))
        if self.positions is not None:
            object.__setattr__(self, "positions", read_only(self.positions))
        if self.labels is not None:
            object.__setattr__(self, "labels", tuple(self.labels))

    @classmethod
    def from_generator(cls, generator: Any, start: Any, **kwargs: Any) -> AbsorbingChain:
        """Take a sub-generator, (n, n): what a row lacks to zero is the rate of absorption.

        Deficits below 1e-12 of the diagonal count as rounding; for slower absorption give it by itself.

        Examples
        --------
        >>> AbsorbingChain.from_generator([[-2.0, 2.0], [0.0, -2.0]], start=0).mfpt()
        1.0
        """
        return cls(*split_generator(generator), start, **kwargs)

    def __len__(self) -> int:
        return int(self.absorption.size)

    @cached_property
    def solver(self) -> ChainSolver:
        """The linear algebra of this chain."""
        return ChainSolver(self.rates, self.absorption, self.method)

    def occupation(self) -> Array:
        """Mean time spent in each state, (n,); its sum is the mean first-passage time."""
        return self.solver.elimination.solve_left(self.start)

    def mean_times(self) -> Array:
        """Mean first-passage time from each state, (n,); infinite where completion is not certain."""
        return np.where(self.solver.uncertain, np.inf, self.solver.elimination.solve(np.ones(len(self))))

    def average(self, values: Array) -> float:
        """Mean of ``values`` over the start; states of weight zero do not count, not even infinite ones."""
        held = self.start > 0
        return float(self.start[held] @ values[held])

    def mfpt(self) -> float:
        """Mean first-passage time; infinite where completion is not certain."""
        return self.average(self.mean_times())

    def second_moment(self) -> float:
        """<T^2>, time squared; infinite where completion is not certain."""
        means = np.where(self.solver.uncertain, 0.0, self.mean_times())
        return self.average(np.where(self.solver.uncertain, np.inf, 2 * self.solver.elimination.solve(means)))

    def cv(self) -> float:
        """Coefficient of variation, standard deviation over mean; NaN where the mean is infinite."""
        mean = self.mfpt()
        return float(np.sqrt(self.second_moment() / mean**2 - 1)) if np.isfinite(mean) else float("nan")

    def laplace(self, s: Any) -> Array:
        """<e^{-sT}> for s >= 0 (1 / time), of the shape of ``s``; at 0 the probability to complete."""
        given = times_of(s, "s")
        values = []
        for rate in given.ravel():
            kill = np.where(self.solver.lost, 1.0, self.absorption) if rate == 0 else self.absorption + rate
            values.append(float(self.start @ self.solver.eliminate(kill).solve(self.absorption)))
        return np.reshape(values, given.shape)[()]

    def _occupied(self, t: Any) -> tuple[Array, tuple[int, ...]]:
        times = times_of(t)
        if not times.size:
            return np.empty((0, len(self))), times.shape
        return self.solver.propagator(self.start).evolve(self.start, times.ravel()), times.shape

    def survival(self, t: Any) -> Array:
        """S(t) = Pr(T > t), of the shape of ``t``; absolute error about 1e-10 or below."""
        occupied, shape = self._occupied(t)
        alive: Array = np.minimum(occupied.sum(axis=1), 1.0).reshape(shape)[()]
        return alive

    def density(self, t: Any) -> Array:
        """Density of T, 1 / time, of the shape of ``t``."""
        occupied, shape = self._occupied(t)
        return (occupied @ self.absorption).reshape(shape)[()]

    def state(self, t: Any) -> Array:
        """Distribution over the states given survival up to t, shape of ``t`` + (n,); NaN if none is left."""
        occupied, shape = self._occupied(t)
        with np.errstate(invalid="ignore"):
            conditional: Array = (occupied / occupied.sum(axis=1, keepdims=True)).reshape(*shape, len(self))
            return conditional

    def quasi_steady_state(self) -> QuasiSteadyMode:
        """Slowest mode: the law of the state after long survival, its rate, and the relaxation time to it."""
        if self.average(self.solver.uncertain.astype(float)) > 0:
            raise ValueError(
                "`start` must lead to completion with certainty for a quasi-steady state, but some of it can "
                "end in states that do not reach the target; remove these states or add rates out of them"
            )
        return slowest_mode(self)

    def perturbed(self, rate: float, K: Any) -> AbsorbingChain:
        """The chain that is perturbed by ``K`` at Poisson ``rate``: generator A + rate (K - 1)."""
        rate = positive("rate", rate, _NOT_PERTURBED, zero=True)
        kernel = as_kernel(K, len(self))
        if rate == 0:
            return self
        rates, absorption = self.solver.dense + rate * kernel.matrix, self.absorption + rate * kernel.absorbed
        return replace(self, rates=rates, absorption=absorption)

    def mfpt_poisson(self, rate: float, K: Any) -> float:
        """<T_r> at Poisson ``rate`` (1 / time, zero for none): (r - A - r K) m = 1."""
        return self.perturbed(rate, K).mfpt()

    def survival_poisson(self, t: Any, rate: float, K: Any) -> Array:
        """Pr(T_r > t) at Poisson ``rate``, of the shape of ``t``."""
        return self.perturbed(rate, K).survival(t)

    def mfpt_periodic(self, period: float, K: Any) -> float:
        """<T_P> with ``K`` applied at P, 2 P, ...; an infinite period is none."""
        period = positive("period", period, _NOT_PERTURBED, infinite=True)
        kernel = as_kernel(K, len(self))
        if np.isinf(period):
            return self.mfpt()
        return self.average(cycles.cycle_means(self, *cycles.sharp(period), kernel))

    def mfpt_renewal(self, law: Any, K: Any) -> float:
        """<T_R> with independent intervals of a frozen scipy ``law``, by quadrature over it."""
        kernel = as_kernel(K, len(self))
        return self.average(cycles.cycle_means(self, *cycles.interval_nodes(law), kernel))

    def survival_periodic(self, t: Any, period: float, K: Any) -> Array:
        """Pr(T_P > t) under ``period``, of the shape of ``t``; at multiples of it after the perturbation."""
        period = positive("period", period, _NOT_PERTURBED)
        times = times_of(t)
        kernel = as_kernel(K, len(self))
        return cycles.periodic_survival(self, times.ravel(), period, kernel).reshape(times.shape)[()]

    def mfpt_once(self, time: float, K: Any, *, then: AbsorbingChain | None = None) -> float:
        """<T> with one perturbation at ``time``; the process then goes on unperturbed (or as ``then``)."""
        time = positive("time", time, _NOT_PERTURBED, zero=True)
        return cycles.mean_once(self, time, self._residual(K, then))

    def tau(self, period: float, K: Any) -> float:
        """Mean residual time after the first perturbation, given survival, later ones at the same period."""
        period = positive("period", period, _NOT_PERTURBED)
        kernel = as_kernel(K, len(self))
        before = cycles.state_before(self, period)
        means = cycles.cycle_means(self, *cycles.sharp(period), kernel)
        return cycles.weighted(before, cycles.after(kernel, means))

    def tau_linear(self, K: Any) -> float:
        r"""Mean residual time of one rare perturbation with no later one.

        A perturbation at a small rate strikes at a time spread evenly over the passage, so the residual K m
        is weighted with the mean time spent in each state, and d<T_r>/dr at 0 is <T> tau - <T^2>/2 exactly
        (arXiv:2410.16129 for a residual that depends on the state).
        """
        mean = self.mfpt()
        if np.isinf(mean):
            raise ValueError(
                "`tau_linear` needs a finite unperturbed mean, got an infinite one; use `tau(period, K)`"
            )
        return cycles.weighted(self.occupation(), self._residual(K, None)) / mean

    def _residual(self, K: Any, then: AbsorbingChain | None) -> Array:
        """Mean time still to go right after one perturbation, from each state before it."""
        return cycles.after(as_kernel(K, len(self)), (self if then is None else then).mean_times())
