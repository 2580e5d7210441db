"""A pool of processes, each of which sees one GPU only."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from training.executors.processes import ProcessPool, open_pool


def visible_gpus() -> tuple[str, ...]:
    """Return the identifiers of the GPUs that this process may use, without starting CUDA in it.

    They are those of ``CUDA_VISIBLE_DEVICES`` where that is set, else those that ``nvidia-smi -L`` lists, else as
    many as torch counts.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return parse_visible(named)
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True)
        return parse_listing(listing.stdout)
    except (OSError, subprocess.SubprocessError):
        return _counted_by_torch()


def parse_visible(text: str) -> tuple[str, ...]:
    """Split ``CUDA_VISIBLE_DEVICES``; as in CUDA itself, the first invalid entry ends the list.

    Examples
    --------
    >>> parse_visible("2,GPU-8f1c,-1,3")
    ('2', 'GPU-8f1c')
    """
    entries: list[str] = []
    for entry in text.split(","):
        if not re.fullmatch(r"\d+|GPU-\S+|MIG-\S+", entry.strip()):
            break
        entries.append(entry.strip())
    return tuple(entries)


def parse_listing(text: str) -> tuple[str, ...]:
    r"""Read the output of ``nvidia-smi -L``; a GPU cut into MIG devices counts as those.

    Examples
    --------
    >>> parse_listing("GPU 0: NVIDIA H100 (UUID: GPU-1a)\nGPU 1: NVIDIA H100 (UUID: GPU-2b)")
    ('GPU-1a', 'GPU-2b')
    """
    found: list[str] = []
    for line in text.splitlines():
        if match := re.search(r"^GPU \d+: .*\(UUID: (GPU-[^)\s]+)\)", line):
            found.append(match[1])
        elif match := re.search(r"^\s+MIG .*\(UUID: (MIG-[^)\s]+)\)", line):
            if found and found[-1].startswith("GPU-"):
                found.pop()
            found.append(match[1])
    return tuple(found)


def _counted_by_torch() -> tuple[str, ...]:
    try:
        import torch
    except ImportError:
        return ()
    return tuple(str(index) for index in range(torch.cuda.device_count()))


@contextmanager
def open_gpus(workers: int | None = None, ids: tuple[str, ...] | None = None) -> Iterator[Executor]:
    """Open one process for each GPU, pinned to it by ``CUDA_VISIBLE_DEVICES``: it is ``cuda:0`` there.

    Parameters
    ----------
    workers
        Number of GPUs to use; None for all.
    ids
        Identifiers of the GPUs; None for those found by `visible_gpus`.

    Raises
    ------
    ValueError
        If there is no GPU, or there are fewer than ``workers``.
    """
    ids = visible_gpus() if ids is None else ids
    if not ids:
        raise ValueError(
            "`spec` 'gpus' needs a GPU and none is visible: CUDA_VISIBLE_DEVICES is "
            f"{os.environ.get('CUDA_VISIBLE_DEVICES', 'not set')!r} and otherwise nvidia-smi and torch are asked. "
            "Use 'processes' to train on the cores"
        )
    if workers is not None and workers > len(ids):
        raise ValueError(
            f"`workers` must be at most the {len(ids)} visible GPUs; got {workers}. Use 'gpus:all'"
        )
    ids = ids[:workers]
    with open_pool(ProcessPool(len(ids), ids)) as pool:
        yield pool
