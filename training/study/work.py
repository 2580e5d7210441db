"""Doing one unit of work: from its checkpoint, from the branch of another run, or from the start."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from training.blocks import BlockRun, Stop
from training.blocks.recorded import group_of
from training.described import describe
from training.executors import claim
from training.run_group import RunGroup
from training.streams import ALONE
from training.study.checkpoints import CheckpointError, read_checkpoint, write_checkpoint
from training.study.interruption import Interruption
from training.study.plan import WorkUnit
from training.study.progress import ProgressNote
from training.study.settings import TrainingStudy
from training.study.shards import Shard, read_shard, write_shard
from training.task import Prepared, Task

WAIT_SECONDS = 0.5
"""How often to look whether another worker has finished a unit."""


@dataclass(frozen=True, slots=True)
class UnitReport:
    """What became of a unit.

    Attributes
    ----------
    name : str
        Of the unit.
    trained : int
        Epochs trained for it, summed over runs.
    trained_now : int
        The same, without what was trained before this call.
    epochs : int
        Epochs recorded, summed over runs: what independent runs would have cost.
    diverged : int
        Runs that diverged.
    """

    name: str
    trained: int
    trained_now: int
    epochs: int
    diverged: int


def do_unit(unit: WorkUnit) -> UnitReport:
    """Train a unit unless its shard is there, and write the shard.

    Whoever calls this for the same unit at the same time waits for the result of the first.

    Raises
    ------
    StudyError
        If the shard there was trained with other settings.
    Interrupted
        After a signal to end; the message says whether the state, or the finished shard, has been saved.
    """
    while True:
        if unit.shard.exists():
            report = _report(unit, read_finished(unit), 0)
            _remove_checkpoint(unit)
            return report
        with claim(unit.folder / "claims", unit.name) as mine:
            if mine and not unit.shard.exists():
                unit.remove_temporaries()
                with Interruption() as interruption:
                    with ALONE:  # and not epoch by epoch in turns, which would hold two units in memory
                        report = _train(unit, interruption)
                    if interruption.asked:  # too late for a checkpoint, but not to be forgotten
                        interruption.end(f"interrupted; {unit.name} was just finished and is kept")
                    return report
        time.sleep(WAIT_SECONDS)


class StudyError(ValueError):
    """A study's folder does not hold what the study asks for; the message says what to do."""


def read_finished(unit: WorkUnit) -> Shard:
    """Read the shard of a unit, which must be of its settings."""
    shard = read_shard(unit.shard)
    if shard.fingerprint != unit.fingerprint:
        raise StudyError(
            f"{unit.shard} holds runs that were trained with other settings than those given now; "
            "use another folder, or delete this one to train anew"
        )
    return shard


def _train(unit: WorkUnit, interruption: Interruption) -> UnitReport:
    prepared = _prepare(unit)
    started = time.monotonic()
    done = _with_memory(unit, unit.seeds, prepared, interruption)
    group = merge([each.group for each in done])
    trained, now, diverged = (
        sum(getattr(each, name) for each in done) for name in ("trained", "now", "diverged")
    )
    shard = Shard(group, unit.fingerprint, trained, time.monotonic() - started, diverged)
    write_shard(unit.shard, shard)
    _remove_checkpoint(unit)
    return _report(unit, shard, now)


def _remove_checkpoint(unit: WorkUnit) -> None:
    """Remove what nobody reads any more once the shard is there; if that fails, it does no harm."""
    with suppress(OSError):
        unit.checkpoint.unlink(missing_ok=True)


def _report(unit: WorkUnit, shard: Shard, now: int) -> UnitReport:
    epochs = int(np.isfinite(shard.group.metrics["test_loss"]).sum())
    return UnitReport(unit.name, shard.trained, now, epochs, shard.diverged)


@dataclass(frozen=True, slots=True)
class _Done:
    group: RunGroup
    trained: int
    now: int
    diverged: int


_prepared: dict[str, Prepared] = {}


def _prepare(unit: WorkUnit) -> Prepared:
    """Load the data of the task, once in each process, and check what needs them before anything is trained."""
    task = unit.study.task
    key = json.dumps([describe(task), task.hardware.device])
    if key not in _prepared or not _same_code(_prepared[key].task, task):
        _prepared.clear()
        _prepared[key] = task.prepare()
    chosen_metric(unit.study, _prepared[key].directions)
    return _prepared[key]


def _same_code(first: Task, second: Task) -> bool:
    """Whether what may be functions or classes of one's own is the same: different ones may have one name."""
    if first is second:
        return True
    names = ("network", "loss", "metrics", "optimizer", "schedule")
    try:
        alike = all(getattr(first, name) == getattr(second, name) for name in names)
    except (ValueError, RuntimeError):  # of arrays and tensors, which compare element by element
        return False
    return alike and type(first.data) is type(second.data)


def _with_memory(
    unit: WorkUnit, seeds: Sequence[int], prepared: Prepared, interruption: Interruption
) -> list[_Done]:
    """Train the runs together, or where the device has no memory for that, one half after the other."""
    try:
        return [_train_runs(replace(unit, seeds=tuple(seeds)), unit, prepared, interruption)]
    except torch.OutOfMemoryError as problem:
        if len(seeds) == 1:
            raise StudyError(
                f"one network of {unit.group} does not fit into the memory of {prepared.device}: {problem}; "
                "use a smaller batch_size or network"
            ) from None
    # Outside of the handler, whose traceback keeps the tensors alive.
    gc.collect()
    if prepared.device.type == "cuda":
        torch.cuda.empty_cache()
    middle = len(seeds) // 2
    halves = (seeds[:middle], seeds[middle:])
    return [done for half in halves for done in _with_memory(unit, half, prepared, interruption)]


def _train_runs(part: WorkUnit, unit: WorkUnit, prepared: Prepared, interruption: Interruption) -> _Done:
    run = _start(part, unit, prepared)
    before = run.trained
    saved = time.monotonic()
    note = ProgressNote(unit)
    whole = part.seeds == unit.seeds
    while not run.finished:
        run.step()
        note.write(run)
        if run.epoch in unit.branches:
            _keep_branch(part, unit, run, run.epoch)
        due = time.monotonic() - saved > unit.study.checkpoint_seconds
        if whole and not run.finished and (due or interruption.asked):
            write_checkpoint(unit.checkpoint, unit.fingerprint, run.state_dict())
            saved = time.monotonic()
        if interruption.asked and not run.finished:
            kept = "its state is saved"
            if not whole:
                kept = (
                    "its state is not saved, because its runs are trained in parts for want of memory: it starts anew; "
                    f"with a block_size of at most {len(part.seeds)} a study keeps it"
                )
            interruption.end(f"{unit.name} was interrupted after epoch {run.epoch}; {kept}")
    for epoch in unit.branches:
        if epoch > run.epoch:  # all runs have ended before
            _keep_branch(part, unit, run, epoch)
    return _Done(group_of(run, part.treatment), run.trained, run.trained - before, len(run.diverged))


def _start(part: WorkUnit, unit: WorkUnit, prepared: Prepared) -> BlockRun:
    study = unit.study
    stop = None
    if study.stop_at_threshold and study.threshold is not None:
        metric = chosen_metric(study, prepared.directions)
        stop = Stop(metric, study.threshold, prepared.directions[metric])
    run = BlockRun(prepared, part.seeds, study.epochs, part.perturbation, part.protocol, stop)
    # A checkpoint that cannot be used costs the time since the start, no more.
    with suppress(FileNotFoundError, CheckpointError):
        run.load_state_dict(read_checkpoint(part.checkpoint, part.fingerprint))
        return run
    if unit.trunk is not None and unit.branch_epoch is not None:
        for path in unit.branch_files(unit.trunk, unit.branch_epoch):
            # Nor does a state without all of these runs, as halves of a block may leave it; an earlier one serves.
            with suppress(FileNotFoundError, ValueError):
                run.branch_off(read_checkpoint(path, unit.trunk_fingerprint))
                break
    return run


def _keep_branch(part: WorkUnit, unit: WorkUnit, run: BlockRun, epoch: int) -> None:
    """Keep the state for others to branch off; halves of a unit add to each other's."""
    path = unit.branch_file(unit.number, epoch)
    state = run.state_dict()
    if part.seeds != unit.seeds:
        with suppress(FileNotFoundError, CheckpointError):
            state = _joined(read_checkpoint(path, unit.trunk_fingerprint), state)
    write_checkpoint(path, unit.trunk_fingerprint, state)


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    if first["epoch"] != second["epoch"] or set(first["seeds"]) & set(second["seeds"]):
        return second
    traces = {name: torch.cat([value, second["traces"][name]]) for name, value in first["traces"].items()}
    lists = {name: first[name] + second[name] for name in ("seeds", "counts", "due", "diverged", "runs")}
    return {**first, **lists, "traces": traces}


def chosen_metric(study: TrainingStudy, known: Iterable[str]) -> str:
    """Metric that a study is about: the one it names, which must be recorded, or test accuracy, or test loss."""
    names = list(known)
    metric = study.metric or ("test_accuracy" if "test_accuracy" in names else "test_loss")
    if metric not in names:
        raise StudyError(f"`metric` {metric!r} is not recorded in this study; it has: {', '.join(names)}")
    return metric


def merge(groups: Sequence[RunGroup]) -> RunGroup:
    """Put the runs of several groups of one name into one."""
    metrics = {name: np.concatenate([group.metrics[name] for group in groups]) for name in groups[0].metrics}
    return replace(groups[0], seeds=np.concatenate([group.seeds for group in groups]), metrics=metrics)
