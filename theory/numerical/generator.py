"""Read rates and generators: check them, and keep the rates of absorption apart from the diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from theory.numerical.checks import ROUNDING, read_only
from theory.numerical.elimination import Array


def transient_rates(rates: Any, absorption: Any) -> tuple[Any, Array]:
    """Checked rates with zero diagonal (CSR or read-only dense), and rates of absorption (n,)."""
    absorption = read_only(absorption)
    states = absorption.size
    matrix = sparse.csr_array(rates) if sparse.issparse(rates) else np.array(rates, dtype=float)
    if absorption.ndim != 1 or states == 0 or matrix.shape != (states, states):
        raise ValueError(
            f"`rates` must be (n, n) and `absorption` (n,), got {matrix.shape} and {absorption.shape}; "
            "leave the target out of `rates`"
        )
    if sparse.issparse(matrix):
        matrix = (matrix - sparse.diags_array(matrix.diagonal())).tocsr()
        matrix.eliminate_zeros()
        values = matrix.data
    else:
        np.fill_diagonal(matrix, 0.0)
        values = matrix
        matrix.flags.writeable = False
    for name, given in (("rates", values), ("absorption", absorption)):
        bad = ~(np.isfinite(given) & (given >= 0))
        if bad.any():
            raise ValueError(f"`{name}` must be finite and >= 0, got {given[bad][0]}")
    return matrix, absorption


def split_generator(generator: Any) -> tuple[Any, Array]:
    """Rates between transient states and rates of absorption of a sub-generator, (n, n)."""
    matrix = sparse.csr_array(generator) if sparse.issparse(generator) else np.array(generator, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"`generator` must be a square matrix, got shape {matrix.shape}")
    diagonal = np.asarray(matrix.diagonal())
    deficit = -np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.maximum(np.abs(diagonal), 1e-300)
    worst = int(np.argmin(deficit / scale))
    if not np.isfinite(deficit).all() or deficit[worst] < -1e-9 * scale[worst]:
        raise ValueError(
            f"`generator` must have rows that sum to at most 0, got {-deficit[worst]:g} in row {worst}; "
            "the diagonal is minus the total rate out of the state, absorption included"
        )
    return matrix, np.where(deficit > ROUNDING * scale, deficit, 0.0)
