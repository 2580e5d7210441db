"""Monte Carlo of first passage under resetting and other perturbations, on toy models with known answers.

`simulate` is the entry point: a process (what moves and what it is to reach), a protocol (when it is
perturbed) and a perturbation (what is done to it) give a censored `theory.PassageSample`. Processes,
protocols and perturbations are small frozen classes, one per file, in the folders of these names; adding one
is adding a file. Processes know their exact answers where there are any. `summarize` keeps moments, a
histogram and the survival curve instead of the times; `trajectories` records whole paths. Underneath,
`kernels` holds what numba compiles. Names load when first used, which keeps ``import stochreset`` fast.
"""

from typing import TYPE_CHECKING

from stochreset.lazy import lazy_names

if TYPE_CHECKING:
    from stochreset.autoregression import Autoregression
    from stochreset.paths import Trajectory, trajectories
    from stochreset.perturbations import Kick, NewCycle, PartialReset, Reset, ShrinkPerturb, SwitchPotential
    from stochreset.plateaus import PlateauMixture
    from stochreset.processes import (
        CTRW,
        Brownian,
        DoubleWell,
        Interval,
        Langevin,
        LatticeWalk,
        LevyFlight,
        LinearLogarithmic,
        MarkovChain,
        OrnsteinUhlenbeck,
        Plateaus,
        RunAndTumble,
        Sphere,
    )
    from stochreset.protocols import Gamma, Informed, Never, Once, Periodic, Poisson, Renewal, Uniform
    from stochreset.sample_file import read_sample, write_sample
    from stochreset.simulation import SimulatedSample, simulate
    from stochreset.streaming import PassageSummary, summarize
    from stochreset.toy_environment import ToyEnvironment
    from stochreset.traces import record
    from stochreset.version import __version__ as __version__

__all__ = [
    "Autoregression",
    "Brownian",
    "CTRW",
    "DoubleWell",
    "Gamma",
    "Informed",
    "Interval",
    "Kick",
    "Langevin",
    "LatticeWalk",
    "LevyFlight",
    "LinearLogarithmic",
    "MarkovChain",
    "Never",
    "NewCycle",
    "Once",
    "OrnsteinUhlenbeck",
    "PartialReset",
    "PassageSummary",
    "Periodic",
    "PlateauMixture",
    "Plateaus",
    "Poisson",
    "Renewal",
    "Reset",
    "RunAndTumble",
    "ShrinkPerturb",
    "SimulatedSample",
    "Sphere",
    "SwitchPotential",
    "ToyEnvironment",
    "Trajectory",
    "Uniform",
    "read_sample",
    "record",
    "simulate",
    "summarize",
    "trajectories",
    "write_sample",
]

_HOMES = {
    "stochreset.autoregression": ("Autoregression",),
    "stochreset.perturbations": (
        "Kick",
        "NewCycle",
        "PartialReset",
        "Reset",
        "ShrinkPerturb",
        "SwitchPotential",
    ),
    "stochreset.plateaus": ("PlateauMixture",),
    "stochreset.processes": (
        "Brownian",
        "CTRW",
        "DoubleWell",
        "Interval",
        "Langevin",
        "LatticeWalk",
        "LevyFlight",
        "LinearLogarithmic",
        "MarkovChain",
        "OrnsteinUhlenbeck",
        "Plateaus",
        "RunAndTumble",
        "Sphere",
    ),
    "stochreset.protocols": (
        "Gamma",
        "Informed",
        "Never",
        "Once",
        "Periodic",
        "Poisson",
        "Renewal",
        "Uniform",
    ),
    "stochreset.paths": ("Trajectory", "trajectories"),
    "stochreset.sample_file": ("read_sample", "write_sample"),
    "stochreset.simulation": ("SimulatedSample", "simulate"),
    "stochreset.toy_environment": ("ToyEnvironment",),
    "stochreset.traces": ("record",),
    "stochreset.streaming": ("PassageSummary", "summarize"),
    "stochreset.version": ("__version__",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


__getattr__, __dir__ = lazy_names(__name__, _HOME)
