"""Replicas in two processes, with progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

WORKERS = 2


class Workers:
    """Two processes that run replicas."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(WORKERS)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *problem: Any) -> None:
        self._pool.shutdown(cancel_futures=True)

    def replicas(self, name: str, once: Callable[[int], Any], count: int) -> list[Any]:
        """Results of ``once(seed)`` for seeds 0 .. count - 1."""
        start = time.perf_counter()
        found = list(self._pool.map(once, range(count), chunksize=max(1, count // 40)))
        print(
            f"{name:60s} {count:6d} replicas {time.perf_counter() - start:7.1f} s",
            file=sys.stderr,
            flush=True,
        )
        return found
