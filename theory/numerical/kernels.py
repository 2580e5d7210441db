"""Perturbations as matrices: from each state, where the perturbation puts it, or that it completes.

A `Kernel` acts on the states of a chain. A `StateMap` says what a perturbation does to a coordinate x, and
`matrix` turns it into the kernel on a grid, to second order in the spacing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from theory.numerical.checks import ROUNDING, distribution_of, read_only
from theory.numerical.elimination import Array
from theory.numerical.grid import Grid, law_integrals, normal_integrals


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """What one perturbation does to each state.

    Attributes
    ----------
    matrix : (n, n) array, read-only
        Probability to be put from state i into state j.
    absorbed : (n,) array, read-only
        Probability that the perturbation itself completes, beyond the target; row sums + absorbed = 1.
    """

    matrix: Array = field(repr=False)
    absorbed: Array = field(repr=False)


def as_kernel(kernel: Any, states: int, name: str = "K") -> Kernel:
    """Check a user's matrix and return it as a `Kernel`; what a row lacks to 1 is absorbed.

    Raises
    ------
    ValueError
        If it is not square with ``states`` rows, has a negative or non-finite entry, or a row sum above 1.

    Examples
    --------
    >>> as_kernel([[0.5, 0.5], [0.0, 0.75]], 2).absorbed
    array([0.  , 0.25])
    """
    if isinstance(kernel, Kernel):
        if kernel.matrix.shape != (states, states):
            raise ValueError(
                f"`{name}` must be a kernel on {states} states, got one on {len(kernel.matrix)}; build it on "
                "the same grid"
            )
        return kernel
    full = kernel.toarray() if sparse.issparse(kernel) else np.array(kernel, dtype=float)
    if full.shape != (states, states):
        raise ValueError(f"`{name}` must be a matrix of shape ({states}, {states}), got {full.shape}")
    if not np.isfinite(full).all() or full.min() < 0:
        raise ValueError(
            f"`{name}` must hold probabilities, got an entry {full.min():g}; a kernel has no negative ones"
        )
    rest = 1 - full.sum(axis=1)
    worst = int(np.argmin(rest))
    if rest[worst] < -1e-9:
        raise ValueError(
            f"`{name}` must have row sums of at most 1, got {1 - rest[worst]:g} in row {worst}; "
            "divide each row by its sum"
        )
    absorbed = np.where(rest > ROUNDING * states, rest, 0.0)
    # Rows off by rounding are scaled, so that rounding neither adds nor removes probability.
    total = full.sum(axis=1) + absorbed
    return Kernel(read_only(full / total[:, None]), read_only(absorbed / total))


def reset_kernel(target: Any, states: int) -> Kernel:
    """Put every state into one state (a number) or distribution (weights).

    Examples
    --------
    >>> reset_kernel(1, 2).matrix
    array([[0., 1.],
           [0., 1.]])
    """
    row = distribution_of(target, states, "target")
    return Kernel(read_only(np.tile(row, (states, 1))), read_only(np.zeros(states)))


class StateMap(Protocol):
    """What a perturbation does to a coordinate."""

    def kernel(self, grid: Grid) -> Kernel:
        """The perturbation on a grid."""
        ...


def _kernel(rows: Array, grid: Grid) -> Kernel:
    inner, absorbed = grid.split(rows)
    return Kernel(read_only(inner), read_only(absorbed))


@dataclass(frozen=True, slots=True)
class AffineMap:
    """x -> scale x + shift + noise xi, with xi standard normal.

    ``scale`` 0 without noise resets to the point ``shift``; 0 < scale < 1 is a partial reset (shrink), with
    noise shrink and perturb; ``scale`` 1 kicks by ``shift`` (and noise).

    Attributes
    ----------
    scale : float
        Without unit.
    shift, noise : float
        In units of x; ``noise`` is the standard deviation.
    """

    scale: float
    shift: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not np.isfinite([self.scale, self.shift, self.noise]).all() or self.noise < 0:
            raise ValueError(
                "`scale`, `shift` and `noise` must be finite and `noise` not negative, got "
                f"{self.scale!r}, {self.shift!r}, {self.noise!r}; the sign of the noise has no meaning"
            )

    def kernel(self, grid: Grid) -> Kernel:
        """The perturbation on a grid."""
        if self.scale == 0 and self.noise == 0:
            return _kernel(np.tile(grid.point(self.shift), (grid.cells, 1)), grid)
        mean = self.scale * grid.centres + self.shift
        moves = self.scale != 1 or self.shift != 0
        if self.noise == 0 and moves:
            return _kernel(grid.points(mean), grid)
        return _kernel(grid.deposit(*normal_integrals(grid.nodes, mean, self.noise), mean), grid)


@dataclass(frozen=True, slots=True)
class ResetToLaw:
    """Put x at a fresh draw from ``law``, a frozen continuous distribution of scipy."""

    law: Any

    def kernel(self, grid: Grid) -> Kernel:
        """The perturbation on a grid."""
        row = grid.deposit(*law_integrals(grid.nodes, self.law), np.array([self.law.median()]))
        return _kernel(np.repeat(row, grid.cells, axis=0), grid)


@dataclass(frozen=True, slots=True)
class InformedMap:
    """Apply ``inner`` only where ``condition(x)`` holds, leave x alone elsewhere.

    In a cell in which the condition changes, it holds with the share of the cell where it is true.
    """

    inner: StateMap
    condition: Callable[[Array], Any]

    def kernel(self, grid: Grid) -> Kernel:
        """The perturbation on a grid."""
        inner, share = self.inner.kernel(grid), grid.share(self.condition)
        mixed = share[:, None] * inner.matrix + np.diag(1 - share)
        return Kernel(read_only(mixed), read_only(share * inner.absorbed))


def from_distribution(law: Any) -> ResetToLaw:
    """Reset to a law: ``law`` is a frozen continuous distribution of scipy, in units of x."""
    if not (hasattr(law, "cdf") and hasattr(law, "median")):
        raise ValueError(
            f"`law` must be a frozen scipy distribution such as scipy.stats.norm(0, 1), got {law!r}; "
            "for a point take AffineMap(0, point)"
        )
    return ResetToLaw(law)


def informed(perturbation: StateMap, condition: Callable[[Array], Any]) -> InformedMap:
    """Apply ``perturbation`` only in states where ``condition(x)``, a vectorised function, is true.

    Examples
    --------
    >>> only_far = informed(AffineMap(0.0, 1.0), lambda x: x > 1.0)
    >>> matrix(only_far, Grid(0.0, 2.0, 4, absorbs=(True, False))).matrix[0]
    array([1., 0., 0., 0.])
    """
    return InformedMap(perturbation, condition)


def matrix(perturbation: StateMap, grid: Grid) -> Kernel:
    """The kernel of ``perturbation`` on ``grid``, second order in the spacing.

    A point is shared linearly between the two cell centres beside it, averaged exactly over the noise, so
    noise far narrower than a cell is right as well; without any noise it is shared as by `Grid.points`. What
    lands beyond a reflecting wall stays in the cell at the wall; what lands beyond a target is absorbed at
    once, and what lands in the last half cell before it in part, as the mean time to go falls there to zero.
    """
    return perturbation.kernel(grid)
