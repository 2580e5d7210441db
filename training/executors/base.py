"""Settings of an executor, and opening the one that they describe."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from training.checks import is_count

KINDS = ("in-process", "processes", "gpus", "dask", "slurm", "submitit-local")
FORMS = (
    "in-process, processes[:N], gpus[:N|all], dask://HOST:PORT, dask:FILE.json, slurm[:PARTITION], "
    "submitit-local[:N]"
)


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """Where the units of a study run.

    Parameters
    ----------
    kind
        One of ``in-process``, ``processes``, ``gpus``, ``dask``, ``slurm``, ``submitit-local``.
    workers
        Processes, GPUs or jobs at once; None for as many as there are cores (or visible GPUs), and for no limit
        of one's own on SLURM. Without meaning for ``in-process`` and ``dask``.
    address
        Of the Dask scheduler (``tcp://host:port``), or the path of its scheduler file (``*.json``).
    options
        For submitit's ``update_parameters``: ``timeout_min``, ``gpus_per_node``, ``cpus_per_task``, ``mem_gb``,
        ``slurm_partition``, and so on. ``submitit-local`` hides all GPUs beyond ``gpus_per_node``, 0 by default.
    log_folder
        Folder for the pickles and logs of submitit jobs; on SLURM one that the nodes share.
    """

    kind: str = "in-process"
    workers: int | None = None
    address: str | None = None
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    log_folder: str = "submitit-jobs"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(KINDS)}; got {self.kind!r}")
        if self.workers is not None and not is_count(self.workers):
            raise ValueError(
                f"`workers` must be a whole number of at least 1, or None for the default; got {self.workers!r}"
            )
        if (self.kind == "dask") != (self.address is not None):
            raise ValueError(
                f"`address` must be given for the kind 'dask' and for no other; got {self.address!r} "
                f"for {self.kind!r}. An example is parse_executor('dask://localhost:8786')"
            )
        if self.options and self.kind not in ("slurm", "submitit-local"):
            raise ValueError(
                f"`options` are parameters of submitit and must be empty for {self.kind!r}; got {self.options!r}. "
                "Leave them out, or use the kind 'slurm' or 'submitit-local'"
            )


def parse_executor(text: str) -> ExecutorSettings:
    """Read the settings from one of the short forms of the command line.

    Raises
    ------
    ValueError
        If the text has none of the allowed forms; the message lists them.

    Examples
    --------
    >>> parse_executor("processes:4").workers
    4
    >>> parse_executor("dask://node7:8786").address
    'tcp://node7:8786'
    >>> parse_executor("slurm:gpu").options
    {'slurm_partition': 'gpu'}
    """
    if text == "in-process":
        return ExecutorSettings()
    if match := re.fullmatch(r"(processes|gpus|submitit-local)(?::([1-9]\d*))?", text):
        return ExecutorSettings(match[1], workers=int(match[2]) if match[2] else None)
    if text == "gpus:all":
        return ExecutorSettings("gpus")
    if match := re.fullmatch(r"dask://([^/\s]+:\d+)/?", text):
        return ExecutorSettings("dask", address=f"tcp://{match[1]}")
    if match := re.fullmatch(r"dask:(.+\.json)", text):
        return ExecutorSettings("dask", address=match[1])
    if match := re.fullmatch(r"slurm(?::([^\s:]+))?", text):
        return ExecutorSettings("slurm", options={"slurm_partition": match[1]} if match[1] else {})
    raise ValueError(f"`spec` of an executor must have one of the forms {FORMS}; got {text!r}")


Where: TypeAlias = str | ExecutorSettings | Executor | Callable[[], AbstractContextManager[Executor]]
"""Where units run: a short form, settings, an executor of one's own, or a function that opens one."""


def resolve(
    spec: Where | None,
) -> ExecutorSettings | Executor | Callable[[], AbstractContextManager[Executor]]:
    """Return ``spec`` without short forms; None is the calling process."""
    if spec is None:
        return ExecutorSettings()
    if isinstance(spec, str):
        return parse_executor(spec)
    if isinstance(spec, ExecutorSettings | Executor) or callable(spec):
        return spec
    raise TypeError(
        f"`spec` of an executor must be a text such as 'processes:4', ExecutorSettings, a "
        f"concurrent.futures.Executor, or a function that opens one; got {spec!r}"
    )


def open_executor(spec: Where | None = None) -> AbstractContextManager[Executor]:
    """Open the executor that ``spec`` describes, for a ``with`` statement.

    Leaving the block normally waits for what was submitted. Leaving it by an exception, Ctrl-C included, drops what
    has not started, ends what runs, and lets the exception pass within a few seconds.

    Parameters
    ----------
    spec
        A short form, see `parse_executor`; `ExecutorSettings`; None for the calling process; or an executor of your
        own: as an object, which stays open and keeps what was submitted to it, or as a function that returns a
        context manager of one (the class will do), which ends with the block.

    Raises
    ------
    ValueError
        If ``spec`` is a text that has none of the allowed forms.
    TypeError
        If it is nothing of the kind.
    ImportError
        On entering, if the optional library that it needs is missing.
    ConnectionError
        On entering, if no Dask scheduler answers.

    Examples
    --------
    >>> with open_executor("in-process") as executor:
    ...     executor.submit(pow, 2, 10).result()
    1024
    """
    settings = resolve(spec)
    if isinstance(settings, Executor):
        return nullcontext(settings)
    if not isinstance(settings, ExecutorSettings):
        return settings()
    match settings.kind:
        case "processes":
            from training.executors.processes import open_processes

            return open_processes(settings.workers)
        case "gpus":
            from training.executors.gpus import open_gpus

            return open_gpus(settings.workers)
        case "dask":
            from training.executors.dask import open_dask

            return open_dask(str(settings.address))
        case "slurm" | "submitit-local":
            from training.executors.slurm import open_submitit

            return open_submitit(settings)
    from training.executors.in_process import InProcessExecutor

    return InProcessExecutor()
