r"""The fast propagator: states on a line, detailed balance, symmetrised eigenvectors.

With pi_i up_i = pi_{i+1} down_{i+1} the matrix sqrt(pi) (-A) 1/sqrt(pi) = B^T B is symmetric and
tridiagonal, with orthonormal eigenvectors v_k, and e^{At} = 1/sqrt(pi) v e^{-lambda t} v^T sqrt(pi).
Rounding errors of v are multiplied by sqrt(pi_max / pi_i) where the motion starts in state i: harmless in a
well, useless after a strong drift. `Spectral.error` says so beforehand.

Eigenvalues are taken again as |B v_k|^2, a sum of squares, which repairs the small ones; the smallest comes
from inverse iteration with the elimination that has no subtractions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal

from theory.numerical.elimination import Array, TridiagonalElimination
from theory.numerical.steps import Step

EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True, eq=False)
class Spectral:
    """Eigen-decomposition of a reversible chain on a line.

    Attributes
    ----------
    values : (n,) array
        Eigenvalues of -A, ascending, 1 / time.
    vectors : (n, n) array
        Orthonormal eigenvectors in columns.
    root : (n,) array
        sqrt(pi), at most 1.
    """

    values: Array
    vectors: Array
    root: Array

    def error(self, weights: Array) -> float:
        """Absolute error of probabilities when the start has these weights, shape (n,)."""
        return float(4 * EPSILON * np.sqrt(len(weights)) * (weights @ (1 / self.root)) / weights.sum())

    def evolve(self, start: Array, times: Array) -> Array:
        """Occupation ``start`` e^{At} at each time, shape (m, n)."""
        modes = (start / self.root) @ self.vectors
        decay = modes * np.exp(-np.outer(times, self.values))
        return np.maximum((decay @ self.vectors.T) * self.root, 0.0)

    def backward(self, values: Array, times: Array) -> Array:
        """e^{At} ``values`` at each time, shape (m, n)."""
        modes = (values * self.root) @ self.vectors
        decay = modes * np.exp(-np.outer(times, self.values))
        return np.maximum((decay @ self.vectors.T) / self.root, 0.0)

    def step(self, times: Array, weights: Array) -> Step:
        """Mixture of steps over ``times`` with ``weights`` that sum to 1."""
        rates = np.outer(times, self.values)
        left, right = self.vectors / self.root[:, None], self.vectors.T * self.root
        total = right.sum(axis=1)
        gone = weights @ -np.expm1(-rates)
        survive = np.maximum((left * (weights @ np.exp(-rates))) @ right, 0.0)
        absorbed = np.maximum(left @ (gone * total), 0.0)
        return Step(survive, absorbed, left @ (gone / self.values * total)).normalised()


def decompose(down: Array, up: Array, absorption: Array) -> Spectral | None:
    """Eigen-decomposition of a chain on a line; None where detailed balance fails or is too uneven.

    Parameters
    ----------
    down, up : (n - 1,) arrays
        Rates i + 1 -> i and i -> i + 1, 1 / time.
    absorption : (n,) array
        1 / time; some state must be absorbed.
    """
    if not ((down > 0).all() and (up > 0).all() and (absorption > 0).any()):
        return None
    log = np.concatenate([[0.0], np.cumsum(np.log(up / down))]) / 2
    root = np.exp(log - log.max())
    if root.min() < 1e-100:
        return None
    diagonal = np.concatenate([up, [0.0]]) + np.concatenate([[0.0], down]) + absorption
    values, vectors = eigh_tridiagonal(diagonal, -np.sqrt(up * down))
    flow = vectors[1:] * np.sqrt(down)[:, None] - vectors[:-1] * np.sqrt(up)[:, None]
    values = np.sum(flow**2, axis=0) + absorption @ vectors**2
    lowest = np.abs(vectors[:, 0])
    elimination = TridiagonalElimination(down, up, absorption)
    for _ in range(3):
        lowest = elimination.solve(lowest / root) * root
        lowest /= np.linalg.norm(lowest)
    # The rate of absorption out of the quasi-steady state is a sum of positive terms.
    values[0] = float((lowest * root) @ absorption / (lowest @ root))
    vectors[:, 0] = lowest
    return Spectral(values, vectors, root)
