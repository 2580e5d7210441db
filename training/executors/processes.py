"""A pool of fresh (spawned) processes that share the cores of this machine."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, ParamSpec, TypeVar

from training.cores import available_cores
from training.executors.workers import call_in_worker, prepare_worker

P = ParamSpec("P")
T = TypeVar("T")


class ProcessPool(ProcessPoolExecutor):
    """A `ProcessPoolExecutor` with the ``spawn`` context, whose workers can be told to end.

    Parameters
    ----------
    workers
        Number of processes; each gets its share of the cores as torch threads.
    gpu_ids
        One ``CUDA_VISIBLE_DEVICES`` for each worker, or nothing to leave the GPUs as they are.
    """

    def __init__(self, workers: int, gpu_ids: tuple[str, ...] = ()) -> None:
        context = multiprocessing.get_context("spawn")
        queue = context.SimpleQueue() if gpu_ids else None
        for gpu in gpu_ids:
            queue.put(gpu)  # type: ignore[union-attr]
        self.workers = workers
        threads = max(1, available_cores() // workers)
        super().__init__(workers, mp_context=context, initializer=prepare_worker, initargs=(threads, queue))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit a call to the pool."""
        return super().submit(call_in_worker, fn, args, kwargs)

    def is_broken(self) -> bool:
        """Whether a worker died, and the pool with it."""
        return bool(getattr(self, "_broken", False))

    def stop(self, patience: float = 3.0) -> None:
        """Drop what has not started, ask the workers to end (SIGTERM), and kill after ``patience`` seconds."""
        processes = list((getattr(self, "_processes", None) or {}).values())
        # Not `future.cancel`: the pool's thread fails on a future that is cancelled when a worker ends.
        self.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + patience
        alive: dict[Any, Any] = {process.sentinel: process for process in processes}
        while alive and (left := deadline - time.monotonic()) > 0:
            for sentinel in wait(list(alive), left):
                del alive[sentinel]
        for process in alive.values():
            process.kill()
        wait_all(list(alive), 2.0)


def wait_all(sentinels: list[Any], seconds: float) -> None:
    """Wait at most ``seconds`` until all of the ``sentinels`` of processes are ready."""
    deadline = time.monotonic() + seconds
    left = set(sentinels)
    while left and (time_left := deadline - time.monotonic()) > 0:
        left -= set(wait(list(left), time_left))


@contextmanager
def open_pool(pool: ProcessPool) -> Iterator[Executor]:
    """Check that the pool can start a worker, yield it, and close it."""
    try:
        try:
            pool.submit(int).result()
        except BrokenExecutor as error:
            raise RuntimeError(
                "the worker processes could not start; what they wrote above says why. They import the main script "
                "anew, so what it does must stand under `if __name__ == '__main__':`"
            ) from error
        yield pool
    except BaseException:
        pool.stop()
        raise
    if pool.is_broken():
        pool.stop()
    else:
        pool.shutdown(wait=True)


@contextmanager
def open_processes(workers: int | None = None) -> Iterator[Executor]:
    """Open a pool of ``workers`` processes; None for one on each core.

    A worker that dies breaks the whole pool, and its futures raise `BrokenProcessPool`; see `run_units`.
    """
    with open_pool(ProcessPool(workers or available_cores())) as pool:
        yield pool
