"""``stochreset report``: figures and a summary of a runs file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stochreset.cli import options


def report(
    runs: options.RunsPath,
    threshold: options.Threshold,
    out: Annotated[Path, typer.Option(help="Folder for the figures and the summary; made if missing.")],
    metric: options.Metric = None,
    measured: options.MeasuredPeriods = None,
    horizon: options.Horizon = None,
    resamples: options.Resamples = 2000,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Write figures (PNG and SVG) and a summary (text, CSV and JSON)."""
    from stochreset.cli.reporting import analyse, write_report
    from training import read_study

    chosen = options.parse_measured(measured)
    study = read_study(runs, metric)
    analysis = analyse(study, threshold, measured=chosen, horizon=horizon, resamples=resamples, seed=seed)
    written = write_report(analysis, out)
    if json:
        print((out / "summary.json").read_text(encoding="utf-8"), end="")
        return
    print((out / "summary.txt").read_text(encoding="utf-8"))
    print(f"{len(written)} files written to {out}")
