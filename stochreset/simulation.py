"""The entry point: simulate first-passage times of a process under a protocol and a perturbation."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stochreset.engine import LARGEST_BATCH, check_threads, chunk_size, run_blocks
from stochreset.plan import Plan, make_plan
from theory.estimates import Estimate
from theory.passages import PassageSample
from theory.survival import restricted_mean

DIGEST_BLOCK = 1 << 16
_Raw = tuple[NDArray[np.float64], NDArray[np.bool_], int, float]


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSample(PassageSample):
    """First-passage times of simulated runs, in the unit of time of the process.

    Attributes
    ----------
    times, censored
        As in `theory.PassageSample`; censored at the horizon.
    method : {"exact", "bridge", "euler"}
        Method that ran.
    dt : float or None
        Time step, None for ``exact``.
    expected_bias : str
        What is known in advance about the error of the mean.
    bias : Estimate or None
        Bias of the (restricted) mean as estimated from a second sample with half the step, where asked for.
    seed : int
        Seed of the sample.
    steps : int
        Elementary steps made: time steps, jumps, or intervals between perturbations.
    seconds : float
        Wall time, without compilation.
    """

    method: str = "exact"
    dt: float | None = None
    expected_bias: str = "none"
    bias: Estimate | None = None
    seed: int = 0
    steps: int = 0
    seconds: float = 0.0

    def digest(self) -> str:
        """SHA-256 of all times and censoring marks; equal for any number of threads."""
        result = hashlib.sha256()
        for first in range(0, len(self), DIGEST_BLOCK):
            part = slice(first, first + DIGEST_BLOCK)
            result.update(self.times[part].astype("<f8").tobytes())
            result.update(self.censored[part].tobytes())
        return result.hexdigest()


def simulate(
    process: Any,
    protocol: Any = None,
    perturbation: Any = None,
    *,
    runs: int,
    seed: int,
    horizon: float | None = None,
    method: str = "auto",
    dt: float | None = None,
    threads: int | None = None,
    device: str = "cpu",
    estimate_bias: bool = False,
    progress: bool = False,
) -> SimulatedSample:
    """Simulate first-passage times.

    Parameters
    ----------
    process : Process
        What moves, where it starts and what it is to reach; see `stochreset.processes`.
    protocol : Protocol, optional
        When it is perturbed; see `stochreset.protocols`. Default: never.
    perturbation : Perturbation, optional
        What a perturbation does; see `stochreset.perturbations`. Default: a reset to the start.
    runs : int
        Number of independent runs.
    seed : int
        From 0 to 2**64 - 1. The same seed and number of runs give the same times, bit for bit, for any number
        of threads.
    horizon : float, optional
        Time at which a run that has not arrived is censored. Default: none, every run is followed to arrival.
    method : {"auto", "exact", "bridge", "euler"}
        ``exact``: the law between perturbations is sampled; ``bridge``: time steps with a test whether the
        target was crossed within each; ``euler``: Euler's method, which looks at the ends of steps only.
        ``auto`` takes the first of them that can simulate the process.
    dt : float, optional
        Time step of ``bridge`` and ``euler``. Default: from the time scales of the process.
    threads : int, optional
        Of the CPU. Default: one per processor.
    device : {"cpu", "cuda"}
        ``cuda`` runs ``bridge`` and ``euler`` for one-dimensional diffusions on an NVIDIA GPU. The same seed
        and number of runs give the same times on the same kind of GPU; they are not those of the CPU.
    estimate_bias : bool
        Whether to simulate a second sample with half the step and estimate the bias from the difference.
    progress : bool
        Whether to show a progress bar on standard error.

    Returns
    -------
    SimulatedSample
        A `theory.PassageSample` that also says how it was made.

    Examples
    --------
    >>> from stochreset import Brownian, Poisson, Reset
    >>> sample = simulate(Brownian(diffusion=0.5, target=1), Poisson(2.5), Reset(), runs=10_000, seed=1)
    >>> sample.method, len(sample), sample.n_censored
    ('exact', 10000, 0)
    """
    if device != "cpu":
        from stochreset.cuda import check_device, check_gpu

        method = check_device(device, process, method)
    plan = make_plan(process, protocol, perturbation, horizon, method, dt)
    check_runs(runs)
    check_seed(seed)
    workers: int | None = check_threads(threads)
    if device == "cuda":
        check_gpu()
        workers = None
    sample = _sample(plan, int(runs), int(seed), workers, progress)
    if not estimate_bias or plan.dt is None:
        return sample
    # Another seed: with the same one both samples would share their first numbers.
    finer = _sample(replace(plan, dt=plan.dt / 2), int(runs), (int(seed) + 1) % 2**64, workers, progress)
    return replace(sample, bias=_bias(sample, finer, plan.process.bias_order(plan.method)))


def _sample(plan: Plan, runs: int, seed: int, threads: int | None, progress: bool) -> SimulatedSample:
    """Sample of a plan, simulated by threads of the CPU; with None by the GPU."""
    if threads is None:
        times, censored, steps, seconds = _on_gpu(plan, runs, seed, progress)
    else:
        times, censored, steps, seconds = _on_cpu(plan, runs, seed, threads, progress)
    times.flags.writeable = censored.flags.writeable = False
    return SimulatedSample(
        times,
        censored,
        method=plan.method,
        dt=plan.dt,
        expected_bias=plan.expected_bias,
        seed=seed,
        steps=steps,
        seconds=seconds,
    )


def _on_cpu(plan: Plan, runs: int, seed: int, threads: int, progress: bool) -> _Raw:
    size = chunk_size(runs)
    fill = plan.kernel(size, seed)
    times, censored = np.empty(runs), np.empty(runs, dtype=np.bool_)
    compile_kernel(fill, progress)
    steps: list[int] = []

    def work(first: int, last: int, stop: np.ndarray) -> None:
        part = slice(first * size, min(runs, last * size))
        steps.append(fill(part.start, times[part], censored[part], stop))

    began = time.perf_counter()
    blocks, largest = -(-runs // size), max(1, LARGEST_BATCH // size)
    run_blocks(work, blocks, threads=threads, largest=largest, progress=progress)
    seconds = time.perf_counter() - began
    return times, censored, sum(steps), seconds


def _on_gpu(plan: Plan, runs: int, seed: int, progress: bool) -> _Raw:
    from stochreset.cuda import GPU

    gpu = GPU(plan)
    began = time.perf_counter()
    times, censored, steps = gpu.run(runs, seed, progress)
    return times, censored, steps, time.perf_counter() - began


def _bias(coarse: SimulatedSample, fine: SimulatedSample, order: float) -> Estimate:
    """Bias of the coarse mean, from (coarse - fine) / (1 - 2^-order)."""
    horizon = min(coarse.horizon, fine.horizon)
    a, b = (restricted_mean(sample, horizon) for sample in (coarse, fine))
    scale = 1 / (1 - 0.5**order)
    value, stderr = scale * (a.value - b.value), scale * float(np.hypot(a.stderr, b.stderr))
    return Estimate(value, stderr, value - 1.96 * stderr, value + 1.96 * stderr)


def compile_kernel(fill: Any, progress: bool) -> None:
    """Compile a kernel by calling it for no run at all."""
    if progress:
        import sys

        print("compiling the kernel (once; then cached) ...", end="\r", file=sys.stderr, flush=True)
    fill(0, np.empty(0), np.empty(0, dtype=np.bool_), np.zeros(1, dtype=np.uint8))
    if progress:
        print(" " * 50, end="\r", file=sys.stderr, flush=True)


def check_runs(runs: int) -> None:
    """Raise unless ``runs`` is a number of runs."""
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or runs < 1:
        raise ValueError(f"`runs` must be a whole number, 1 or larger, got {runs!r}")


def check_seed(seed: int) -> None:
    """Raise unless ``seed`` is a seed."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"`seed` must be a whole number from 0 to 2**64 - 1, got {seed!r}")
