"""The CUDA kernel for one-dimensional diffusions: time steps with or without a bridge test of the target.

A thread that has ended a run takes the next from a counter, so that no thread idles while there are runs
left. Which thread takes which does not matter, since runs have random numbers of their own.
"""

from __future__ import annotations

import math
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from numba import cuda
from numba.core import config

from stochreset.kernels.bits import bits_float, float_bits
from stochreset.kernels.cuda_numbers import next_thread_word, thread_normal
from stochreset.kernels.cuda_threads import CENSORED, DONE, FREE, GOES_ON, TAKEN, Model, one_round
from stochreset.kernels.cuda_translation import Function, Translator, operations
from stochreset.kernels.normals import normal
from stochreset.kernels.streams import next_word

LACKING = "sqrt exp expm1 log1p fabs floor ceil copysign fmod isfinite isinf".split()
"""NumPy functions of numbers that numba's CUDA target does not know, but the same in `math`."""
SUBSTITUTES: dict[Function, Function] = {next_word: next_thread_word, normal: thread_normal}


def model_operations(model: Model) -> dict[Function, Function]:
    """Implementation of each operation for the types in a model."""
    return operations(
        process=type(model.process),
        scheme=type(model.scheme),
        monitor=type(model.monitor),
        condition=type(model.condition),
    )


def build_kernel(model: Model) -> Any:
    """Kernel for models whose parts have the same types; compiled by its first launch."""
    return _built(tuple(model_operations(model).items()))


@lru_cache(maxsize=256)
def _built(implementations: tuple[tuple[Function, Function], ...]) -> Any:
    substitutes = {**SUBSTITUTES, **dict(implementations)}
    if config.ENABLE_CUDASIM:
        round_of = Translator(lambda function: function, substitutes, {})(one_round)
    else:
        ready = {**_bit_casts(), **_numpy_by_math()}
        round_of = Translator(cuda.jit(device=True), substitutes, ready)(one_round)

    @cuda.jit
    def kernel(model, threads, counters, times, censored, first, seed, rounds):
        j = cuda.grid(1)
        if j >= threads.run.size:
            return
        for _ in range(rounds):
            taken = FREE
            if threads.run[j] == FREE:
                taken = cuda.atomic.add(counters, TAKEN, 1)
                if taken >= times.size:
                    return
            fate, when = round_of(model, threads, j, taken, first, seed)
            if fate != GOES_ON:
                times[threads.run[j]], censored[threads.run[j]] = when, fate == CENSORED
                threads.run[j] = FREE
                cuda.atomic.add(counters, DONE, 1)

    return kernel


def _bit_casts() -> dict[Function, Any]:
    from numba.cuda import libdevice

    @cuda.jit(device=True)
    def as_int(x):
        return libdevice.float_as_int(x)

    @cuda.jit(device=True)
    def as_float(x):
        return libdevice.int_as_float(x)

    return {float_bits: as_int, bits_float: as_float}


def _numpy_by_math() -> dict[Any, Any]:
    """NumPy with what CUDA lacks taken from elsewhere, and the same for these functions themselves."""
    names = {name: getattr(math, name) for name in LACKING} | {"abs": abs, "absolute": abs, "power": pow}
    module = ModuleType("numpy")
    module.__dict__.update({**vars(np), **names})
    return {np: module, **{getattr(np, name): function for name, function in names.items()}}
