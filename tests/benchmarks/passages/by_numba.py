"""Plain numba, as a user would write it: one trajectory after the other, the random numbers of numpy."""

# ruff: noqa: NPY002  (numba knows only the legacy functions inside a prange)

from functools import cache
from math import sqrt

from passages.methods import Draw, Method
from passages.works import EULER_STEP, Work

NAME = "numba, plain prange"


@cache
def kernels():
    """Compile the three loops; here because importing numba takes a second."""
    import numpy as np
    from numba import njit, prange

    @njit(parallel=True, fastmath=True)
    def free(runs, drift, stiffness, noise, start, target, dt):
        steps = np.empty(runs, np.int64)
        for i in prange(runs):
            x, n = start, 0
            while x < target:
                x += (drift - stiffness * x) * dt + noise * np.random.standard_normal()
                n += 1
            steps[i] = n
        return steps

    @njit(parallel=True, fastmath=True)
    def poisson(runs, drift, stiffness, noise, start, target, dt, chance):
        steps = np.empty(runs, np.int64)
        for i in prange(runs):
            x, n = start, 0
            while x < target:
                if np.random.random() < chance:
                    x = start
                x += (drift - stiffness * x) * dt + noise * np.random.standard_normal()
                n += 1
            steps[i] = n
        return steps

    @njit(parallel=True, fastmath=True)
    def periodic(runs, drift, stiffness, noise, start, target, dt, period):
        steps = np.empty(runs, np.int64)
        for i in prange(runs):
            x, n, left = start, 0, period
            while x < target:
                if left == 0:
                    x, left = start, period
                x += (drift - stiffness * x) * dt + noise * np.random.standard_normal()
                n += 1
                left -= 1
            steps[i] = n
        return steps

    return free, poisson, periodic


def draw(work: Work, runs: int, seed: int) -> Draw:
    """The seed is not used: numba seeds each thread by itself."""
    free, poisson, periodic = kernels()
    dt = EULER_STEP
    common = (runs, work.drift, work.stiffness, work.noise * sqrt(dt), work.start, work.target, dt)
    if work.rate:
        steps = poisson(*common, work.rate * dt)
    elif work.period:
        steps = periodic(*common, round(work.period / dt))
    else:
        steps = free(*common)
    total = int(steps.sum())
    return Draw(total * dt / runs, runs, total)


METHODS = [Method(NAME, draw)]
