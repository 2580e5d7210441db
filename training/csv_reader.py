"""Strict reading of one run's trace from a CSV file, and of many such files into a `RunGroup`."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.passages import Direction
from theory.printable import printable
from training.csv_text import LONGEST_FIELD, is_number, number, read_text
from training.run_group import RunGroup, check_name, pad_traces

MAX_PROBLEMS = 20
MAX_PROBLEMS_PER_FILE = 3
MOST_ROWS = 1_000_000
MOST_COLUMNS = 1_000
MOST_VALUES = 2**30
"""Runs times epochs of the longest times columns of one ensemble."""


class TraceImportError(ValueError):
    """CSV traces cannot be imported; ``problems`` holds every problem found, the message the first 20."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        shown = "\n".join(f"  {printable(problem)}" for problem in self.problems[:MAX_PROBLEMS])
        more = len(self.problems) - MAX_PROBLEMS
        rest = f"\n  ... and {more} more" if more > 0 else ""
        plural = "" if len(self.problems) == 1 else "s"
        super().__init__(f"{len(self.problems)} problem{plural} in the CSV files:\n{shown}{rest}")


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """What the columns of CSV traces mean; all keys are column names as they stand in the files.

    Attributes
    ----------
    keep : sequence of str or None
        Columns to import, None for all. A column ``epoch`` is always checked to count 1, 2, 3, ... and left out.
    rename : dict of str to str
        Names of the metrics, where they are not those of the columns.
    directions : dict of str to {"at_least", "at_most"}
        Default: "at_most" for a column whose name contains "loss" or "err", otherwise "at_least".
    ranges : dict of str to (float, float)
        Lowest and highest value allowed, in the unit of the column; NaN and infinities always are. Default:
        0 to 100 for accuracies (columns to be maximised whose name contains "acc"), no limits for others.
    """

    keep: Sequence[str] | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    directions: Mapping[str, Direction] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.keep, str):
            raise ValueError(f"`keep` must be a sequence of column names, got the text {self.keep!r}")
        for column, (low, high) in self.ranges.items():
            if not low <= high:
                raise ValueError(f"`ranges` {column!r} must be (lowest, highest), got {(low, high)}")

    def direction(self, column: str) -> Direction:
        """Return on which side of a threshold training is complete."""
        falling = any(word in column.lower() for word in ("loss", "err"))
        return self.directions.get(column, "at_most" if falling else "at_least")

    def limits(self, column: str) -> tuple[float, float]:
        """Return the lowest and the highest value that ``column`` may have."""
        accuracy = "acc" in column.lower() and self.direction(column) == "at_least"
        return self.ranges.get(column, (0.0, 100.0) if accuracy else (-np.inf, np.inf))

    def check(self, columns: Sequence[str]) -> None:
        """Raise if a rule is about a column that is not one of ``columns``."""
        for argument in ("rename", "directions", "ranges"):
            for column in getattr(self, argument):
                if column not in columns:
                    raise ValueError(
                        f"`{argument}` names the column {column!r}; the files have: {', '.join(columns)}"
                    )
        metrics = [self.rename.get(column, column) for column in columns]
        if len(set(metrics)) < len(metrics):
            raise ValueError(
                f"`rename` gives two columns one name, the metrics would be: {', '.join(metrics)}"
            )


def seed_of(path: Path) -> int:
    """Return the seed that the name of a file tells.

    Examples
    --------
    >>> seed_of(Path("test_acc_reset_20_seed_7.csv")), seed_of(Path("run12.csv"))
    (7, 12)
    """
    numbers = re.findall(r"seed_([0-9]+)", path.stem) or re.findall(r"[0-9]+", path.stem)
    if not numbers or int(numbers[-1]) > np.iinfo(np.int64).max:
        raise ValueError("no seed in the name of the file; name it like run_seed_7.csv")
    return int(numbers[-1])


class TraceReader:
    """Reads folders of CSV files that share their columns, and collects problems instead of raising.

    Attributes
    ----------
    rules : ColumnRules
        What the columns mean.
    problems : list of str
        File, line and problem, in the order in which they were found.
    """

    def __init__(self, rules: ColumnRules, progress: Callable[[], None] | None = None) -> None:
        self.rules = rules
        self.problems: list[str] = []
        self._progress = progress
        self._columns: tuple[str, ...] = ()
        self._reference: Path | None = None

    def group(
        self,
        files: Sequence[Path],
        perturbation: str | None = None,
        period: int | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> RunGroup | None:
        """Read files as one ensemble; None where a problem was found in one of them."""
        before = len(self.problems)
        runs: dict[int, dict[str, NDArray[np.float64]]] = {}
        sources: dict[int, Path] = {}
        for path in files:
            found: list[str] = []
            try:
                seed = seed_of(path)
                if seed in sources:
                    found.append(f"{path}: seed {seed} again, it is that of {sources[seed].name} as well")
                sources.setdefault(seed, path)
                runs[seed] = self._read(path, found)
            except ValueError as problem:
                found.append(f"{path}: {problem}")
            self.problems += found[:MAX_PROBLEMS_PER_FILE]
            if self._progress is not None:
                self._progress()
        if len(self.problems) == before:
            self._check_size(files, runs)
        if len(self.problems) > before:
            return None
        self.rules.check(self._columns)
        seeds = sorted(runs)
        rename = self.rules.rename
        return RunGroup(
            np.array(seeds, dtype=np.int64),
            {rename.get(c, c): pad_traces([runs[seed][c] for seed in seeds]) for c in self._columns},
            {rename.get(c, c): self.rules.direction(c) for c in self._columns},
            perturbation,
            period,
            parameters or {},
        )

    def _check_size(
        self, files: Sequence[Path], runs: Mapping[int, Mapping[str, NDArray[np.float64]]]
    ) -> None:
        longest = max((values.size for traces in runs.values() for values in traces.values()), default=0)
        if len(runs) * longest * len(self._columns) > MOST_VALUES:
            self.problems.append(
                f"{files[0].parent}: {len(runs):,} runs of up to {longest:,} epochs and {len(self._columns)} columns "
                f"are more than {MOST_VALUES:,} values; keep fewer columns, or import fewer files at a time"
            )

    def _read(self, path: Path, found: list[str]) -> dict[str, NDArray[np.float64]]:
        """Read one file; problems of its lines are appended to ``found``, one of the whole file is raised."""
        reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            columns = self._header(header, path)
            first_line = reader.line_num + 1
            rows = list(islice(_rows(reader, header, list(columns.values()), path, found), MOST_ROWS + 1))
        except csv.Error as problem:
            raise ValueError(f"line {reader.line_num}: not CSV: {problem}") from None
        if len(rows) > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS:,} lines of data, the most that is read; shorten it")
        if not rows and not found:
            raise ValueError(f"no data below the header line {','.join(header)!r}")
        if found:
            return {}
        table = np.array(rows, dtype=float).reshape(len(rows), len(columns))
        traces = {}
        for column, values in zip(columns, table.T, strict=True):
            for row, fault in islice(self._faults(column, values), MAX_PROBLEMS_PER_FILE):
                found.append(f"{path}:{first_line + row}: {fault}")
            traces[column] = values
        return traces

    def _header(self, header: list[str], path: Path) -> dict[str, int]:
        """Return position by name of the columns to read, checked against those of the files before."""
        if not any(header):
            raise ValueError(
                "the file is empty, or its first line is; expected a header line with column names"
            )
        if len(header) > MOST_COLUMNS:
            raise ValueError(
                f"line 1: {len(header):,} columns, of which at most {MOST_COLUMNS:,} are read; remove some"
            )
        if "" in header:
            raise ValueError(f"line 1: column {header.index('') + 1} has no name; name it or remove it")
        for name in header:
            if len(name) > LONGEST_FIELD:
                raise ValueError(
                    f"line 1: the column name {name[:20]!r}... has {len(name):,} characters, at most "
                    f"{LONGEST_FIELD} are read; shorten it"
                )
            if header.count(name) > 1:
                raise ValueError(f"line 1: two columns are called {name!r}")
            if is_number(name):
                raise ValueError(f"line 1: {name!r} is a number; expected a header line with column names")
        wanted = header if self.rules.keep is None else self.rules.keep
        columns = {name: header.index(name) for name in wanted if name in header}
        if missing := [name for name in wanted if name not in columns]:
            raise ValueError(f"line 1: there is no column {missing[0]!r}, only: {', '.join(header)}")
        columns |= {name: at for at, name in enumerate(header) if name.lower() == "epoch"}
        metrics = tuple(name for name in columns if name.lower() != "epoch")
        if not metrics:
            raise ValueError(f"line 1: no column is a metric: {', '.join(header)}")
        for name in metrics:
            try:
                check_name("metrics", self.rules.rename.get(name, name), "/")
            except ValueError as problem:
                raise ValueError(f"line 1: {problem}; rename the column") from None
        if self._reference is None:
            self._columns, self._reference = metrics, path
        elif set(metrics) != set(self._columns):
            raise ValueError(
                f"line 1: the columns are {', '.join(metrics)}, those of {self._reference} "
                f"{', '.join(self._columns)}"
            )
        return columns

    def _faults(self, column: str, values: NDArray[np.float64]) -> Iterator[tuple[int, str]]:
        """Yield row and description of values that a column cannot have."""
        if column.lower() == "epoch":
            wrong = np.flatnonzero(values != np.arange(1, values.size + 1))
            if wrong.size:
                fault = (
                    f"{column} is {values[wrong[0]]:g}, expected {wrong[0] + 1}; epochs count 1, 2, 3, ..."
                )
                yield int(wrong[0]), fault
            return
        low, high = self.rules.limits(column)
        for row in np.flatnonzero(np.isfinite(values) & ~((values >= low) & (values <= high))):
            yield int(row), f"{column} is {values[row]:g}, outside its range {low:g} to {high:g}"


def _rows(
    reader: Any, header: list[str], positions: list[int], path: Path, found: list[str]
) -> Iterator[list[float]]:
    blank = 0
    for row in reader:
        if len(found) >= MAX_PROBLEMS_PER_FILE:
            return
        if not any(row) or (len(row) == 1 and not row[0].strip()):
            blank = blank or reader.line_num
            continue
        if blank:
            found.append(f"{path}:{blank}: blank line among the data; write nan where a run diverged")
            blank = 0
        if len(row) != len(header):
            found.append(f"{path}:{reader.line_num}: {len(row)} fields, the header has {len(header)}")
            continue
        try:
            yield [number(row[position]) for position in positions]
        except ValueError:
            bad = next(row[position] for position in positions if not is_number(row[position]))
            shown = repr(bad) if len(bad) <= LONGEST_FIELD else f"{bad[:20]!r}..., {len(bad):,} characters,"
            found.append(f"{path}:{reader.line_num}: {shown} is not a number")
