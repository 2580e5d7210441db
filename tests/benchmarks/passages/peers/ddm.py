"""pyddm: the law by its closed form (W1) or an implicit scheme (W3), its lower boundary far away."""

from time import perf_counter

import numpy as np
import pyddm

from passages.methods import Draw
from passages.works import Work

DEFAULT = 0.005  # its grid spacing in x and in t
COARSE_FIRST = (0.04, 0.02, 0.01, 0.005, 0.0025)
SHIFT = {"W1": 9.0, "W3": 4.0}
LONGEST = {"W1": 40, "W3": 160}


def solve(work: Work, grid: float) -> tuple[float, float]:
    """Mean of the law, and the seconds it took."""
    shift = SHIFT[work.name]
    bound = work.target + shift
    linear = work.drift + work.stiffness * shift
    start = perf_counter()
    model = pyddm.gddm(
        drift=(lambda x: linear - work.stiffness * x) if work.stiffness else work.drift,
        noise=work.noise,
        bound=bound,
        starting_position=(work.start + shift) / bound,
        nondecision=0.0,
        mixture_coef=0.0,
        T_dur=LONGEST[work.name],
        dx=grid,
        dt=grid,
    )
    density = np.asarray(model.solve().pdf("correct"))
    mean = float((density * model.t_domain()).sum() / density.sum())
    return mean, perf_counter() - start


def draw(work: Work, runs: int, seed: int) -> Draw:
    mean, seconds = solve(work, DEFAULT)
    exact = work.exact[0]
    accurate = None
    for grid in COARSE_FIRST:
        coarse_mean, coarse_seconds = solve(work, grid)
        if abs(coarse_mean / exact - 1) <= 1e-3:
            accurate = coarse_seconds
            break
    label = ", implicit PDE" if work.stiffness else ", closed form"
    return Draw(mean, 1, seconds=seconds, label=label, law_seconds=accurate)
