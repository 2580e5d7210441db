"""Running a study: train what is missing, gather what is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from theory.files import replace_file
from training.described import describe
from training.executors import ExecutorSettings, Unit, Where, claim, run_units
from training.executors.base import resolve
from training.provenance import provenance
from training.run_group import RunGroup
from training.runs_file import write_runs
from training.study.interruption import sigterm_as_ctrl_c
from training.study.plan import WorkUnit, plan_units, without_executor
from training.study.progress import study_bar
from training.study.settings import TrainingStudy
from training.study.work import StudyError, UnitReport, chosen_metric, do_unit, merge, read_finished

RUNS_FILE = "runs.h5"
"""Where in the folder of a study all runs are gathered."""


@dataclass(frozen=True, slots=True)
class StudyReport:
    """What a study has done, and what it cost.

    Attributes
    ----------
    path : Path
        The runs file.
    groups : tuple of str
        Names of its ensembles.
    runs : int
        Number of runs.
    epochs_independent : int
        Epochs that as many independent runs would have cost.
    epochs_trained : int
        Epochs that were trained, whenever: shared history only once.
    epochs_now : int
        Epochs trained by this call.
    diverged : int
        Runs that diverged; each is kept up to its last finite epoch.
    """

    path: Path
    groups: tuple[str, ...]
    runs: int
    epochs_independent: int
    epochs_trained: int
    epochs_now: int
    diverged: int


def run_study(
    study: TrainingStudy,
    folder: str | Path,
    *,
    executor: Where | None = None,
    progress: bool = False,
) -> StudyReport:
    """Train what is missing of a study, and gather all runs in ``runs.h5`` in its folder.

    What the folder holds of the same settings is not trained again; a run that was interrupted goes on from its
    last checkpoint. Several calls for one folder may run at the same time, on machines that share it.

    Functions of your own (network, loss, metrics) count by their names: after a change in one of them, use another
    folder, and so too for a second function of the same name, such as another lambda or another one that a function
    of yours returns. What counts of a `functools.partial` are its arguments too, of other objects their attributes.

    Parameters
    ----------
    study : TrainingStudy
        What to train.
    folder : path
        Where to keep it; made if it is not there.
    executor : str, ExecutorSettings, Executor or callable, optional
        Where the units of work run; see `training.executors.open_executor`. Default: as the study says.
    progress : bool
        Whether to show a bar on standard error.

    Raises
    ------
    StudyError
        If the folder holds runs of other settings, or some units failed; what is done stays done.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM; the units under way have been saved at the end of their epoch.
    """
    root = Path(folder)
    if root.exists() and not root.is_dir():
        raise StudyError(f"`folder` {root} is a file; give the name of a folder")
    where = executor_for(root, study.executor if executor is None else executor)
    root.mkdir(parents=True, exist_ok=True)
    units = plan_units(without_executor(study), root)
    for unit in units:
        if unit.shard.exists():
            read_finished(unit)
    replace_file(root / "study.json", json.dumps(describe(study), indent=1, default=str).encode())
    return _gather(study, units, train_units(units, where, progress), root)


def executor_for(root: Path, chosen: Where) -> Where:
    """Executor, or its settings, whose logs lie in the folder of a study."""
    settings = resolve(chosen)
    if isinstance(settings, ExecutorSettings) and settings.kind in ("slurm", "submitit-local"):
        return replace(settings, log_folder=str(root.absolute() / settings.log_folder))
    return settings


def train_units(units: Sequence[WorkUnit], executor: Where, progress: bool = False) -> list[UnitReport]:
    """Train those of the units that are not finished, each after the one that it branches off, if that is among them.

    Raises
    ------
    StudyError
        If some units failed; what is done stays done.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM; the units under way have been saved at the end of their epoch.
    """
    trunks = {unit.number: unit.name for unit in units if unit.treatment is None}
    jobs = []
    for unit in units:
        trunk = None if unit.treatment is None or unit.trunk is None else trunks.get(unit.trunk)
        jobs.append(Unit(unit.name, do_unit, (unit,), () if trunk is None else (trunk,)))
    with sigterm_as_ctrl_c(), study_bar(units, progress):
        outcomes = run_units(jobs, executor)
    failed = [outcome for outcome in outcomes.values() if outcome.status == "failed"]
    if failed:
        done = sum(outcome.status == "done" for outcome in outcomes.values())
        first = failed[0]
        raise StudyError(
            f"{len(failed)} of {len(units)} units failed, {done} are done and kept; {first.name}: {first.error}; "
            "mend the cause and call again, which trains only what is missing"
        ) from first.error
    return [outcome.value for outcome in outcomes.values()]


def _gather(
    study: TrainingStudy, units: Sequence[WorkUnit], reports: Sequence[UnitReport], root: Path
) -> StudyReport:
    parts: dict[str, list[RunGroup]] = {}
    for unit in units:
        parts.setdefault(unit.group, []).append(read_finished(unit).group)
    groups = [merge(each) for each in parts.values()]
    metric = chosen_metric(study, groups[0].metrics)
    cost: dict[str, Any] = {
        "epochs_independent": sum(report.epochs for report in reports),
        "epochs_trained": sum(report.trained for report in reports),
        "diverged": sum(report.diverged for report in reports),
    }
    record = provenance({"study": json.loads(json.dumps(describe(study), default=str)), **cost})
    path = write_runs(root / RUNS_FILE, groups, provenance=record, metric=metric)
    tidy(study, root)
    return StudyReport(
        path=path,
        groups=tuple(parts),
        runs=sum(len(group.seeds) for group in groups),
        epochs_now=sum(report.trained_now for report in reports),
        **cost,
    )


def tidy(study: TrainingStudy, root: Path) -> None:
    """Remove from the folder of a study what nobody needs when all is done."""
    shutil.rmtree(root / "progress", ignore_errors=True)
    for path in (root / "claims").glob("*.claim"):
        with suppress(OSError), claim(path.parent, path.name.removesuffix(".claim")):
            pass  # taking over the claim of a process that was killed, and giving it up, removes it
    if not study.keep_checkpoints:
        shutil.rmtree(root / "checkpoints", ignore_errors=True)
