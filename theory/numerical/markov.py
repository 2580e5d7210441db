"""Finite Markov chains and kinetic networks: random walks, reaction networks, folding graphs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from theory.numerical.chain import AbsorbingChain
from theory.numerical.checks import distribution_of
from theory.numerical.kernels import Kernel, as_kernel, reset_kernel


@dataclass(frozen=True, eq=False)
class MarkovChain:
    """A chain with all its states, some of them targets.

    Parameters
    ----------
    rates : (N, N) dense or sparse array
        Rates i -> j, 1 / time; the diagonal is ignored, as are rates out of targets.
    start : int or (N,) array
        State or distribution, not on a target.
    targets : int or sequence of int
        Passage is complete at any of them.
    labels : sequence of str, optional
        Names of the N states.

    Notes ----- Where completion is not certain, because some reachable state cannot reach a target, means
    are infinite (and `AbsorbingChain.laplace` at 0 gives the probability to complete); where no state can
    reach a target it is an error.

    Examples
    --------
    A walk on 0 .. 3 that steps both ways at rate 1, from 0 to 3:

    >>> walk = MarkovChain(np.eye(4, k=1) + np.eye(4, k=-1), start=0, targets=3)
    >>> walk.chain.mfpt()
    6.0
    >>> round(walk.chain.mfpt_poisson(0.5, walk.reset(0)), 6)
    8.75
    """

    rates: Any
    start: Any
    targets: Any
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.rates)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"`rates` must be a square matrix, got shape {shape}")
        targets = np.unique(np.atleast_1d(self.targets))
        whole = np.issubdtype(targets.dtype, np.integer)
        if not (whole and targets.size and 0 <= targets[0] and targets[-1] < shape[0]):
            raise ValueError(f"`targets` must be states from 0 to {shape[0] - 1}, got {self.targets!r}")
        start = distribution_of(self.start, shape[0])
        if start[targets].any():
            raise ValueError(
                f"`start` must not be on a target, got {self.start!r} with targets {targets.tolist()}; a "
                "passage that is complete at the start takes no time"
            )
        if not (self.chain.absorption > 0).any():
            raise ValueError(
                f"`targets` must be reachable, but no rate leads into {targets.tolist()}; check that "
                "`rates[i, j]` is the rate from i to j"
            )

    @cached_property
    def transient(self) -> NDArray[np.intp]:
        """Numbers of the states that are no targets, in the order of the chain."""
        return np.setdiff1d(np.arange(np.shape(self.rates)[0]), np.atleast_1d(self.targets))

    @cached_property
    def chain(self) -> AbsorbingChain:
        """The chain on the transient states."""
        sparse_rates = sparse.issparse(self.rates)
        rates = sparse.csr_array(self.rates) if sparse_rates else np.asarray(self.rates, dtype=float)
        inner, targets = self.transient, np.atleast_1d(self.targets)
        absorption = np.asarray(rates[inner][:, targets].sum(axis=1)).ravel()
        start = distribution_of(self.start, rates.shape[0])[inner]
        labels = None if self.labels is None else tuple(self.labels[i] for i in inner)
        return AbsorbingChain(rates[inner][:, inner], absorption, start, inner, labels)

    def reset(self, target: Any) -> Kernel:
        """Reset to a state (a number) or distribution over the N states, which may include targets."""
        row = distribution_of(target, np.shape(self.rates)[0], "target")
        inner = row[self.transient]
        if row[np.atleast_1d(self.targets)].any():
            return as_kernel(np.tile(inner, (inner.size, 1)), inner.size)
        return reset_kernel(inner, inner.size)

    def kernel(self, matrix: Any) -> Kernel:
        """A perturbation given as an (N, N) stochastic matrix; what it puts on a target is absorbed."""
        full = as_kernel(matrix, np.shape(self.rates)[0], "matrix")
        inner = full.matrix[np.ix_(self.transient, self.transient)]
        return as_kernel(inner, inner.shape[0], "matrix")
