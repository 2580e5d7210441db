r"""The linear algebra of one chain: which solver and which propagator are accurate for it.

Eigenvectors are fast but lose accuracy where the motion starts in states of small Boltzmann weight, or
where few passages are complete after one step. Both errors are estimated, and doubling takes over where
they matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from theory.numerical.doubling import Doubling
from theory.numerical.elimination import (
    Array,
    BlockElimination,
    Elimination,
    TridiagonalElimination,
    can_reach,
)
from theory.numerical.spectral import Spectral, decompose
from theory.numerical.steps import Propagator, Step

TOLERANCE = 1e-10
"""Absolute error of probabilities above which the spectral path gives way to doubling."""

RELATIVE = 1e-9
"""Relative error of the probability to complete within one step, above which it does so too."""


LARGEST = 5_000
"""Most states of a chain that needs dense matrices."""


@dataclass(frozen=True, eq=False)
class ChainSolver:
    """Factorisations of a chain, each made when first needed.

    Attributes
    ----------
    rates : (n, n) CSR or dense array
        Rates i -> j, 1 / time, zero diagonal.
    absorption : (n,) array
        1 / time.
    method : {"auto", "spectral", "doubling"}
        See `theory.numerical.AbsorbingChain`.
    """

    rates: Any = field(repr=False)
    absorption: Array = field(repr=False)
    method: str = "auto"

    @cached_property
    def line(self) -> tuple[Array, Array] | None:
        """Rates down and up where the states form a line."""
        entries = sparse.coo_array(self.rates)
        if entries.nnz and np.abs(entries.row.astype(int) - entries.col).max() > 1:
            return None
        return np.asarray(self.rates.diagonal(-1)), np.asarray(self.rates.diagonal(1))

    @property
    def dense(self) -> Array:
        """The rates as a dense array."""
        if self.absorption.size > LARGEST:
            raise ValueError(
                f"`rates` must have at most {LARGEST} states where dense matrices are needed, got "
                f"{self.absorption.size}; coarsen the process"
            )
        rates: Array = self.rates.toarray() if sparse.issparse(self.rates) else self.rates
        return rates

    @cached_property
    def lost(self) -> NDArray[np.bool_]:
        """States from which completion is impossible."""
        return ~can_reach(self.rates, self.absorption > 0)

    @cached_property
    def uncertain(self) -> NDArray[np.bool_]:
        """States from which completion is not certain."""
        return can_reach(self.rates, self.lost)

    @cached_property
    def elimination(self) -> Elimination:
        """-A, factorised; right in all states from which completion is certain."""
        # These never lead into the others, for which any absorption will do.
        return self.eliminate(np.where(self.uncertain, 1.0, self.absorption))

    def eliminate(self, absorption: Array) -> Elimination:
        """The same rates with another absorption, (n,), factorised."""
        if self.line is not None:
            return TridiagonalElimination(*self.line, absorption)
        return BlockElimination(self.dense, absorption)

    @cached_property
    def spectral(self) -> Spectral | None:
        """Eigenvectors, where the chain has real ones that can be trusted."""
        return None if self.line is None else decompose(*self.line, self.absorption)

    @cached_property
    def doubling(self) -> Doubling:
        """The propagator for any chain."""
        return Doubling(self.rates, self.absorption)

    def propagator(self, visited: Array) -> Propagator:
        """Spectral where it is accurate when motion starts with the weights ``visited``, (n,)."""
        if self.method == "doubling":
            return self.doubling
        spectral = self.spectral
        if self.method == "spectral" and spectral is None:
            raise ValueError(
                "`method` 'spectral' needs states on a line with rates both ways between neighbours, got "
                "others; use 'auto'"
            )
        if spectral is not None and (self.method == "spectral" or spectral.error(visited) < TOLERANCE):
            return spectral
        return self.doubling

    def accurate(self, visited: Array, completing: float) -> bool:
        """Whether probabilities of size ``completing`` are right to `RELATIVE` on the path chosen."""
        propagator = self.propagator(visited)
        if self.method != "auto" or not isinstance(propagator, Spectral):
            return True
        return propagator.error(visited) <= RELATIVE * completing

    def step(self, times: Array, weights: Array, visited: Array) -> Step:
        """Motion over a mixture of ``times`` from each state; ``visited`` weights the states that matter."""
        step = self.propagator(visited).step(times, weights)
        if not self.accurate(visited, float(visited @ step.absorbed / visited.sum())):
            return self.doubling.step(times, weights)
        return step
