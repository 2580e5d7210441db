r"""Perturbed passage as a discrete chain of cycles.

Between perturbations the chain moves by a `Step` with E = e^{AP}, f = absorbed, M = time spent; then the
kernel K acts. From the start of a cycle m = M + E K m: a Markov chain with transitions E K and absorption f
+ E k, where k is what K itself absorbs. It is solved by the elimination without subtractions, so a mean of
1e12 periods is as accurate as one of two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theory.numerical.elimination import Array, BlockElimination, can_reach
from theory.numerical.kernels import Kernel
from theory.whole_cycles import into_cycles

if TYPE_CHECKING:
    from theory.numerical.chain import AbsorbingChain
    from theory.numerical.steps import Step


def sharp(period: float) -> tuple[Array, Array]:
    """Times and weights of a sharp period."""
    return np.array([period]), np.ones(1)


def interval_nodes(law: Any) -> tuple[Array, Array]:
    """Times and weights that integrate over a frozen scipy law of intervals.

    Double-exponential quadrature over the probability, which bears the singular ends of the quantile
    function; a discrete law gives its own points.
    """
    if not (hasattr(law, "isf") and hasattr(law, "ppf")):
        raise ValueError(
            f"`law` must be a frozen scipy distribution such as scipy.stats.gamma(4), got {law!r}; "
            "for equal intervals use `mfpt_periodic`"
        )
    if law.support()[0] < 0 or not np.isfinite(law.mean()):
        raise ValueError(
            f"`law` must have support on times >= 0 and a finite mean, got {law.support()} and "
            f"{law.mean():g}; truncate it"
        )
    if hasattr(law, "pmf"):
        times = np.arange(int(law.ppf(0.0)) + 1, int(law.isf(1e-15)) + 1, dtype=float)
        weights = law.pmf(times)
    else:
        nodes = np.linspace(-3.6, 3.6, 121)
        weights = np.cosh(nodes) / np.cosh(np.pi / 2 * np.sinh(nodes)) ** 2
        # The smaller of the two tail probabilities, free of cancellation.
        tail = 1 / (1 + np.exp(np.pi * np.sinh(np.abs(nodes))))
        times = np.where(nodes < 0, law.ppf(tail), law.isf(tail))
    kept = weights > 1e-18 * weights.max()
    return times[kept].astype(float), weights[kept] / weights[kept].sum()


def after(kernel: Kernel, values: Array) -> Array:
    """K ``values``: infinite values count only where K leads to them."""
    bad = np.isinf(values)
    result = kernel.matrix @ np.where(bad, 0.0, values)
    return np.where((kernel.matrix[:, bad] > 0).any(axis=1), np.inf, result)


def weighted(weights: Array, values: Array) -> float:
    """Sum of ``weights`` times ``values`` over the states of positive weight."""
    held = weights > 0
    return float(weights[held] @ values[held])


def visited(chain: AbsorbingChain, kernel: Kernel) -> Array:
    """Weights of the states in which cycles begin: the start, and where K puts a typical state."""
    spent = chain.occupation()
    result: Array = chain.start + (spent / spent.sum()) @ kernel.matrix
    return result


def state_before(chain: AbsorbingChain, time: float) -> Array:
    """Law of the state at the first perturbation, given survival up to it, (n,)."""
    state = chain.state(time)
    if not np.isfinite(state).all():
        raise ValueError(
            f"`period` must be a time that some passages survive, got {time:g}, at which survival is below "
            "the smallest number; take a shorter one"
        )
    return state


def cycle_means(chain: AbsorbingChain, times: Array, weights: Array, kernel: Kernel) -> Array:
    """Mean first-passage time from the beginning of a cycle in each state, (n,)."""
    return solve_cycles(chain, times, weights, kernel)[1]


def solve_cycles(chain: AbsorbingChain, times: Array, weights: Array, kernel: Kernel) -> tuple[Step, Array]:
    """The step between perturbations, and the mean times of `cycle_means`."""
    solver, seen = chain.solver, visited(chain, kernel)
    step = solver.step(times, weights, seen)
    means = step_means(step, kernel)
    # One over the number of cycles needed is the probability to complete in one.
    if not solver.accurate(seen, min(1.0, float(times @ weights) / chain.average(means))):
        step = solver.doubling.step(times, weights)
        means = step_means(step, kernel)
    return step, means


def step_means(step: Step, kernel: Kernel) -> Array:
    """Solve m = M + E K m; infinite where completion is not certain."""
    moves = step.survive @ kernel.matrix
    ends = step.absorbed + step.survive @ kernel.absorbed
    uncertain = can_reach(moves, ~can_reach(moves, ends > 0))
    means = BlockElimination(moves, np.where(uncertain, 1.0, ends)).solve(step.spent)
    return np.where(uncertain, np.inf, means)


def mean_once(chain: AbsorbingChain, time: float, residual: Array) -> float:
    """<T> with one perturbation at ``time`` after which ``residual``, (n,), is the mean time to go."""
    step = chain.solver.step(*sharp(time), chain.start)
    return chain.average(step.spent) + weighted(chain.start @ step.survive, residual)


def periodic_survival(chain: AbsorbingChain, times: Array, period: float, kernel: Kernel) -> Array:
    """Pr(T_P > t) at each time, (m,)."""
    if not times.size:
        return times
    cycles, within = into_cycles(times, period)
    cycle = cycles.astype(int)
    moments, which = np.unique(within, return_inverse=True)
    ahead = chain.solver.propagator(visited(chain, kernel)).backward(np.ones(len(chain)), moments)
    survive = chain.solver.step(*sharp(period), visited(chain, kernel)).survive if cycle.max() else None
    result, occupied = np.empty(times.size), chain.start
    for n in range(int(cycle.max()) + 1):
        chosen = cycle == n
        result[chosen] = ahead[which[chosen]] @ occupied
        if survive is not None:
            occupied = (occupied @ survive) @ kernel.matrix
    return np.minimum(result, 1.0)


def mean_first(chain: AbsorbingChain, rate: float, residual: Array) -> float:
    """<T> with one perturbation at Poisson ``rate``, then ``residual``, (n,): (r - A) m = 1 + r residual."""
    if rate == 0:
        return chain.mfpt()
    # Each state in which the first activation comes, weighted with the time spent in it before.
    spent = chain.solver.eliminate(chain.absorption + rate).solve_left(chain.start)
    return float(spent.sum()) + rate * weighted(spent, residual)
