"""``stochreset demo``: real networks trained on the CPU, from the first run to a confirmed recommendation."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

PARTIAL_FRACTION = 0.9
"""The best of 0.2, 0.5, 0.7, 0.8 and 0.9 at period 30, found on seeds 0 to 199 of an earlier study."""


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the runs, the answer and the page.")] = Path("demo"),
    budget: Annotated[int, typer.Option(min=1, metavar="EPOCHS", help="Epochs to spend.")] = 12000,
    epochs: Annotated[int, typer.Option(min=20, help="Epochs of the longest run.")] = 160,
    threshold: Annotated[float, typer.Option(help="Test accuracy to reach, per cent.")] = 93.0,
) -> None:
    """Find out how to perturb small networks that learn handwritten digits."""
    from stochreset.cli.optimizing import result_text, run, write_pages
    from theory.search import Candidate, SearchSettings
    from training import Task, TrainingStudy
    from training.data import Digits
    from training.networks import MLP
    from training.optimize import Optimization
    from training.perturbations import PartialReset, Perturbation, ShrinkPerturb, StochasticReset

    started = time.monotonic()
    perturbations: list[Perturbation] = [
        ShrinkPerturb(),
        StochasticReset(),
        PartialReset(PARTIAL_FRACTION),
    ]
    optimization = Optimization(
        TrainingStudy(Task(Digits(), MLP()), epochs, seeds=(0,)),
        {Candidate(each.name): each for each in perturbations},
        SearchSettings(thresholds=(threshold,), budget=budget, batch=4),
    )
    print(
        f"Handwritten digits, 200 to train on; networks of 64-64-64-10 units; goal: {threshold:g} % test accuracy.",
        file=sys.stderr,
    )
    report = run(optimization, out, None, quiet=False)
    print(result_text(report.result))
    files = write_pages(report, out)
    print(f"Open {files[-1]} in a browser; the runs are in {report.path}.")
    print(f"Done in {time.monotonic() - started:.0f} seconds.")
