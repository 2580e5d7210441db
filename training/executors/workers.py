"""What happens inside a worker process before and around the calls that it is given."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any, Protocol

from training.executors.attempt import WorkerEnded

ENDED = 128 + signal.SIGTERM


class GpuIds(Protocol):
    """A queue between processes that hands out identifiers of GPUs."""

    def get(self) -> str: ...  # noqa: D102


def prepare_worker(threads: int, gpu_ids: GpuIds | None = None) -> None:
    """Set threads, GPU and signals of a fresh worker; runs in it before any call is unpickled.

    Parameters
    ----------
    threads
        For torch and its libraries; they read it from the environment when they are first imported.
    gpu_ids
        Where to take the one GPU of this worker from, or None to leave the GPUs as they are.

    Raises
    ------
    RuntimeError
        If the main script of the study has already started CUDA, so that the GPU can no longer be chosen.
    """
    # Ctrl-C reaches every process of the terminal; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    torch: Any = sys.modules.get("torch")  # there already if the main script of the study imports it
    if gpu_ids is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu_ids.get()
        if torch is not None and torch.cuda.is_initialized():
            raise RuntimeError(
                "CUDA was started on import of the main script, before this worker was given its GPU. "
                "Move that under `if __name__ == '__main__':`"
            )
    if torch is not None:
        torch.set_num_threads(threads)


def call_in_worker(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return ``call(*args, **kwargs)``; end the process at once if it is told to end during the call."""
    try:
        return call(*args, **kwargs)
    except WorkerEnded:
        # Returning would only hand the exception to the parent and go on with the next call.
        os._exit(ENDED)


def _end(signum: int, frame: object) -> None:
    raise WorkerEnded(ENDED)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(ENDED)
