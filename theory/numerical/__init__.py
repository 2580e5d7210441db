"""Numerically exact first passage under perturbation, for any small process: no sampling, no approximation.

Describe the process: `FokkerPlanck` (a diffusing coordinate in a potential), `MarkovChain` (states and
rates) or `AbsorbingChain` itself. Describe the perturbation: `AffineMap` (reset, shrink and perturb, kick),
`from_distribution`, `informed`, turned into a `Kernel` by `matrix` or `FokkerPlanck.kernel`; or
`SwitchPotential`, which changes the dynamics for good. Ask the chain: `mfpt`, `survival`,
`quasi_steady_state`, `mfpt_periodic`, `mfpt_poisson`, `tau`, ... `richardson` takes the grid out of the
answer; `compare_predictions` and `check_linear_response` put the theory beside the exact answer.
"""

from theory.numerical.chain import AbsorbingChain
from theory.numerical.fokker_planck import FokkerPlanck
from theory.numerical.grid import Grid
from theory.numerical.kernels import (
    AffineMap,
    Kernel,
    StateMap,
    as_kernel,
    from_distribution,
    informed,
    matrix,
    reset_kernel,
)
from theory.numerical.linear_check import LinearCheck, check_linear_response
from theory.numerical.markov import MarkovChain
from theory.numerical.plots import plot_qss_error
from theory.numerical.qss_comparison import QssComparison, compare_predictions
from theory.numerical.quasi_steady import QuasiSteadyMode
from theory.numerical.richardson import Extrapolated, richardson
from theory.numerical.switch import SwitchPotential

__all__ = [
    "AbsorbingChain",
    "AffineMap",
    "Extrapolated",
    "FokkerPlanck",
    "Grid",
    "Kernel",
    "LinearCheck",
    "MarkovChain",
    "QssComparison",
    "QuasiSteadyMode",
    "StateMap",
    "SwitchPotential",
    "as_kernel",
    "check_linear_response",
    "compare_predictions",
    "from_distribution",
    "informed",
    "matrix",
    "plot_qss_error",
    "reset_kernel",
    "richardson",
]
