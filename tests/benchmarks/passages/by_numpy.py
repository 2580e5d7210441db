"""NumPy on one core: all trajectories in one array, which shrinks as they arrive."""

from math import sqrt

import numpy as np

from passages.methods import Draw, Method
from passages.works import EULER_STEP, Work


def draw(work: Work, runs: int, seed: int) -> Draw:
    rng = np.random.default_rng(seed)
    dt = EULER_STEP
    noise = work.noise * sqrt(dt)
    period = round(work.period / dt)
    x = np.full(runs, work.start)
    step = total = 0
    while x.size:
        if work.rate:
            x[rng.random(x.size) < work.rate * dt] = work.start
        elif period and step % period == 0:
            x[:] = work.start
        x += (work.drift - work.stiffness * x) * dt + noise * rng.standard_normal(x.size)
        step += 1
        total += x.size
        arrived = x >= work.target
        if arrived.any():
            x = x[~arrived]
    return Draw(total * dt / runs, runs, total)


# A short array would be timed for its overhead.
METHODS = [Method("NumPy, one array, 1 core", draw, fewest=10_000)]
