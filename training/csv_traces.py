"""Import of training traces from folders of CSV files: one run a file, one folder an ensemble.

Each file has a header line and one line per epoch, the first one after epoch 1; each column is a metric. The
seed comes from the name of the file: the digits after ``seed_``, otherwise the last whole number in the
name. Runs may differ in length; ``nan`` and ``inf`` mark divergence. Other numbers are decimal, in ASCII digits. A
file has at most 64 MiB, 1,000,000 lines, 1,000 columns and 200 characters a field. Whatever else is unclear is
refused, with file and line, before anything is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.csv_reader import ColumnRules, TraceImportError, TraceReader
from training.provenance import provenance
from training.run_group import RunGroup
from training.runs_file import write_runs


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import wrote, and what it left out; `str` gives it as text to print.

    Attributes
    ----------
    path : pathlib.Path
        The runs file.
    ensembles : dict of str to (int, int)
        Number of runs, and of epochs of the longest run, by name of the ensemble.
    skipped : tuple of str
        What was found but not imported, and why.
    """

    path: Path
    ensembles: Mapping[str, tuple[int, int]]
    skipped: tuple[str, ...] = ()

    @property
    def traces(self) -> int:
        """Number of runs in all ensembles."""
        return sum(runs for runs, _ in self.ensembles.values())

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.traces} traces in {len(self.ensembles)} ensembles"]
        lines += [
            f"  {name}: {runs} runs, {epochs} epochs" for name, (runs, epochs) in self.ensembles.items()
        ]
        return "\n".join([*lines, *(f"  skipped {what}" for what in self.skipped)])


def read_folder(
    directory: str | os.PathLike[str],
    *,
    perturbation: str | None = None,
    period: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    rules: ColumnRules | None = None,
) -> RunGroup:
    """Read the CSV files of a folder as the runs of one ensemble, sorted by seed.

    Parameters
    ----------
    directory : path
        Folder of ``*.csv`` files, as described at the top of this module; other files are left alone.
    perturbation, period, parameters
        What was done to the runs, see `RunGroup`; None for unperturbed runs.
    rules : ColumnRules, optional
        What the columns mean, where their names do not tell.

    Raises
    ------
    TraceImportError
        If anything is wrong with the files. It lists file, line and problem.
    ValueError
        If an argument is; ``directory`` must exist and hold CSV files.
    """
    reader = TraceReader(rules or ColumnRules())
    group = reader.group(csv_files(directory), perturbation, period, parameters)
    if reader.problems or group is None:
        raise TraceImportError(reader.problems)
    return group


def csv_files(directory: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the CSV files of a folder, hidden ones left out, sorted by name."""
    if not Path(directory).is_dir():
        raise ValueError(f"`directory` {directory} is not a folder; give the folder that holds the CSV files")
    with os.scandir(directory) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.name.lower().endswith(".csv") and not entry.name.startswith(".") and entry.is_file()
        ]
    if not names:
        raise ValueError(f"`directory` {directory} holds no CSV files; expected one `*.csv` per run")
    return tuple(Path(directory, name) for name in sorted(names))


def import_traces(
    out: str | os.PathLike[str],
    unperturbed: str | os.PathLike[str],
    perturbed: Iterable[tuple[str, int, str | os.PathLike[str]]] = (),
    *,
    rules: ColumnRules | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str | None = None,
    skipped: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> ImportSummary:
    """Import folders of CSV files into a runs file; nothing is written unless every file is sound.

    Parameters
    ----------
    out : path
        Runs file to write.
    unperturbed : path
        Folder of the unperturbed runs.
    perturbed : iterable of (str, int, path)
        Perturbation, period in epochs, and folder of each perturbed ensemble; see `parse_perturbed`.
    rules : ColumnRules, optional
        What the columns mean, where their names do not tell.
    parameters : dict of str to dict, optional
        Parameters of the perturbations, by name of the perturbation.
    metric : str, optional
        Metric to read when the reader of the runs file names none. Default: the only one, or none.
    skipped : iterable of str, optional
        What the caller leaves out, and why, for the summary.
    progress : callable, optional
        Called after each file with the number of files done and their total.

    Raises
    ------
    TraceImportError
        If anything is wrong with the files. It lists file, line and problem, over all folders.
    ValueError
        If an argument is wrong; every folder must exist, hold CSV files and be given once.
    """
    sources = [(None, None, Path(unperturbed)), *((name, period, Path(d)) for name, period, d in perturbed)]
    known = dict(parameters or {})
    for name in known.keys() - {name for name, _, _ in sources}:
        raise ValueError(f"`parameters` are given for {name!r}, which is not in `perturbed`")
    folders = [folder.resolve() for _, _, folder in sources]
    for folder in folders:
        if folders.count(folder) > 1:
            raise ValueError(f"`perturbed`: the folder {folder} is given twice; each ensemble needs its own")
    files = [csv_files(folder) for _, _, folder in sources]
    total, done = sum(map(len, files)), 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    reader = TraceReader(rules or ColumnRules(), advance)
    groups = [
        reader.group(paths, name, period, known.get(name or ""))
        for (name, period, _), paths in zip(sources, files, strict=True)
    ]
    if reader.problems:
        raise TraceImportError(reader.problems)
    complete = [group for group in groups if group is not None]
    record = provenance(
        {"imported": {g.name: str(d) for g, (_, _, d) in zip(complete, sources, strict=True)}}
    )
    path = write_runs(out, complete, provenance=record, metric=metric)
    return ImportSummary(path, {group.name: group.shape for group in complete}, tuple(skipped))


def parse_perturbed(text: str) -> tuple[str, int, Path]:
    """Split ``NAME:PERIOD:DIRECTORY`` into its parts.

    Examples
    --------
    >>> name, period, directory = parse_perturbed("shrink_perturb:20:runs/sp20")
    >>> name, period, directory.name
    ('shrink_perturb', 20, 'sp20')
    """
    name, _, rest = text.partition(":")
    period, _, directory = rest.partition(":")
    if not (name and period and directory):
        raise ValueError(
            f"`perturbed` must be NAME:PERIOD:DIRECTORY, like shrink_perturb:20:runs/sp20, got {text!r}"
        )
    if not (period.isascii() and period.isdigit() and int(period) >= 1):
        raise ValueError(f"`perturbed` {text!r}: the period must be a whole number of epochs, got {period!r}")
    return name, int(period), Path(directory)
