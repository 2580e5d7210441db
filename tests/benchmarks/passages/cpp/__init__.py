"""C++ bounds, compiled for this machine when the benchmark starts."""

import ctypes
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from passages.machine import CORES, cpu_flags
from passages.methods import Draw, Method, Unavailable
from passages.works import EULER_STEP, Work

FLAGS = ["-std=c++20", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math"]
FLOAT64 = "C++ float64 lanes"


@cache
def library(source: str) -> ctypes.CDLL:
    """Compile and load one of the sources beside this file."""
    if source.startswith("avx2") and not {"avx2", "fma"} <= cpu_flags():
        raise Unavailable("this CPU has no AVX2")
    if shutil.which("g++") is None:
        raise Unavailable("there is no g++ here")
    folder = Path(mkdtemp(prefix="passages-"))
    try:
        target = folder / "bound.so"
        command = [
            "g++",
            *FLAGS,
            "-shared",
            "-fPIC",
            "-pthread",
            "-o",
            target,
            Path(__file__).parent / source,
        ]
        built = subprocess.run(command, capture_output=True, text=True)
        if built.returncode:
            raise Unavailable(f"g++ failed: {built.stderr.splitlines()[0]}")
        return ctypes.CDLL(str(target))
    finally:
        shutil.rmtree(folder)


def draw(source: str, work: Work, runs: int, seed: int) -> Draw:
    numbers = (work.drift, work.stiffness, work.noise, work.start, work.target)
    settings = (ctypes.c_double * 8)(*numbers, EULER_STEP, work.rate, work.period)
    times = np.empty(runs)
    library(source).passages(
        settings,
        ctypes.c_uint64(seed),
        ctypes.c_int64(runs),
        CORES,
        times.ctypes.data_as(ctypes.c_void_p),
    )
    total = times.sum()
    return Draw(total / runs, runs, total / EULER_STEP)


METHODS = [
    Method("C++ AVX2 float32 lanes", lambda *call: draw("avx2_lanes.cpp", *call)),
    Method(FLOAT64, lambda *call: draw("float64_lanes.cpp", *call)),
]
