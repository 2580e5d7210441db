"""Real training runs: trained under perturbations, stored in HDF5, imported from CSV.

A *runs file* (`training.runs_file`) holds the traces of every metric for an unperturbed ensemble and any
number of perturbed ones; `read_study` turns one metric of it into a `theory.Study`, which everything else
works on. Runs come into such a file from a training study (`run_study`), from a program that builds `RunGroup`
objects and calls `write_runs`, from folders of CSV files (`import_traces`), or from the published data of
arXiv:2502.04121 (`import_published`). `training.provenance` records where a file comes from.

To train: a `Task` (data, network, optimizer, hardware) and a `TrainingStudy` (which runs of it), in
`training.study`; units of work (`training.executors`) train blocks of runs (`training.blocks`). Perturbations for
a training loop of your own: `Perturber` with `training.perturbations` and `training.protocols`, or `AdaptivePerturber`,
which decides by the metric itself. torch is imported when one of these is used.
"""

from typing import TYPE_CHECKING, Any

from training.csv_reader import ColumnRules, TraceImportError
from training.csv_traces import ImportSummary, import_traces, parse_perturbed, read_folder
from training.published import import_published
from training.run_group import RunGroup, pad_traces
from training.runs_file import describe, metrics, read_runs, read_study, write_runs
from training.runs_reader import RunsFileError

if TYPE_CHECKING:
    from training.adaptive_perturber import AdaptivePerturber
    from training.perturber import Perturber
    from training.study import StudyReport, TrainingStudy, Treatment, run_study
    from training.task import Hardware, Task
    from training.train import train_runs

_LATER = {
    "AdaptivePerturber": "training.adaptive_perturber",
    "Hardware": "training.task",
    "Perturber": "training.perturber",
    "StudyReport": "training.study",
    "Task": "training.task",
    "TrainingStudy": "training.study",
    "Treatment": "training.study",
    "run_study": "training.study",
    "train_runs": "training.train",
}
"""What needs torch, and where it is."""

__all__ = [
    "AdaptivePerturber",
    "ColumnRules",
    "Hardware",
    "ImportSummary",
    "Perturber",
    "RunGroup",
    "RunsFileError",
    "StudyReport",
    "Task",
    "TraceImportError",
    "TrainingStudy",
    "Treatment",
    "describe",
    "import_published",
    "import_traces",
    "metrics",
    "pad_traces",
    "parse_perturbed",
    "read_folder",
    "read_runs",
    "read_study",
    "run_study",
    "train_runs",
    "write_runs",
]


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module 'training' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LATER[name]), name)
    globals()[name] = value
    return value
