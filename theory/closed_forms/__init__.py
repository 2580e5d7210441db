"""Exact first-passage laws, one model per file.

Each model is a frozen dataclass of plain parameters and a `FirstPassageLaw`: survival probability, density
and Laplace transform, the moments, and the mean first-passage time under Poisson and sharp resetting to the
start, with the best rate and period. Simulations and estimators are tested on them.
"""

from theory.closed_forms.base import FirstPassageLaw
from theory.closed_forms.brownian import Brownian
from theory.closed_forms.interval import Interval
from theory.closed_forms.lattice_walk import LatticeWalk
from theory.closed_forms.linear_logarithmic import LinearLogarithmic
from theory.closed_forms.ornstein_uhlenbeck import OrnsteinUhlenbeck
from theory.closed_forms.run_and_tumble import RunAndTumble
from theory.closed_forms.sphere import Sphere

__all__ = [
    "Brownian",
    "FirstPassageLaw",
    "Interval",
    "LatticeWalk",
    "LinearLogarithmic",
    "OrnsteinUhlenbeck",
    "RunAndTumble",
    "Sphere",
]
