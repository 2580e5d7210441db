"""Reading what `training.optimize` is asked for: the same file as a study, and a table [optimize]."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from theory.search import Candidate, SearchSettings
from training.config.errors import ConfigError
from training.config.load import read_file
from training.config.perturbations import KEYS, MAKERS, check_treatment_name, read_perturbation
from training.config.table import Table
from training.config.values import arguments
from training.optimize import Optimization
from training.perturbations import Perturbation

SEARCH = {**arguments(SearchSettings), "thresholds": tuple[float, ...]}
MOST = 200


def load_optimization(path: str | os.PathLike[str], budget: int | None = None) -> Optimization:
    """Read an optimization from a TOML file; `training.config.example` returns one.

    Task, epochs, metric and executor are those of a study. Each table [[perturbation]] is a candidate; where a
    parameter is a list of numbers, one candidate for each of them. What they say of periods and seeds is for
    `load_study`; the periods to try are in [optimize].

    Parameters
    ----------
    path : path
        A file of at most 1 MB, UTF-8.
    budget : int, optional
        Replaces that of the file, epochs.

    Raises
    ------
    ConfigError
        With a line for each problem: file, line, table, key, what is wrong, and what would be right.
    """
    root, study = read_file(path, needed=["epochs"])
    if "optimize" not in root.values:
        root.complain(
            "the file lacks the table [optimize] with thresholds and budget, such as thresholds = [93.0]"
        )
    if not root.values.get("perturbation"):
        root.complain("no perturbation is given to try; add at least one table [[perturbation]]")
    candidates = _candidates(root)
    table = root.table("optimize")
    if budget is not None:
        table = replace(table, values={**table.values, "budget": budget})
    table.check_keys([*SEARCH, "periods"], ["thresholds", "budget"] if "optimize" in root.values else [])
    search = table.build(SearchSettings, SEARCH)
    periods = table.read({"periods": tuple[int, ...]}).get("periods", ())
    root.source.check()
    if study is None or search is None:
        raise ConfigError([f"{os.fspath(path)}: cannot be read as an optimization"])
    try:
        return Optimization(study, candidates, search, periods)
    except ValueError as problem:
        # All else has been checked above: it is the periods that do not go with the epochs.
        table.report(problem, ["periods"])
        root.source.check()
        raise


def _candidates(root: Table) -> dict[Candidate, Perturbation]:
    found: dict[Candidate, Perturbation] = {}
    for table in root.tables("perturbation"):
        for single, varied in _expanded(table):
            before = len(table.source.problems)
            perturbation = read_perturbation(single, KEYS)
            if perturbation is None:
                break
            family = table.read({"name": str}).get("name") or perturbation.name
            suffix = "".join(f" {key}={value:g}" for key, value in varied)
            check_treatment_name(table, family + suffix)
            if len(table.source.problems) > before:
                break
            if len(found) == MOST:
                table.complain(f"is one too many: there may be at most {MOST} candidates")
                return found
            candidate = Candidate(family + suffix, family, varied)
            if any(each.name == candidate.name for each in found):
                table.complain(f"gives a second candidate {candidate.name}; give one of them another name")
                break
            found[candidate] = perturbation
    return found


def _expanded(table: Table) -> Iterator[tuple[Table, tuple[tuple[str, float], ...]]]:
    """One table for each combination of the parameters that are lists of numbers where one number is asked for."""
    given = next((key for key in ("kind", "preset") if isinstance(table.values.get(key), str)), None)
    make = MAKERS[given].get(table.values[given]) if given else None
    hints = {} if make is None else arguments(make)
    lists = {
        key: value
        for key, value in table.values.items()
        if key in hints
        and hints[key] in (int, float)
        and isinstance(value, list)
        and value
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
    }
    for values in product(*lists.values()):
        varied: dict[str, Any] = dict(zip(lists, values, strict=True))
        single = replace(table, values={**table.values, **varied})
        yield single, tuple((key, float(value)) for key, value in varied.items())
