r"""Predictions from one measured period beside the exact answer.

From the exact law of a chain at one period P* (no sampling error, continuous time) both formulas predict
every other period:

    constant:  <T_P> ~ int_0^P S + S(P) <tau>,                                        with <tau> = <tau_{P*}>,
    cycles:    <T_P> ~ int_0^P S + S(P) sum_n [prod_{m<n} G_m(P)] int_0^P G_n(s) ds,

with G_n(s) the probability not to have completed s after the n-th perturbation at P*, given survival up to
it. The exact <T_P> stands beside them. Beyond P* the cycle-resolved formula continues G_n with its last
hazard.

Source: arXiv:2502.04121 (constant response); cycles as in `theory.prediction`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.numerical import cycles
from theory.numerical.chain import AbsorbingChain
from theory.numerical.checks import positive, read_only
from theory.numerical.elimination import Array
from theory.numerical.kernels import Kernel, as_kernel

SAME = 1e-12
"""Cycles are told apart until the law of the state at their start changes by less than this."""

MOST_CYCLES = 300


@dataclass(frozen=True, slots=True, eq=False)
class QssComparison:
    """Predictions from one period beside the exact means.

    Attributes
    ----------
    periods : (m,) array
        Time between perturbations P.
    exact, constant, cycles : (m,) arrays
        Exact <T_P>, and predicted by either formula.
    hazard : (m,) array
        Hazard h(P) of the unperturbed process, 1 / time.
    extrapolated : (m,) bool array
        Whether P > P*, where the cycle-resolved formula extends G_n.
    measured_period : float
        P*.
    tau : float
        Mean residual time <tau> at P*.
    relaxation_time : float
        1 / (lambda_2 - lambda_1) of the unperturbed process.
    """

    periods: Array
    exact: Array
    constant: Array
    cycles: Array
    hazard: Array
    extrapolated: NDArray[np.bool_]
    measured_period: float
    tau: float
    relaxation_time: float

    @property
    def scaled_periods(self) -> Array:
        """P / t_rel."""
        return self.periods / self.relaxation_time

    @property
    def constant_error(self) -> Array:
        """Relative error of the constant response."""
        return self.constant / self.exact - 1

    @property
    def cycles_error(self) -> Array:
        """Relative error of the cycle-resolved response."""
        return self.cycles / self.exact - 1

    @property
    def optimum(self) -> float:
        """Period at which the hazard falls through 1 / <tau>, interpolated; NaN if it does not on the range.

        There d<T_P>/dP = S(P) [1 - h(P) <tau>] of the constant response turns from negative to positive.
        """
        excess = self.hazard * self.tau - 1
        falls = np.flatnonzero((excess[:-1] > 0) & (excess[1:] <= 0))
        if not falls.size:
            return float("nan")
        best = min(falls, key=lambda i: self.constant[i])
        share = excess[best] / (excess[best] - excess[best + 1])
        return float(self.periods[best] + share * (self.periods[best + 1] - self.periods[best]))

    @property
    def best_exact(self) -> float:
        """The given period of smallest exact mean."""
        return float(self.periods[np.argmin(self.exact)])


def compare_predictions(
    chain: AbsorbingChain, K: Any, measured_period: float, periods: Iterable[float]
) -> QssComparison:
    """Predict ``periods`` from the exact law at ``measured_period`` by both formulas, beside the exact means.

    Parameters
    ----------
    chain : AbsorbingChain
        The unperturbed process.
    K : Kernel or (n, n) array
        The perturbation.
    measured_period : float
        P*.
    periods : iterable of float
        Ascending; each costs about one matrix product and one elimination.

    Examples
    --------
    In a chain of two states the response is not constant, but the last cycles are all alike:

    >>> chain = AbsorbingChain([[0, 1], [0.1, 0]], [0.1, 1.0], start=0)
    >>> result = compare_predictions(chain, [[0, 1], [1, 0]], 3.0, [1.0, 3.0, 5.0])
    >>> float(abs(result.constant_error[1])) < 1e-12
    True
    """
    measured = positive("measured_period", measured_period, "choose a period at which runs are perturbed")
    grid = read_only(sorted(positive("periods", period, "leave it out") for period in periods))
    if not grid.size:
        raise ValueError("`periods` must hold at least one period, got none")
    kernel = as_kernel(K, len(chain))
    begins = _cycle_starts(chain, measured, kernel)
    tau = chain.tau(measured, kernel)
    early, alive, exact = (np.empty(grid.size) for _ in range(3))
    lived, spent = (np.empty((grid.size, len(begins))) for _ in range(2))
    seen = cycles.visited(chain, kernel)
    for i, period in enumerate(grid):
        step, means = cycles.solve_cycles(chain, *cycles.sharp(period), kernel)
        early[i], alive[i] = chain.start @ step.spent, chain.start @ step.alive
        exact[i] = chain.average(means)
        if period <= measured:
            lived[i], spent[i] = begins @ step.alive, begins @ step.spent
    if grid[-1] > measured:
        # After the loop, so that one formula for the tail serves all periods beyond P*.
        beyond = grid > measured
        lived[beyond], spent[beyond] = _continued(chain, begins, measured, grid[beyond], seen)
    return QssComparison(
        periods=grid,
        exact=read_only(exact),
        constant=read_only(early + alive * tau),
        cycles=read_only(early + alive * _sum_cycles(lived, spent)),
        hazard=read_only(_hazard(chain, grid)),
        extrapolated=grid > measured,
        measured_period=measured,
        tau=tau,
        relaxation_time=chain.quasi_steady_state().relaxation_time,
    )


def _hazard(chain: AbsorbingChain, times: Array) -> Array:
    occupied = chain.state(times)
    return occupied @ chain.absorption


def _cycle_starts(chain: AbsorbingChain, period: float, kernel: Kernel) -> Array:
    """Law of the state just after the n-th perturbation, given survival up to it, (cycles, n)."""
    step = chain.solver.step(*cycles.sharp(period), cycles.visited(chain, kernel))
    before, rows = cycles.state_before(chain, period), []
    for _ in range(MOST_CYCLES):
        rows.append(before @ kernel.matrix)
        ahead = rows[-1] @ step.survive
        if not ahead.sum() > 0:
            break
        before, last = ahead / ahead.sum(), before
        if np.abs(before - last).sum() < SAME:
            break
    return np.array(rows)


def _continued(
    chain: AbsorbingChain, begins: Array, measured: float, periods: Array, seen: Array
) -> tuple[Array, Array]:
    """G_n(P) and its integral beyond P*, each (periods, cycles): the hazard at P* goes on."""
    step = chain.solver.step(*cycles.sharp(measured), seen)
    occupied = begins @ step.survive
    last = occupied.sum(axis=1)
    hazard = np.divide(occupied @ chain.absorption, last, out=np.zeros_like(last), where=last > 0)
    more = (periods - measured)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = np.where(hazard > 0, -np.expm1(-hazard * more) / hazard, more)
    return last * np.exp(-hazard * more), begins @ step.spent + last * tail


def _sum_cycles(lived: Array, spent: Array) -> Array:
    """Sum over cycles of the probability to reach each times the time spent in it; the last one repeats."""
    reached = np.cumprod(np.concatenate([np.ones((len(lived), 1)), lived], axis=1), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        repeats = np.where(reached[:, -1] > 0, reached[:, -1] * spent[:, -1] / (1 - lived[:, -1]), 0.0)
    total: Array = np.sum(reached[:, :-1] * spent, axis=1) + repeats
    return total
