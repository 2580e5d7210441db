r"""The robust propagator: any chain, by doubling the time step in positive arithmetic.

Over a short step h, uniformisation writes e^{Ah} = sum_k Poisson(k; Lambda h) U^k with the stochastic
matrix U = I + A / Lambda, Lambda the fastest exit rate. Squaring doubles the step; the probability f of
absorption and the mean time m spent double with it,

    f(2h) = f(h) + E(h) f(h),    m(2h) = m(h) + E(h) m(h),    E(2h) = E(h)^2,

and rows are rescaled to E 1 + f = 1 each time. Nothing is ever subtracted, so a probability of 1e-12 to be
absorbed is as accurate as one of 1/2. It costs about log2(16 Lambda t) matrix products.

Source: the doubling of Xue and Ye, Math. Comp. 82, 1577 (2013), for entrywise accurate exponentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import gammainc

from theory.numerical.elimination import Array
from theory.numerical.steps import Step, mix

TERMS = 10
"""Of the series at Lambda h <= 1/16; the next is below 1e-18."""

TINY = 1e-250
"""Smaller probabilities are set to zero: denormal numbers slow matrix products down a hundred times."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubling:
    """Propagator of the chain with these rates.

    Attributes
    ----------
    rates : (n, n) sparse or dense array
        Rates i -> j, 1 / time, zero diagonal.
    absorption : (n,) array
        1 / time.
    """

    rates: Any = field(repr=False)
    absorption: Array = field(repr=False)

    @property
    def _jump(self) -> tuple[Any, float]:
        """Uniformised jump matrix U and the rate Lambda of its jumps."""
        leave = np.asarray(self.rates.sum(axis=1)).ravel() + self.absorption
        fastest = float(leave.max()) or 1.0
        stay = (fastest - leave) / fastest
        if sparse.issparse(self.rates):
            return (self.rates / fastest + sparse.diags_array(stay)).tocsr(), fastest
        return self.rates / fastest + np.diag(stay), fastest

    def _squarings(self, time: float, fastest: float) -> int:
        return max(0, int(np.ceil(np.log2(max(16 * fastest * time, 1.0)))))

    def _steps(self, first: float) -> Iterator[Step]:
        """Steps over first, 2 first, 4 first, ..., without end."""
        jump, fastest = self._jump
        chance, more = _poisson(np.array([fastest * first]))
        power, absorbed, spent = np.eye(jump.shape[0]), self.absorption / fastest, np.ones(jump.shape[0])
        total = Step(np.zeros_like(power), np.zeros_like(absorbed), np.zeros_like(spent))
        for k in range(TERMS):
            total = Step(
                total.survive + chance[0, k] * power,
                total.absorbed + more[0, k] * absorbed,
                total.spent + more[0, k] / fastest * spent,
            )
            power, absorbed, spent = jump @ power, jump @ absorbed, jump @ spent
        step = total.normalised()
        while True:
            yield step
            survive = step.survive @ step.survive
            survive[survive < TINY] = 0.0
            doubled = Step(
                survive,
                step.absorbed + step.survive @ step.absorbed,
                step.spent + step.survive @ step.spent,
            )
            step = doubled.normalised()

    def _run(self, vector: Array, times: Array, forward: bool) -> Array:
        jump, fastest = self._jump
        longest = float(times.max())
        squarings = self._squarings(longest, fastest)
        short = longest / 2**squarings
        if short == 0:
            return np.tile(vector, (times.size, 1))
        counts = np.minimum(np.floor(times / short), 2.0**squarings)
        chance, _ = _poisson(fastest * np.clip(times - counts * short, 0.0, short))
        series = [vector]
        for _ in range(TERMS - 1):
            series.append(series[-1] @ jump if forward else jump @ series[-1])
        rows = chance @ np.array(series)
        for power, step in zip(range(squarings + 1), self._steps(short), strict=False):
            chosen = np.floor(counts / 2.0**power) % 2 == 1
            if chosen.any():
                rows[chosen] = rows[chosen] @ (step.survive if forward else step.survive.T)
        return rows

    def evolve(self, start: Array, times: Array) -> Array:
        """Occupation ``start`` e^{At} at each time, shape (m, n)."""
        return self._run(start, times, forward=True)

    def backward(self, values: Array, times: Array) -> Array:
        """e^{At} ``values`` at each time, shape (m, n)."""
        return self._run(values, times, forward=False)

    def step(self, times: Array, weights: Array) -> Step:
        """Mixture of steps over ``times`` with ``weights`` that sum to 1."""
        return mix((float(w), self._one(float(t))) for t, w in zip(times, weights, strict=True))

    def _one(self, time: float) -> Step:
        squarings = self._squarings(time, self._jump[1])
        return next(islice(self._steps(time / 2**squarings), squarings, None))


def _poisson(mean: Array) -> tuple[Array, Array]:
    """Poisson probabilities of k = 0 .. TERMS - 1 jumps, and of more than k, each (m, TERMS)."""
    k = np.arange(TERMS)
    factorial = np.cumprod(np.concatenate([[1.0], np.arange(1.0, TERMS)]))
    chance = np.exp(-mean)[:, None] * mean[:, None] ** k / factorial
    return chance, gammainc(k + 1, mean[:, None])
