"""ssm-simulators: two processes of its one-thread Cython loop.

Its threads need a build with GSL, re-seed for each path, gain a tenth on two cores and fail at many `max_t`.
Both of its boundaries are symmetric about 0: positions are shifted so that the lower one is out of reach.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
from ssms.basic_simulators.simulator import simulator

from passages.machine import CORES
from passages.methods import Draw
from passages.works import EULER_STEP, Work

SHIFT = {"W1": 9.0, "W3": 4.0}  # target + shift is the upper boundary
LONGEST = {"W1": 60, "W3": 200}  # beyond any path: one in 1e8 goes on


@cache
def pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(CORES, mp_context=get_context("fork"))


def passage_sum(name: str, work: dict, runs: int, seed: int) -> float:
    shift = SHIFT[name]
    bound = work["target"] + shift
    theta = {"v": work["drift"] + work["stiffness"] * shift, "a": bound, "t": 0.0}
    theta["z"] = (work["start"] + shift + bound) / (2 * bound)
    if work["stiffness"]:
        theta["g"] = work["stiffness"]
    result = simulator(
        theta=theta,
        model="ornstein" if work["stiffness"] else "ddm",
        n_samples=runs,
        delta_t=EULER_STEP,
        max_t=LONGEST[name],
        sigma_noise=work["noise"],
        smooth_unif=False,
        random_state=seed,
        n_threads=1,
    )
    return float(np.asarray(result["rts"], np.float64).sum())


def draw(work: Work, runs: int, seed: int) -> Draw:
    numbers = {
        "drift": work.drift,
        "stiffness": work.stiffness,
        "noise": work.noise,
        "start": work.start,
        "target": work.target,
    }
    share = -(-runs // CORES)
    waiting = [
        pool().submit(passage_sum, work.name, numbers, share, seed * CORES + core) for core in range(CORES)
    ]
    total = sum(part.result() for part in waiting)
    return Draw(total / (share * CORES), share * CORES, total / EULER_STEP, label=f", {CORES} processes")
