"""``stochreset optimize``: the best perturbation and period of a training task, for a budget in epochs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stochreset.cli import executing, options

if TYPE_CHECKING:
    from theory.search import SearchResult, Step
    from training.executors import ExecutorSettings
    from training.optimize import Optimization, Report


def optimize(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG.toml", help="What to train and try.", show_default=False)
    ] = None,
    out: executing.Out = None,
    budget: Annotated[
        int | None,
        typer.Option(metavar="EPOCHS", help="Epochs to spend; default: as the configuration says."),
    ] = None,
    executor: executing.Where = None,
    dry_run: executing.DryRun = False,
    example: executing.Example = False,
    json: options.Json = False,
) -> None:
    """Find which perturbation to use, and how often; call again after an interruption."""
    from stochreset.cli import documents
    from training.config import example as example_text
    from training.config import load_optimization

    if example:
        print(example_text(), end="")
        return
    config = executing.required_config(config, "optimize", "search.toml")
    optimization = load_optimization(config, budget)
    folder = Path(f"{config.stem}-optimized") if out is None else out
    where = executing.parse_where(executor)
    if dry_run:
        document = plan_document(optimization)
        if json:
            documents.print_json(document)
        else:
            print(plan_text(document))
        return
    report = run(optimization, folder, where, quiet=json)
    if json:
        write_pages(report, folder)
        documents.print_json(report.document)
        return
    print(result_text(report.result))
    files = write_pages(report, folder)
    print(f"Runs, answer and settings: {', '.join(map(str, files))}")


def run(optimization: Optimization, folder: Path, where: ExecutorSettings | None, quiet: bool) -> Report:
    """Run the search, printing each step."""
    from training.optimize import optimize as run_optimization

    spent = 0

    def note(step: Step) -> None:
        nonlocal spent
        spent += step.epochs
        if not quiet:
            print(step_text(step, spent), file=sys.stderr, flush=True)

    with executing.interruptible():
        return run_optimization(
            optimization, folder, executor=where, on_step=note, progress=sys.stderr.isatty()
        )


def step_text(step: Step, spent: int) -> str:
    """One step in a line."""
    what = "unperturbed" if step.perturbation is None else f"{step.perturbation} every {step.period}"
    runs = f"{step.runs} runs" if step.runs else "longer"
    return f"{spent:>8,d} epochs  {step.step:<7}  {what}: {runs}, {step.epochs:,d} epochs; {step.why}"


def result_text(result: SearchResult) -> str:
    """The answers, and what they cost."""
    lines = [*(answer.sentence for answer in result.answers), ""]
    if result.qss is not None:
        lines.append(f"Quasi-steady state: {result.qss.verdict.replace('_', ' ')}; {result.qss.reason}.")
    else:
        lines.append(
            "Quasi-steady state: not tested, the budget of the pilot did not reach so far; the answer rests on the "
            "measured means."
        )
    cost = result.cost
    parts = ", ".join(f"{name} {cost[name]:,d}" for name in ("pilot", "probe", "refine", "confirm"))
    line = f"Cost: {cost['total']:,d} epochs ({parts})"
    if result.grid:
        line += (
            f"; the grid of all candidates and periods, 20 runs each, is expected to cost {result.grid:,d}"
        )
    return "\n".join([*lines, line + "."])


def plan_document(optimization: Optimization) -> dict[str, Any]:
    """What a search may spend, step by step; an error where the search itself would be refused."""
    from theory.search.pilot import FEWEST
    from theory.search.plan import plan
    from theory.search.search import check_budget

    search = optimization.search
    horizon = optimization.study.epochs
    check_budget(search, horizon)
    return {
        "candidates": [candidate.name for candidate in optimization.candidates],
        "periods": list(optimization.periods),
        "thresholds": list(search.thresholds),
        "horizon": horizon,
        "first_runs": FEWEST,
        **plan(search, horizon, len(optimization.candidates) * len(optimization.periods)),
        "points": len(optimization.candidates) * len(optimization.periods),
    }


def plan_text(document: dict[str, Any]) -> str:
    """The plan in words."""
    names = ", ".join(document["candidates"])
    rows = [
        ("pilot", f"{document['first_runs']} unperturbed runs at first, then as many as the verdict needs"),
        ("search", "branches off the pilot for each candidate, then wherever a run promises most"),
        ("confirm", "fresh runs at the answer and without perturbation"),
    ]
    lines = [
        f"Would look for the best of {document['points']} points: {names}",
        f"at periods {', '.join(map(str, document['periods']))}, runs of up to {document['horizon']} epochs, "
        f"thresholds {', '.join(f'{value:g}' for value in document['thresholds'])}.",
        "At most, in epochs:",
    ]
    lines += [f"  {name:<8} {document[name]:>9,d}  {what}" for name, what in rows]
    lines.append(f"  {'in all':<8} {document['budget']:>9,d}")
    lines.append(
        f"A grid of all points with {document['grid_runs']} runs each would cost up to {document['grid']:,d}."
    )
    return "\n".join(lines)


def write_pages(report: Report, folder: Path) -> list[Path]:
    """Write ``answer.json`` and the page ``report.html``; return all files of the search."""
    from stochreset.cli import documents
    from stochreset.cli.report import write_page
    from stochreset.cli.reporting import analyse
    from theory.files import replace_file
    from training import read_study

    answer = folder / "answer.json"
    replace_file(answer, (documents.dump(report.document) + "\n").encode())
    files = [report.path, *([report.confirmation] if report.confirmation else []), answer]
    threshold = report.result.answers[-1].threshold
    try:
        analysis = analyse(read_study(report.path), threshold)
    except ValueError as problem:
        print(f"No report.html: {problem}", file=sys.stderr)
        return files
    positions = [each.threshold for each in report.result.answers]
    chosen = positions if len(positions) > 1 else None
    settings: dict[str, Any] = {"resamples": 2000, "seed": 0}
    listed = None if chosen is None else ",".join(map(repr, chosen))
    given = {"threshold": threshold, "thresholds": listed, "metric": None, **settings}
    return [*files, write_page(report.path, analysis, chosen, folder, settings, given)]
