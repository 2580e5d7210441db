"""Kernel of scikit-learn for points whose covariance is known as a matrix; imported only where it is used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process.kernels import Kernel


class KnownCovariance(Kernel):  # type: ignore[misc]
    """Covariance looked up in a matrix: the inputs are row numbers, (n, 1).

    Parameters
    ----------
    covariance : (points, points) array
        Symmetric, positive semi-definite.
    """

    def __init__(self, covariance: NDArray[np.float64]) -> None:
        self.covariance = covariance

    def __call__(
        self, X: NDArray[np.intp], Y: NDArray[np.intp] | None = None, eval_gradient: bool = False
    ) -> NDArray[np.float64]:
        """Covariance of the points numbered ``X`` with those numbered ``Y``; there is nothing to derive by."""
        if eval_gradient:
            raise NotImplementedError("a known covariance has no parameters, hence no gradient")
        return self.covariance[np.ix_(_rows(X), _rows(X if Y is None else Y))]

    def diag(self, X: NDArray[np.intp]) -> NDArray[np.float64]:
        """Variances."""
        return np.diag(self.covariance)[_rows(X)].copy()

    def is_stationary(self) -> bool:
        """It depends on more than differences."""
        return False


def _rows(X: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.asarray(X)[:, 0].astype(np.intp)
