"""Run the work units of a training study anywhere: here, on processes, GPUs, Dask or SLURM.

A study is cut into `Unit` objects: idempotent, picklable calls that each write their result to a file. `run_units`
sends them through a `concurrent.futures.Executor`, in the order that their dependencies ask for, and returns one
`Outcome` for each; units lost with their machine are tried again, units that raise are not. `open_executor` opens
the executor that a short text such as ``processes:4`` or ``slurm:gpu`` names, or takes one of your own. `claim` keeps
two workers that share a file system from doing the same unit twice. None of this imports torch, distributed or
submitit before it is used.
"""

from training.executors.attempt import UnitSkipped, WorkerLostError
from training.executors.base import ExecutorSettings, Where, open_executor, parse_executor
from training.executors.claims import claim
from training.executors.run_units import run_units
from training.executors.units import Event, Outcome, Unit

__all__ = [
    "Event",
    "ExecutorSettings",
    "Outcome",
    "Unit",
    "UnitSkipped",
    "Where",
    "WorkerLostError",
    "claim",
    "open_executor",
    "parse_executor",
    "run_units",
]
