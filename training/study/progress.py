"""Progress of a study: workers leave notes in its folder, wherever they run; one bar shows their sum."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np

from training.blocks import BlockRun
from training.study.plan import WorkUnit

NOTE_SECONDS = 0.5
"""How often a worker leaves a note, and how often the bar looks."""


class ProgressNote:
    """A note of what a unit has done so far."""

    def __init__(self, unit: WorkUnit) -> None:
        self.path = note_file(unit)
        self.metric = unit.study.metric
        self.written = -np.inf

    def write(self, run: BlockRun) -> None:
        """Leave the note, if the last one is old or the unit is done; a full disk is no reason to fail here."""
        now = time.monotonic()
        if now - self.written < NOTE_SECONDS and not run.finished:
            return
        self.written = now
        metric = self.metric if self.metric in run.traces else next(iter(run.traces))
        values = run.traces[metric][:, run.epoch - 1]
        highest = run.prepared.directions[metric] == "at_least"
        best = None
        if np.isfinite(run.traces[metric]).any():
            best = float((np.nanmax if highest else np.nanmin)(run.traces[metric]))
        mean = float(np.nanmean(values)) if np.isfinite(values).any() else None
        note = {
            "trained": run.trained,
            "epoch": run.epoch,
            "best": best,
            "mean": mean,
            "metric": metric,
            "highest": highest,  # whether that is the best one
        }
        temporary = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(exist_ok=True)
            temporary.write_text(json.dumps(note), encoding="utf-8")
            os.replace(temporary, self.path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def note_file(unit: WorkUnit) -> Path:
    """File of the note of a unit."""
    return unit.folder / "progress" / f"{unit.name}.json"


def planned_epochs(unit: WorkUnit) -> int:
    """Epochs to train for a unit, summed over runs, if nothing of it is done and no run ends early."""
    return len(unit.seeds) * (unit.study.epochs - (unit.branch_epoch or 0))


def study_bar(units: Sequence[WorkUnit], show: bool) -> AbstractContextManager[Any]:
    """Return a context that shows the bar of a study on standard error, or nothing."""
    return _StudyBar(units) if show else nullcontext()


class _StudyBar(AbstractContextManager["_StudyBar"]):
    def __init__(self, units: Sequence[WorkUnit]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self.units = units
        self.total = sum(map(planned_epochs, units))
        self.runs = sum(len(unit.seeds) for unit in units)
        self.bar = Progress(
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TextColumn("{task.fields[line]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task("training", total=self.total, line="")
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.started = time.monotonic()
        self.before = self._done()[0]

    def __enter__(self) -> _StudyBar:
        self.bar.start()
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.ended.set()
        self.thread.join()
        self.bar.stop()

    def _watch(self) -> None:
        while not self.ended.wait(NOTE_SECONDS):
            self._update()

    def _update(self) -> None:
        done, runs, best = self._done()
        rate = (done - self.before) / max(time.monotonic() - self.started, 1e-9)
        line = f"{runs}/{self.runs} runs, {rate:,.3g} epochs/s{best}"
        self.bar.update(self.task, completed=min(done, self.total), line=line)

    def _done(self) -> tuple[int, int, str]:
        """Epochs of all units, runs of the finished ones, and the best value so far."""
        done, runs = 0, 0
        best: dict[str, float] = {}
        for unit in self.units:
            note = _read(note_file(unit))
            if unit.shard.exists():
                done += planned_epochs(unit)
                runs += len(unit.seeds)
            else:
                done += int(note.get("trained", 0))
            if note.get("best") is not None:
                metric, value = str(note["metric"]), float(note["best"])
                better = max if note.get("highest") else min
                best[metric] = better(best.get(metric, value), value)
        text = "".join(f", best {metric} {value:.4g}" for metric, value in best.items())
        return done, runs, text


def _read(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
