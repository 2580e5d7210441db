"""Runs a kernel over chunks of runs in several threads, with progress, and stops promptly on Ctrl-C.

Chunks have random numbers of their own, so which thread takes which does not matter. A thread takes as many
chunks at a time as last about a tenth of a second.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH_SECONDS = 0.1
LARGEST_BATCH = 1 << 22
"""Most runs in one batch."""


def chunk_size(runs: int) -> int:
    """Runs that share a stream: a power of two from 128 to 2048, a sixteenth of all runs or less."""
    return int(min(2048, max(128, 1 << max(0, (runs // 16).bit_length() - 1))))


def check_threads(threads: int | None) -> int:
    """Return the number of threads; by default as many as there are processors to use."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise ValueError(f"`threads` must be a whole number, 1 or larger, got {threads!r}")
    return int(threads)


class _Dealer:
    """Deals out ranges of blocks in order."""

    def __init__(self, total: int, largest: int) -> None:
        self.total, self.largest, self.next, self.done = total, largest, 0, 0
        self.lock = threading.Lock()

    def take(self, count: int) -> tuple[int, int]:
        with self.lock:
            first = self.next
            # Near the end the rest is shared out, so that no thread is left with all of it.
            count = max(1, min(count, self.largest, (self.total - first) // 4))
            self.next = min(self.total, first + count)
            return first, self.next

    def finish(self, count: int) -> None:
        with self.lock:
            self.done += count


def run_blocks(
    work: Callable[[int, int, NDArray[np.uint8]], Any],
    blocks: int,
    *,
    threads: int,
    largest: int,
    progress: bool = False,
    label: str = "simulating",
) -> None:
    """Call ``work(first, last, stop)`` for ranges of blocks that together cover 0 .. blocks - 1.

    Parameters
    ----------
    work : callable
        Does blocks ``first`` to ``last - 1``; returns early when ``stop[0]`` is set.
    blocks : int
        Number of blocks.
    threads : int
        Number of threads.
    largest : int
        Most blocks at a time.
    progress : bool
        Whether to show a bar on standard error.
    label : str
        Its text.
    """
    stop = np.zeros(1, dtype=np.uint8)
    dealer = _Dealer(blocks, largest)

    def worker() -> None:
        count = 1
        while not stop[0]:
            first, last = dealer.take(count)
            if first == last:
                return
            began = time.perf_counter()
            work(first, last, stop)
            spent = time.perf_counter() - began
            dealer.finish(last - first)
            count = max(1, int((last - first) * min(4.0, BATCH_SECONDS / max(spent, 1e-9))))

    threads = min(threads, blocks)
    with progress_bar(progress, label, blocks) as bar, ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(worker) for _ in range(threads)]
        try:
            pending = set(futures)
            while pending:
                done, pending = wait(pending, timeout=0.1)
                bar(dealer.done)
                for future in done:
                    future.result()
        except BaseException:
            stop[0] = 1
            raise


def progress_bar(progress: bool, label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """Return a context that shows a bar on standard error, or nothing; it gives a function of what is done."""
    return _ProgressBar(label, total) if progress else nullcontext(lambda done: None)


class _ProgressBar(AbstractContextManager[Callable[[int], None]]):
    """A bar on standard error with the time left; removed at the end."""

    def __init__(self, label: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task(label, total=total)

    def __enter__(self) -> Callable[[int], None]:
        self.bar.start()
        return lambda done: self.bar.update(self.task, completed=done)

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()
