r"""Linear response to rare perturbation, exact, beside a finite difference of the exact mean.

Perturb once at time t, at small rate r: the mean changes by what the perturbation changes in the time still
to go, K m instead of m, from the state it finds. Summed over the passage,

    d<T_r>/dr at r = 0  =  int_0^inf p e^{At} (K m - m) dt  =  q K m - q m,   q = p (-A)^{-1},  -A m = 1.

q is the mean time spent in each state, q 1 = <T> and q m = <T^2> / 2: it is <T> tau - <T^2>/2 of Keidar and
Reuveni (arXiv:2410.16129) with tau = q K m / <T>, the residual time averaged over the time of the passage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.numerical.chain import AbsorbingChain
from theory.numerical.kernels import as_kernel


@dataclass(frozen=True, slots=True)
class LinearCheck:
    """Response of the mean first-passage time to a small Poisson rate.

    Attributes
    ----------
    slope : float
        d<T_r>/dr at r = 0, time squared.
    difference : float
        The same from exact means at the rates 0, d, 2 d, 3 d, 4 d.
    tau, critical_tau : float
        Residual time of one rare perturbation, and <T^2> / (2 <T>), below which it helps.
    """

    slope: float
    difference: float
    tau: float
    critical_tau: float

    @property
    def helps(self) -> bool:
        """Whether rare perturbation shortens the mean."""
        return self.tau < self.critical_tau


def check_linear_response(chain: AbsorbingChain, K: Any, step: float = 1e-3) -> LinearCheck:
    """Exact linear response, and a one-sided difference of order 4 with rates ``step`` / <T> apart.

    Examples
    --------
    Full resetting of an exponential time changes nothing:

    >>> check_linear_response(AbsorbingChain([[0.0]], [2.0], start=0), [[1.0]]).slope
    0.0
    """
    kernel = as_kernel(K, len(chain))
    tau, mean = chain.tau_linear(kernel), chain.mfpt()
    critical = chain.second_moment() / (2 * mean)
    rate = step / mean
    means = np.array([chain.mfpt_poisson(n * rate, kernel) for n in range(5)])
    difference = float(np.array([-25, 48, -36, 16, -3]) @ means / (12 * rate))
    return LinearCheck(mean * (tau - critical), difference, tau, critical)
