"""The slowest mode of an absorbing chain: the law of the state after long survival."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eig

from theory.numerical.checks import read_only
from theory.numerical.elimination import Array, BlockElimination, can_reach

if TYPE_CHECKING:
    from theory.numerical.chain import AbsorbingChain


@dataclass(frozen=True, slots=True, eq=False)
class QuasiSteadyMode:
    """Quasi-steady state of an absorbing chain.

    Attributes
    ----------
    distribution : (n,) array, read-only
        Law of the state given survival for long.
    rate : float
        Rate k of absorption from it, the lowest eigenvalue of -A, 1 / time.
    relaxation_time : float
        1 / (lambda_2 - lambda_1), with lambda_2 the real part of the next eigenvalue; 0 for one state,
        infinite where the lowest is not single.
    """

    distribution: Array = field(repr=False)
    rate: float
    relaxation_time: float


def slowest_mode(chain: AbsorbingChain) -> QuasiSteadyMode:
    """Lowest eigenvalue and left eigenvector of -A on the states that the start can reach.

    The eigenvector is polished by inverse iteration with the exact elimination, and the rate is the sum of
    distribution times rates of absorption, all positive: relative accuracy does not suffer where k is small.
    """
    reached = can_reach(chain.rates.T, chain.start > 0)
    spectral = chain.solver.spectral if reached.all() else None
    if spectral is not None:
        values, vector = spectral.values, spectral.vectors[:, 0] * spectral.root
        left = chain.solver.elimination.solve_left
        absorption = chain.absorption
    else:
        rates, absorption = chain.solver.dense[np.ix_(reached, reached)], chain.absorption[reached]
        spectrum, vectors = eig((np.diag(rates.sum(axis=1) + absorption) - rates).T)
        order = np.argsort(spectrum.real)
        values, vector = spectrum.real[order], np.abs(vectors[:, order[0]].real)
        left = BlockElimination(rates, absorption).solve_left
    vector = vector / vector.sum()
    for _ in range(100):
        last, vector = vector, left(vector)
        vector = vector / vector.sum()
        if np.abs(vector - last).sum() < 1e-14:
            break
    rate = float(vector @ absorption)
    gap = float(values[1]) - rate if len(values) > 1 else np.inf
    distribution = np.zeros(len(chain))
    distribution[reached] = vector
    return QuasiSteadyMode(read_only(distribution), rate, 1 / gap if gap > 1e-12 * rate else np.inf)
