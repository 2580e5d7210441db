r"""Solve (-A) x = b for a sub-generator A without a single subtraction.

A is given by its rates between transient states (off-diagonal) and the rate of absorption of each state,
never by its diagonal. Eliminating a state sends its inflow on to the other states and to absorption, so all
numbers stay sums and products of positive ones and each x_i has full relative accuracy, however slow the
absorption. The usual elimination loses it: with rates of 1e6 rounding acts like absorption at rate 1e-10.

Source: Grassmann, Taksar and Heyman, Oper. Res. 33, 1107 (1985); with absorption Alfa, Xue and Ye,
Math. Comp. 71, 217 (2002).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]

BLOCK = 32
"""States eliminated at once, so that most of the work is matrix products."""


class Elimination(Protocol):
    """A factorised -A."""

    def solve(self, values: Array) -> Array:
        """Solution x of (-A) x = values, shape (n,)."""
        ...

    def solve_left(self, weights: Array) -> Array:
        """Solution y of y (-A) = weights, shape (n,)."""
        ...


def can_reach(rates: Any, goal: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """States from which a path of positive rates leads into ``goal``, itself included, shape (n,)."""
    reached = frontier = np.array(goal, dtype=bool)
    if reached.all() or not reached.any():
        return reached
    pattern = sparse.csr_array(rates)
    pattern = sparse.csr_array((np.ones(pattern.nnz), pattern.indices, pattern.indptr), shape=pattern.shape)
    while frontier.any():
        frontier = (pattern @ frontier.astype(float) > 0) & ~reached
        reached = reached | frontier
    return reached


class TridiagonalElimination:
    """States on a line, each with rates to its two neighbours only.

    Parameters
    ----------
    down, up : (n - 1,) arrays
        Rates i + 1 -> i and i -> i + 1.
    absorption : (n,) array
    """

    def __init__(self, down: Array, up: Array, absorption: Array) -> None:
        self._down, self._up = down.tolist(), up.tolist()
        kill = absorption.tolist()
        self._pivot = []
        for i, (back, forth) in enumerate(zip(self._down, self._up, strict=True)):
            pivot = forth + kill[i]
            self._pivot.append(pivot)
            kill[i + 1] += back * kill[i] / pivot
        self._pivot.append(kill[-1])

    def solve(self, values: Array) -> Array:
        """Solution x of (-A) x = values, shape (n,)."""
        x = values.tolist()
        for i, back in enumerate(self._down):
            x[i + 1] += back * x[i] / self._pivot[i]
        x[-1] /= self._pivot[-1]
        for i in range(len(x) - 2, -1, -1):
            x[i] = (x[i] + self._up[i] * x[i + 1]) / self._pivot[i]
        return np.array(x)

    def solve_left(self, weights: Array) -> Array:
        """Solution y of y (-A) = weights, shape (n,)."""
        y = weights.tolist()
        for i, forth in enumerate(self._up):
            y[i + 1] += forth * y[i] / self._pivot[i]
        y[-1] /= self._pivot[-1]
        for i in range(len(y) - 2, -1, -1):
            y[i] = (y[i] + self._down[i] * y[i + 1]) / self._pivot[i]
        return np.array(y)


def _inverse(rates: Array, absorption: Array) -> Array:
    """(-A)^-1 of one block by the plain elimination."""
    rates, kill, x = rates.copy(), absorption.copy(), np.eye(len(rates))
    pivots = np.empty(len(rates))
    for i in range(len(rates)):
        later = slice(i + 1, None)
        pivots[i] = rates[i, later].sum() + kill[i]
        share = rates[later, i] / pivots[i]
        rates[later, later] += np.outer(share, rates[i, later])
        kill[later] += share * kill[i]
        x[later] += np.outer(share, x[i])
    for i in range(len(rates) - 1, -1, -1):
        x[i] = (x[i] + rates[i, i + 1 :] @ x[i + 1 :]) / pivots[i]
    return x


class BlockElimination:
    """Any states: blocks of them are eliminated one after the other.

    Parameters
    ----------
    rates : (n, n) array
        Rates i -> j; the diagonal is ignored.
    absorption : (n,) array
    """

    def __init__(self, rates: Array, absorption: Array) -> None:
        rates, kill = rates.copy(), absorption.copy()
        self._steps: list[tuple[slice, slice, Array, Array, Array]] = []
        for first in range(0, len(rates), BLOCK):
            block, rest = slice(first, first + BLOCK), slice(first + BLOCK, None)
            out, back = rates[block, rest].copy(), rates[rest, block].copy()
            inverse = _inverse(rates[block, block], kill[block] + out.sum(axis=1))
            through = back @ inverse
            rates[rest, rest] += through @ out
            kill[rest] += through @ kill[block]
            self._steps.append((block, rest, out, back, inverse))

    def solve(self, values: Array) -> Array:
        """Solution x of (-A) x = values, shape (n,)."""
        x = values.astype(float)
        for block, rest, _, back, inverse in self._steps:
            x[rest] += back @ (inverse @ x[block])
        for block, rest, out, _, inverse in reversed(self._steps):
            x[block] = inverse @ (x[block] + out @ x[rest])
        return x

    def solve_left(self, weights: Array) -> Array:
        """Solution y of y (-A) = weights, shape (n,)."""
        y = weights.astype(float)
        for block, rest, out, _, inverse in self._steps:
            y[rest] += (y[block] @ inverse) @ out
        for block, rest, _, back, inverse in reversed(self._steps):
            y[block] = (y[block] + y[rest] @ back) @ inverse
        return y
