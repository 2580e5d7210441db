"""The closed loop in a folder: train, write every step, go on after an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from theory.files import replace_file
from theory.search import SearchResult, Step, search
from theory.search.record import search_document, step_document
from theory.search.search import check_budget
from training.described import describe
from training.executors import Where
from training.optimize.environment import TrainingEnvironment
from training.optimize.gather import search_groups
from training.optimize.settings import Optimization
from training.provenance import provenance
from training.run_group import RunGroup
from training.runs_file import write_runs
from training.study.plan import fingerprint
from training.study.study import executor_for, tidy
from training.study.work import StudyError

SETTINGS_FILE = "optimization.json"
SEARCH_FILE = "runs.h5"
"""Where in the folder the runs of pilot, probes and refinement are kept, with the answer in their provenance."""
CONFIRMATION_FILE = "confirmation.h5"
"""Where the fresh runs are kept from which the speed-up was found."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What an optimization found, and where its runs are.

    Attributes
    ----------
    result : SearchResult
        Answers, steps, cost.
    document : dict
        The same as JSON takes it; it is in the provenance of both files.
    path : Path
        Runs file of the search.
    confirmation : Path or None
        Runs file of the confirmation, where there was one.
    """

    result: SearchResult
    document: dict[str, Any]
    path: Path
    confirmation: Path | None


def optimize(
    optimization: Optimization,
    folder: str | Path,
    *,
    executor: Where | None = None,
    on_step: Callable[[Step], None] | None = None,
    progress: bool = False,
) -> Report:
    """Find the best perturbation and period of a task, and confirm it with fresh runs.

    What the folder holds already is not trained again: after an interruption the same call goes on from there, and
    gives what an undisturbed one would have given; with another budget or threshold it takes what it can use. After
    each step all runs are written to ``runs.h5``; the runs of the confirmation to ``confirmation.h5``.

    Parameters
    ----------
    optimization : Optimization
        What to train, try and reach.
    folder : path
        Where to keep it; made if it is not there.
    executor : str, ExecutorSettings, Executor or callable, optional
        Where to train; see `training.executors.open_executor`. Default: as the study says.
    on_step : callable, optional
        Called with each step when it is done.
    progress : bool
        Whether to show a bar on standard error while networks are trained.

    Raises
    ------
    StudyError
        If the folder holds runs of another task, or training failed; what is done stays done.
    ValueError
        If the budget does not suffice for the first runs; nothing is written then.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM; what was under way has been saved.
    """
    root = Path(folder)
    if root.exists() and not root.is_dir():
        raise StudyError(f"`folder` {root} is a file; give the name of a folder")
    check_budget(optimization.search, optimization.study.epochs)
    chosen = optimization.study.executor if executor is None else executor
    environment = TrainingEnvironment(optimization, root, executor_for(root, chosen), progress)
    root.mkdir(parents=True, exist_ok=True)
    settings = settings_document(optimization)
    _claim(root / SETTINGS_FILE, settings)
    writer = _Writer(environment, root, settings, on_step)
    result = search(environment, optimization.search, writer.note)
    document = search_document(result, settings)
    path, confirmation = writer.write(document)
    tidy(optimization.study, root)
    return Report(result, document, path, confirmation)


def settings_document(optimization: Optimization) -> dict[str, Any]:
    """Settings of an optimization as JSON takes them."""
    search_settings = optimization.search
    found = {
        "study": describe(optimization.study),
        "fingerprint": fingerprint(optimization.study),
        "candidates": {each.name: p.settings() for each, p in optimization.candidates.items()},
        "periods": list(optimization.periods),
        "search": {field.name: getattr(search_settings, field.name) for field in fields(search_settings)},
    }
    text: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return text


def _claim(path: Path, settings: dict[str, Any]) -> None:
    """Write the settings of a search into its folder, which must not hold runs of another task."""
    if path.exists():
        try:
            known = json.loads(path.read_text(encoding="utf-8")).get("fingerprint")
        except (ValueError, AttributeError):
            known = None
        if known != settings["fingerprint"]:
            raise StudyError(
                f"{path.parent} holds a search on another task, or with other training settings; use another "
                "folder, or delete this one to start anew"
            )
    replace_file(path, json.dumps(settings, indent=1).encode())


class _Writer:
    """Writes the runs after each step, and tells those of the confirmation from the others."""

    def __init__(
        self,
        environment: TrainingEnvironment,
        root: Path,
        settings: dict[str, Any],
        on_step: Callable[[Step], None] | None,
    ) -> None:
        self.environment, self.root, self.settings, self.on_step = environment, root, settings, on_step
        self.steps: list[Step] = []
        self.seen: int = 0
        self.searched: list[RunGroup] = []
        self.confirming: list[RunGroup] = []

    def note(self, step: Step) -> None:
        """Take what was trained for a step, write it, and pass the step on."""
        new = self.environment.fresh_groups[self.seen :]
        self.seen += len(new)
        (self.confirming if step.step == "confirm" else self.searched).extend(new)
        self.steps.append(step)
        self.write({"steps": [step_document(each) for each in self.steps], "settings": self.settings})
        if self.on_step is not None:
            self.on_step(step)

    def write(self, document: dict[str, Any]) -> tuple[Path, Path | None]:
        """Write both files, with the search so far in their provenance."""
        record = {**provenance({"study": self.settings["study"]}), "optimize": document}
        metric, goal = self.environment.metric, self.environment.goal
        groups = search_groups(
            self.environment.pilot_groups, self.environment.branch_groups, self.searched, metric, goal
        )
        path = write_runs(self.root / SEARCH_FILE, groups, provenance=record, metric=metric)
        confirmation = None
        if any(group.perturbation is None for group in self.confirming):
            free = [group for group in self.confirming if group.perturbation is None]
            kicked = [group for group in self.confirming if group.perturbation is not None]
            groups = search_groups(free, [], kicked, metric, goal)
            confirmation = write_runs(self.root / CONFIRMATION_FILE, groups, provenance=record, metric=metric)
        return path, confirmation
