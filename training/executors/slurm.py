"""Jobs of SLURM, or of submitit's local stand-in for it, behind the interface of `concurrent.futures`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.cores import available_cores
from training.executors.base import ExecutorSettings
from training.executors.submitit_jobs import SubmititExecutor

# submitit's own are 5 minutes on SLURM and 2 minutes for local jobs: shorter than most training.
TIMEOUT_MINUTES = {"slurm": 4 * 60, "local": 30 * 24 * 60}


@contextmanager
def open_submitit(settings: ExecutorSettings) -> Iterator[Executor]:
    """Open an executor that runs each call as a job of its own.

    Parameters
    ----------
    settings
        Of kind ``slurm`` or ``submitit-local``. ``workers`` limits the jobs that are submitted at once: no limit on
        SLURM, which has its own, and one for each core for local jobs. ``options`` go to submitit; a
        ``timeout_min`` is supplied if there is none: 4 hours on SLURM.

    Raises
    ------
    ImportError
        If submitit is not installed.
    ValueError
        If an option is not one of submitit's.
    RuntimeError
        If this machine has no SLURM commands.
    """
    try:
        import submitit
    except ImportError as error:
        raise ImportError("units on SLURM need the library: pip install 'stochreset[slurm]'") from error
    cluster = "local" if settings.kind == "submitit-local" else "slurm"
    Path(settings.log_folder).mkdir(parents=True, exist_ok=True)
    try:
        jobs = submitit.AutoExecutor(folder=Path(settings.log_folder).resolve(), cluster=cluster)
    except RuntimeError as error:
        raise RuntimeError(
            f"`spec` 'slurm' needs a machine that can submit SLURM jobs, with `sbatch` and `srun`: {error}. "
            "Run this on a login node, or use 'submitit-local' to try it out"
        ) from error
    _set_options(jobs, {"timeout_min": TIMEOUT_MINUTES[cluster], "name": "stochreset"} | settings.options)
    if cluster == "local":
        executor = SubmititExecutor(
            jobs, settings.workers or available_cores(), seconds=0.2, grace_seconds=0.5
        )
    else:
        executor = SubmititExecutor(jobs, settings.workers, seconds=2.0, grace_seconds=30.0)
    try:
        yield executor
    except BaseException:
        executor.stop()
        raise
    executor.shutdown(wait=True)


def _set_options(jobs: Any, options: dict[str, Any]) -> None:
    try:
        jobs.update_parameters(**options)
    except (NameError, AssertionError, TypeError, ValueError) as error:
        raise ValueError(
            f"`options` must be parameters of submitit's AutoExecutor; got {options!r}: {error}"
        ) from error
