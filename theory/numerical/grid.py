r"""Cells between two ends, and how a law of x is shared among them.

A point between two cell centres is shared linearly between them; for a law, the weight of centre j is the
mean of the hat function of j, which second differences of I(x) = <(x - X)+> give exactly:

    w_j = (I(x_{j+1}) - I(x_j)) / (x_{j+1} - x_j) - (I(x_j) - I(x_{j-1})) / (x_j - x_{j-1}).

The last node towards a target is the target itself, half a cell away; its weight is absorbed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from theory.numerical.elimination import Array


@dataclass(frozen=True, slots=True)
class Grid:
    """Equal cells between ``low`` and ``high``.

    Attributes
    ----------
    low, high : float
        Ends, units of x.
    cells : int
    absorbs : pair of bool
        Whether the lower and the upper end is a target; otherwise it is a reflecting wall.
    """

    low: float
    high: float
    cells: int
    absorbs: tuple[bool, bool]

    def __post_init__(self) -> None:
        if not (np.isfinite(self.high - self.low) and self.low < self.high and self.cells >= 3):
            raise ValueError(
                "`low` must lie below `high` with at least 3 `cells` between, got "
                f"{self.low!r}, {self.high!r}, {self.cells!r}; exchange the ends"
            )

    @property
    def spacing(self) -> float:
        """Width of a cell."""
        return (self.high - self.low) / self.cells

    @property
    def faces(self) -> Array:
        """Ends of the cells, shape (cells + 1,)."""
        return self.low + self.spacing * np.arange(0.0, self.cells + 1)

    @property
    def centres(self) -> Array:
        """Centres of the cells, shape (cells,)."""
        return self.low + self.spacing * np.arange(0.5, self.cells)

    @property
    def nodes(self) -> Array:
        """Centres, and the targets at the ends."""
        ends = [[self.low][: self.absorbs[0]], [self.high][: self.absorbs[1]]]
        return np.concatenate([ends[0], self.centres, ends[1]])

    def split(self, rows: Array) -> tuple[Array, Array]:
        """Weights on nodes, shape (rows, nodes), as those on cells and those absorbed."""
        first = int(self.absorbs[0])
        inner = rows[:, first : first + self.cells]
        absorbed = rows[:, :first].sum(axis=1) + rows[:, first + self.cells :].sum(axis=1)
        return inner, absorbed

    def deposit(self, below: Array, above: Array, middle: Array) -> Array:
        """Weights on nodes of laws given by ``<(x - X)+>`` and ``<(X - x)+>`` at the nodes.

        Parameters
        ----------
        below, above : (rows, nodes) arrays
            Both are known, because below the middle of the law one is free of cancellation, above it the
            other.
        middle : (rows,) array
            Mean or median of each law.

        Returns
        -------
        (rows, nodes) array
            Rows sum to 1.
        """
        nodes, gaps = self.nodes, np.diff(self.nodes)
        rising, falling = np.diff(below) / gaps, np.diff(above) / gaps
        ends = np.zeros((len(below), 1))
        lower = np.diff(np.concatenate([ends, rising, ends + 1], axis=1))
        upper = np.diff(np.concatenate([ends - 1, falling, ends], axis=1))
        weights = np.maximum(np.where(nodes < middle[:, None], lower, upper), 0.0)
        shares: Array = weights / weights.sum(axis=1, keepdims=True)
        return shares

    def point(self, x: float) -> Array:
        """Weights on nodes of the point ``x``, shape (nodes,)."""
        row: Array = self.points(np.array([x]))[0]
        return row

    def points(self, x: Array) -> Array:
        """Weights on nodes of the points ``x``, shape (points, nodes).

        A point is shared among three cells by the quadratic B-spline, mean x and variance spacing^2 / 4
        wherever x lies in its cell: the error of a mean is then smooth in the spacing and extrapolation
        works. Within 1.5 cells of an end it is shared linearly, and beyond it is put at the end.
        """
        nodes = self.nodes
        clipped = np.clip(x, nodes[0], nodes[-1])
        weights = self.deposit(*normal_integrals(nodes, clipped, 0.0), clipped)
        margin = 1.5 * self.spacing
        inside = np.flatnonzero((x >= self.low + margin) & (x <= self.high - margin))
        scaled = (x[inside] - self.low) / self.spacing
        cell = scaled.astype(int)
        offset = scaled - cell - 0.5
        near = cell + int(self.absorbs[0])
        weights[inside] = 0.0
        weights[inside, near - 1] = (0.5 - offset) ** 2 / 2
        weights[inside, near] = 0.75 - offset**2
        weights[inside, near + 1] = (0.5 + offset) ** 2 / 2
        return weights

    def share(self, condition: Callable[[Array], Any]) -> Array:
        """Share of each cell in which ``condition`` holds, shape (cells,), edges found by bisection."""
        fine = np.linspace(self.low, self.high, 16 * self.cells + 1)
        fine = (fine[:-1] + fine[1:]) / 2
        holds = _condition(condition, fine)
        changes = np.flatnonzero(holds[:-1] != holds[1:])
        left, right, before = fine[changes], fine[changes + 1], holds[changes]
        for _ in range(50):
            middle = (left + right) / 2
            same = _condition(condition, middle) == before
            left, right = np.where(same, middle, left), np.where(same, right, middle)
        edges = np.concatenate([[self.low], left, [self.high]])
        # The length over which it holds up to each face is linear between the edges.
        on = np.concatenate([[holds[0]], ~before]).astype(float)
        length = np.concatenate([[0.0], np.cumsum(on * np.diff(edges))])
        share = np.diff(np.interp(self.faces, edges, length)) / self.spacing
        # A share of rounding size would open a way that is closed.
        return np.where(share < 1e-9, 0.0, np.where(share > 1 - 1e-9, 1.0, share))


def _condition(condition: Callable[[Array], Any], x: Array) -> Any:
    holds = np.asarray(condition(x))
    if holds.shape != x.shape or holds.dtype != bool:
        raise ValueError(
            f"`condition` must map an array of x to booleans of the same shape, got {holds.dtype} of shape "
            f"{holds.shape} for {x.shape}; write it with array operations, such as lambda x: x > 1"
        )
    return holds


def normal_integrals(nodes: Array, mean: Array, deviation: float) -> tuple[Array, Array]:
    """``<(x - X)+>`` and ``<(X - x)+>`` of normal laws at the nodes, each (means, nodes)."""
    distance = nodes - mean[:, None]
    if deviation == 0:
        return np.maximum(distance, 0.0), np.maximum(-distance, 0.0)
    z = distance / deviation
    density = deviation * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    below = distance * ndtr(z) + density
    above = -distance * ndtr(-z) + density
    return np.maximum(below, 0.0), np.maximum(above, 0.0)


def law_integrals(nodes: Array, law: Any) -> tuple[Array, Array]:
    """``<(x - X)+>`` and ``<(X - x)+>`` of a frozen scipy law, up to constants, each (1, nodes).

    The distribution function is integrated by Gauss-Legendre quadrature, on pieces narrow against the law.
    """
    width = float(law.isf(0.25) - law.ppf(0.25))
    pieces = int(np.clip(np.ceil(16 * np.diff(nodes).max() / max(width, 1e-300)), 2, 1000))
    points, weights = np.polynomial.legendre.leggauss(4)
    gaps = np.diff(nodes)[:, None, None] / pieces
    x = nodes[:-1, None, None] + gaps * (np.arange(pieces)[:, None] + (points + 1) / 2)
    rising = np.sum(law.cdf(x) * weights * gaps / 2, axis=(1, 2))
    falling = -np.sum(law.sf(x) * weights * gaps / 2, axis=(1, 2))
    below, above = (np.concatenate([[0.0], np.cumsum(part)])[None] for part in (rising, falling))
    return below, above
