"""Simulation on an NVIDIA GPU: finds the device, and runs the CUDA kernel in short launches.

Launches last about a twentieth of a second each, so that progress shows and Ctrl-C returns promptly; runs go
on from one to the next. Neither the launches nor the number of threads have an influence on the times.
"""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stochreset.engine import progress_bar
from stochreset.kernels.cuda_threads import DONE, Model, Threads, new_threads
from stochreset.plan import Plan
from stochreset.processes.base import Diffusion, Process

DEVICES = ("cpu", "cuda")
BLOCK = 128
"""Threads in a block, fewer where there are few runs."""
LEAST_BLOCKS = 128
"""Few runs are spread over this many blocks; numba warns of fewer."""
SIMULATED_THREADS, SIMULATED_BLOCKS = 4, 2
"""In numba's simulator of CUDA, which is for tests."""
LARGEST_BATCH = 1 << 26
"""Most runs whose times lie on the device at once."""
LAUNCH_SECONDS = 0.05
FIRST_ROUNDS, MOST_ROUNDS = 16, 1 << 20


def check_device(device: str, process: Any, method: str) -> str:
    """Check that a device is known and can simulate the process; returns the method.

    On the GPU ``auto`` takes the bridge.
    """
    if device not in DEVICES:
        raise ValueError(f"`device` must be one of {', '.join(DEVICES)}, got {device!r}")
    if device == "cpu":
        return method
    if isinstance(process, Process) and not isinstance(process, Diffusion):
        raise ValueError(
            "`device` 'cuda' simulates one-dimensional diffusions such as OrnsteinUhlenbeck or Langevin, not "
            f"{type(process).__name__}; use device='cpu'"
        )
    if method == "exact":
        raise ValueError(
            "`method` 'exact' does not run on `device` 'cuda'; use method='bridge' or 'euler' there, or "
            "device='cpu', where exact runs are fast"
        )
    return "bridge" if method == "auto" else method


def check_gpu() -> None:
    """Raise unless there is a GPU, with what it takes to use it."""
    found = "no GPU with a driver"
    try:
        from numba import cuda
        from numba.core import config

        # numba's own CUDA target, which numba-cuda replaces, does not compile the kernel.
        ours = config.ENABLE_CUDASIM or getattr(cuda, "implementation", "") == "NVIDIA"
        if ours and cuda.is_available():
            cuda.current_context()
            return
    except Exception as problem:  # a broken driver or package may raise anything, which the user should see
        lines = str(problem).strip().splitlines()
        found = f"{type(problem).__name__}: {lines[-1] if lines else 'no message'}"
    raise RuntimeError(
        "`device` 'cuda' needs an NVIDIA GPU with its driver and the package numba-cuda; found "
        f"{_installed('numba')}, {_installed('numba-cuda')}, {found}. Install 'stochreset[cuda]' on such a "
        "machine, or use device='cpu'"
    )


def _installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


class GPU:
    """A plan ready on the GPU, its kernel compiled.

    Parameters
    ----------
    plan : Plan
        What to simulate, by time steps.
    threads : int, optional
        Number of threads. Default: as many as run at once.

    Raises
    ------
    ValueError
        If a function that the user gave cannot be compiled for the GPU.
    RuntimeError
        If the installed packages do not work together.
    """

    def __init__(self, plan: Plan, threads: int | None = None) -> None:
        from numba import cuda
        from numba.core.errors import NumbaError

        from stochreset.kernels.cuda_kernel import build_kernel

        clock, condition, move = plan.arguments()
        clock = clock._replace(table=cuda.to_device(clock.table))
        move = move._replace(table=cuda.to_device(move.table))
        self.model = Model(*plan.stepped(), clock, condition, move, float(plan.horizon))
        self.kernel = build_kernel(self.model)
        try:
            _Batch(self, 1, 0, 0, 1).launch(0)
        except (NumbaError, KeyError) as problem:  # a KeyError names a NumPy function that CUDA lacks
            lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
            raise ValueError(
                "`device` 'cuda' cannot compile a function of x that was given; write it with arithmetic and "
                f"`math`, or use device='cpu'. numba says: {' '.join(lines[:3])}"
            ) from problem
        except AttributeError as problem:  # numba-cuda 0.30 asks NumPy for what 2.5 has no longer
            raise RuntimeError(
                f"`device` 'cuda' needs packages that fit each other; {_installed('numba-cuda')} with "
                f"{_installed('numba')} and {_installed('numpy')} says: {problem}. Install 'stochreset[cuda]', "
                "which asks for versions that do, or use device='cpu'"
            ) from problem
        self.threads = self._threads_at_once() if threads is None else threads

    def _threads_at_once(self) -> int:
        from numba.core import config

        if config.ENABLE_CUDASIM:
            return SIMULATED_THREADS
        *_, compiled = self.kernel.overloads.values()
        return int(BLOCK * compiled.max_cooperative_grid_blocks(BLOCK))

    def run(self, runs: int, seed: int, progress: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
        """Simulate runs: returns their times, whether they are censored, and the number of steps."""
        times, censored, steps = np.empty(runs), np.empty(runs, np.bool_), 0
        with progress_bar(progress, "simulating on the GPU", runs) as bar:
            for first in range(0, runs, LARGEST_BATCH):
                part = slice(first, min(runs, first + LARGEST_BATCH))
                batch = _Batch(self, part.stop - first, seed, first, self.threads)
                while not batch.finished():
                    bar(first + batch.done)
                steps += batch.fetch(times[part], censored[part])
        return times, censored, steps


class _Batch:
    """Runs on the device, with the threads that follow them."""

    def __init__(self, gpu: GPU, runs: int, seed: int, first: int, threads: int) -> None:
        from numba import cuda
        from numba.core import config

        self.gpu, self.runs, self.seed, self.first, self.done = gpu, runs, np.uint64(seed), first, 0
        count, least = min(threads, runs), SIMULATED_BLOCKS if config.ENABLE_CUDASIM else LEAST_BLOCKS
        self.block = min(BLOCK, -(-count // least))
        self.blocks = max(least, -(-count // self.block))
        self.threads = Threads(*map(cuda.to_device, new_threads(count)))
        self.counters = cuda.to_device(np.zeros(2, np.int64))
        self.times = cuda.device_array(runs, np.float64)
        self.censored = cuda.device_array(runs, np.bool_)
        self.rounds = FIRST_ROUNDS

    def launch(self, rounds: int) -> None:
        """Let every thread go through some rounds, and wait."""
        self.gpu.kernel[self.blocks, self.block](
            self.gpu.model,
            self.threads,
            self.counters,
            self.times,
            self.censored,
            self.first,
            self.seed,
            rounds,
        )
        self.done = int(self.counters.copy_to_host()[DONE])

    def finished(self) -> bool:
        """Go on for about `LAUNCH_SECONDS`; returns whether all runs have ended."""
        began = time.perf_counter()
        self.launch(self.rounds)
        faster = min(4.0, LAUNCH_SECONDS / max(time.perf_counter() - began, 1e-9))
        self.rounds = max(1, min(MOST_ROUNDS, int(self.rounds * faster)))
        return self.done == self.runs

    def fetch(self, times: NDArray[np.float64], censored: NDArray[np.bool_]) -> int:
        """Copy the results to the host; returns the number of steps."""
        times[:], censored[:] = self.times.copy_to_host(), self.censored.copy_to_host()
        return int(self.threads.steps.copy_to_host().sum())  # type: ignore[attr-defined]
