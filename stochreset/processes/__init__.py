"""Processes with a target: each a class in a file of its own that knows its parameters and exact answers.

Names load when first used: some processes bring closed forms and kernels that others do not need.
"""

from typing import TYPE_CHECKING

from stochreset.lazy import lazy_names

if TYPE_CHECKING:
    from stochreset.processes.base import Process
    from stochreset.processes.brownian import Brownian
    from stochreset.processes.ctrw import CTRW
    from stochreset.processes.double_well import DoubleWell
    from stochreset.processes.interval import Interval
    from stochreset.processes.langevin import Langevin
    from stochreset.processes.lattice_walk import LatticeWalk
    from stochreset.processes.levy_flight import LevyFlight
    from stochreset.processes.linear_logarithmic import LinearLogarithmic
    from stochreset.processes.markov_chain import MarkovChain
    from stochreset.processes.ornstein_uhlenbeck import OrnsteinUhlenbeck
    from stochreset.processes.plateaus import Plateaus
    from stochreset.processes.run_and_tumble import RunAndTumble
    from stochreset.processes.sphere import Sphere

__all__ = [
    "CTRW",
    "Brownian",
    "DoubleWell",
    "Interval",
    "Langevin",
    "LatticeWalk",
    "LevyFlight",
    "LinearLogarithmic",
    "MarkovChain",
    "OrnsteinUhlenbeck",
    "Plateaus",
    "Process",
    "RunAndTumble",
    "Sphere",
]

_HOME = {
    "Brownian": "brownian",
    "CTRW": "ctrw",
    "DoubleWell": "double_well",
    "Interval": "interval",
    "Langevin": "langevin",
    "LatticeWalk": "lattice_walk",
    "LevyFlight": "levy_flight",
    "LinearLogarithmic": "linear_logarithmic",
    "MarkovChain": "markov_chain",
    "OrnsteinUhlenbeck": "ornstein_uhlenbeck",
    "Plateaus": "plateaus",
    "Process": "base",
    "RunAndTumble": "run_and_tumble",
    "Sphere": "sphere",
}


__getattr__, __dir__ = lazy_names(
    __name__, {name: f"stochreset.processes.{module}" for name, module in _HOME.items()}
)
