"""Reading a study from a TOML file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from theory.printable import printable
from training.config.errors import ConfigError, Source, did_you_mean
from training.config.executor import read_executor
from training.config.lines import Lines
from training.config.perturbations import Planned, read_treatments
from training.config.seeds import read_seeds
from training.config.table import Table
from training.config.values import arguments, choice
from training.data import DATA_SETS, Digits, Regression
from training.executors import ExecutorSettings
from training.losses import LOSSES
from training.networks import MLP, NETWORKS
from training.optimizers import OPTIMIZERS, SCHEDULES, SGD, Constant
from training.study.settings import TrainingStudy
from training.task import SECONDS, Hardware, Task

MOST_BYTES = 1_000_000
TABLES = (
    "data",
    "network",
    "optimizer",
    "schedule",
    "training",
    "hardware",
    "perturbation",
    "optimize",
    "executor",
)
METRICS = ("test_accuracy", "train_accuracy", "test_loss", "train_loss", SECONDS)
TRAINING = {"batch_size": int, "drop_last": bool, "loss": choice(["auto", *LOSSES])}
STUDY = {
    name: hint
    for name, hint in arguments(TrainingStudy).items()
    if name not in ("task", "seeds", "treatments", "executor")
} | {"metric": choice(METRICS)}


def load_study(path: str | os.PathLike[str]) -> TrainingStudy:
    """Read a study from a TOML file; `training.config.example` returns one.

    Relative paths in it start at its own folder. ``root`` of the data may lie anywhere; a ``checkpoint`` to reset to
    and a ``log_folder`` must lie in that folder or below. No data are loaded, and nothing in the file is run.

    Parameters
    ----------
    path : path
        A file of at most 1 MB, UTF-8.

    Raises
    ------
    ConfigError
        With a line for each problem: file, line, table, key, what is wrong, and what would be right.
    """
    root, study = read_file(path, needed=["epochs", "seeds"])
    planned = read_treatments(root)
    if study is not None:
        study = _with_treatments(study, planned)
    root.source.check()
    if study is None:
        raise ConfigError([f"{os.fspath(path)}: cannot be read as a study"])
    return study


def read_file(path: str | os.PathLike[str], needed: Sequence[str]) -> tuple[Table, TrainingStudy | None]:
    """Return the file as a table, and its study without treatments; None, with complaints, where it is not sound."""
    file = os.fspath(path)
    text = _read_text(file)
    root = Table(_parse(file, text), Source(file, Lines(text)))
    _check_top(root, needed)
    task = _read_task(root)
    seeds = read_seeds(root) if "seeds" in root.values else None
    executor = read_executor(root)
    # Stand-ins for what is not sound, so that the rest is checked too.
    given = {
        "task": task or Task(Digits(), MLP()),
        "epochs": 2**62,
        "seeds": seeds or (0,),
        "executor": executor or ExecutorSettings(),
    }
    study = root.build(TrainingStudy, STUDY, given)
    if study is not None:
        _check_metric(root, study)
    return root, study


def _read_text(file: str) -> str:
    try:
        with open(file, "rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError([printable(f"{file}: there is no such file")]) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise ConfigError([printable(f"{file}: cannot be read: {reason}")]) from None
    if len(raw) > MOST_BYTES:
        raise ConfigError(
            [printable(f"{file}: is larger than 1 MB, which no study needs; is it the right file?")]
        )
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        message = (
            f"{file}, line {line}: is not UTF-8 at byte 0x{raw[problem.start]:02x}; save the file as UTF-8"
        )
        raise ConfigError([printable(message)]) from None


def _parse(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError([printable(f"{file}: is nested too deeply")]) from None
    except ValueError as problem:
        message = str(problem)
        where = ""
        if found := re.search(r" \(at line (\d+), column (\d+)\)$", message):
            where = f", line {found[1]}, column {found[2]}"
        elif message.endswith(" (at end of document)"):
            where = f", line {text.rstrip().count(chr(10)) + 1}"
        message = re.sub(r" \(at (line \d+, column \d+)\)$", "", message)
        raise ConfigError([printable(f"{file}{where}: is not TOML: {message}")]) from None


def _check_top(root: Table, needed: Sequence[str]) -> None:
    known = [*dict.fromkeys(["epochs", "seeds", *STUDY]), *TABLES]
    for name in [name for name, value in root.values.items() if name not in known and _is_table(value)]:
        titles = ", ".join("[[perturbation]]" if each == "perturbation" else f"[{each}]" for each in TABLES)
        near = did_you_mean(name, TABLES).replace("mean ", "mean [").replace("?", "]?")
        root.complain(f"the file has no table [{name}]; {near}It has: {titles}", name)
        del root.values[name]
    root.check_keys(known, needed)
    for name in ("data", "network"):
        if name not in root.values:
            root.complain(f"the file lacks the table [{name}]")


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
    )


def _read_task(root: Table) -> Task | None:
    made: dict[str, Any] = {
        "data": Digits(),
        "network": MLP(),
        "optimizer": SGD(),
        "schedule": Constant(),
        "hardware": Hardware(),
    }
    kinds = {"data": DATA_SETS, "network": NETWORKS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
    for name, makers in kinds.items():
        if isinstance(root.values.get(name), dict):
            made[name] = root.table(name).make(makers) or made[name]
        elif name in root.values:
            root.table(name)
    made["hardware"] = root.table("hardware").fill(Hardware) or made["hardware"]
    table = root.table("training")
    table.check_keys(TRAINING)
    return table.build(Task, TRAINING, made)


def _check_metric(root: Table, study: TrainingStudy) -> None:
    if isinstance(study.task.data, Regression) and (study.metric or "").endswith("accuracy"):
        root.complain(
            f"metric {study.metric} is of classes, which regression has not; use test_loss", "metric"
        )


def _with_treatments(study: TrainingStudy, planned: list[Planned]) -> TrainingStudy:
    try:
        return replace(study, treatments=tuple(each.treatment for each in planned))
    except ValueError:
        pass
    for treatment, table, key in planned:
        try:
            study = replace(study, treatments=(*study.treatments, treatment))
        except ValueError as problem:
            table.report(problem, [each for each in ("name",) if each in table.values], otherwise=key)
    return study
