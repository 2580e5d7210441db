"""``stochreset train``: real networks under perturbations, from a configuration to a runs file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stochreset.cli import executing, options

if TYPE_CHECKING:
    from training.study import StudyReport, TrainingStudy


def train(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG.toml", help="What to train.", show_default=False)
    ] = None,
    out: executing.Out = None,
    executor: executing.Where = None,
    dry_run: executing.DryRun = False,
    example: executing.Example = False,
    json: options.Json = False,
) -> None:
    """Train what is missing of a study and gather it in FOLDER/runs.h5; call again after an interruption."""
    from stochreset.cli import documents
    from training.config import example as example_text
    from training.config import load_study

    if example:
        print(example_text(), end="")
        return
    config = executing.required_config(config, "train", "study.toml")
    study = load_study(config)
    folder = Path(config.stem) if out is None else out
    where = executing.parse_where(executor)
    if dry_run:
        document = plan_document(study, folder)
        if json:
            documents.print_json(document)
        else:
            print(plan_text(document))
        return

    from training.study import run_study

    with executing.interruptible():
        report = run_study(study, folder, executor=where, progress=sys.stderr.isatty())
    document = report_document(report)
    if json:
        documents.print_json(document)
    else:
        print(report_text(document, study.threshold))


def plan_document(study: TrainingStudy, folder: Path) -> dict[str, Any]:
    """Plan of a study: its ensembles, and the epochs that they cost."""
    from training.study.plan import plan_units
    from training.study.progress import planned_epochs

    ensembles: dict[str, dict[str, int]] = {}
    for unit in plan_units(study, folder):
        row = ensembles.setdefault(unit.group, {"runs": 0, "epochs": 0, "epochs_to_train": 0})
        row["runs"] += len(unit.seeds)
        row["epochs"] += len(unit.seeds) * study.epochs
        row["epochs_to_train"] += 0 if unit.shard.exists() else planned_epochs(unit)
    return {
        "folder": str(folder),
        "ensembles": [{"name": name, **row} for name, row in ensembles.items()],
        "epochs_independent": sum(row["epochs"] for row in ensembles.values()),
        "epochs_to_train": sum(row["epochs_to_train"] for row in ensembles.values()),
    }


def plan_text(document: dict[str, Any]) -> str:
    """The plan in words."""
    width = max(len(row["name"]) for row in document["ensembles"])
    lines = [f"Would train into {document['folder']}/, at most:"]
    lines += [
        f"  {row['name']:<{width}}  {row['runs']:,d} runs, {row['epochs_to_train']:,d} of {row['epochs']:,d} epochs"
        for row in document["ensembles"]
    ]
    lines.append(
        f"In all {document['epochs_to_train']:,d} epochs; {document['epochs_independent']:,d} if nothing were "
        "shared and nothing were there."
    )
    return "\n".join(lines)


def report_document(report: StudyReport) -> dict[str, Any]:
    """What a study has done and cost."""
    from training import describe

    names = ("runs", "epochs_independent", "epochs_trained", "epochs_now", "diverged")
    ensembles = describe(report.path)["ensembles"]
    return {"path": str(report.path), **{n: getattr(report, n) for n in names}, "ensembles": ensembles}


def report_text(document: dict[str, Any], threshold: float | None) -> str:
    """The same in words."""
    width = max(len(row["name"]) for row in document["ensembles"])
    lines = [
        f"{row['name']:<{width}}  {row['runs']:,d} runs of up to {row['epochs']:,d} epochs"
        for row in document["ensembles"]
    ]
    lines.append(
        f"Trained {document['epochs_trained']:,d} epochs ({document['epochs_now']:,d} of them now) for what "
        f"independent runs would have trained {document['epochs_independent']:,d}."
    )
    if document["diverged"]:
        lines.append(f"{document['diverged']:,d} runs diverged; each counts up to its last finite epoch.")
    path = document["path"]
    perturbed = any(row["period"] and not row["first"] for row in document["ensembles"])
    goal = "THRESHOLD" if threshold is None else f"{threshold:g}"
    then = f"stochreset rank {path} --threshold {goal}" if perturbed else f"stochreset qss {path}"
    lines.append(f"Runs file: {path}; next: {then}")
    return "\n".join(lines)
