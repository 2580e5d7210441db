"""``stochreset report``: figures, a summary and a page of a runs file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stochreset.cli import options

if TYPE_CHECKING:
    from stochreset.cli.reporting import Analysis


def report(
    runs: options.RunsPath,
    threshold: options.Threshold,
    out: Annotated[Path, typer.Option(help="Folder for the report; made if missing.")],
    metric: options.Metric = None,
    measured: options.MeasuredPeriods = None,
    horizon: options.Horizon = None,
    thresholds: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Thresholds of the slider in report.html, such as 72:76:0.5 or 72,73; default: nine around "
            "the threshold.",
        ),
    ] = None,
    resamples: options.Resamples = 2000,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Write a page (report.html), figures (PNG and SVG) and a summary (text, CSV and JSON)."""
    from stochreset.cli import documents
    from stochreset.cli.html import parse_thresholds
    from stochreset.cli.reporting import analyse, summary_document, write_report
    from training import read_study

    chosen = options.parse_measured(measured)
    positions = None if thresholds is None else parse_thresholds(thresholds)
    study = read_study(runs, metric)
    options.check_all_measured(study, chosen)
    settings: dict[str, Any] = {"measured": chosen, "horizon": horizon, "resamples": resamples, "seed": seed}
    analysis = analyse(study, threshold, **settings)
    written = write_report(analysis, out)
    given = {"threshold": threshold, "thresholds": thresholds, "metric": metric, **settings}
    given["measured"] = [f"{name}={period}" for name, period in chosen.items()]
    written.append(write_page(runs, analysis, positions, out, settings, given))
    if json:
        documents.print_json(summary_document(analysis))
        return
    print((out / "summary.txt").read_text(encoding="utf-8"))
    print(f"{len(written)} files written to {out}; start with {out / 'report.html'}")


def write_page(
    runs: Path,
    analysis: Analysis,
    thresholds: list[float] | None,
    out: Path,
    settings: dict[str, Any],
    given: dict[str, Any],
) -> Path:
    """Analyse the thresholds of the slider and write ``report.html`` into ``out``."""
    import hashlib

    from rich.console import Console
    from rich.progress import Progress

    from stochreset.cli.html import Source, default_thresholds, html_report, scan
    from stochreset.cli.html.thresholds import with_given
    from theory.files import replace_file
    from training import describe

    study, threshold = analysis.study, analysis.ranking.threshold
    chosen = default_thresholds(study, threshold) if thresholds is None else with_given(thresholds, threshold)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("thresholds of the slider", total=len(chosen))
        positions = scan(study, chosen, analysis, **settings, advance=lambda: bar.advance(task))
    digest = hashlib.sha256(runs.read_bytes()).hexdigest()
    path = out / "report.html"
    replace_file(path, html_report(analysis, positions, Source(runs.name, digest, describe(runs), given)))
    return path
