"""Real training runs: stored in HDF5, imported from CSV, and trained.

A *runs file* (`training.runs_file`) holds the traces of every metric for an unperturbed ensemble and any
number of perturbed ones; `read_study` turns one metric of it into a `theory.Study`, which everything else
works on. Runs come into such a file from a program that builds `RunGroup` objects and calls `write_runs`,
from folders of CSV files (`import_traces`), or from the published data of arXiv:2502.04121
(`import_published`). `training.provenance` records where a file comes from. None of this imports torch.
"""

from training.csv_reader import ColumnRules, TraceImportError
from training.csv_traces import ImportSummary, import_traces, parse_perturbed, read_folder
from training.published import import_published
from training.run_group import RunGroup, pad_traces
from training.runs_file import describe, metrics, read_runs, read_study, write_runs
from training.runs_reader import RunsFileError

__all__ = [
    "ColumnRules",
    "ImportSummary",
    "RunGroup",
    "RunsFileError",
    "TraceImportError",
    "describe",
    "import_published",
    "import_traces",
    "metrics",
    "pad_traces",
    "parse_perturbed",
    "read_folder",
    "read_runs",
    "read_study",
    "write_runs",
]
