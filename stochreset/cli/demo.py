"""``stochreset demo``: real networks trained on the CPU, from first run to confirmed recommendation."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from training import RunGroup
    from training.perturbations import Perturbation

PARTIAL_FRACTION = 0.9
"""The best of 0.2, 0.5, 0.7, 0.8 and 0.9 at period 30, found on seeds 0 to 199."""


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the runs file, figures and summary.")] = Path("demo"),
    runs: Annotated[int, typer.Option(min=20, help="Runs of each ensemble.")] = 200,
    epochs: Annotated[int, typer.Option(min=60, help="Epochs of each run.")] = 160,
    period: Annotated[int, typer.Option(min=5, help="The one period to measure at.")] = 40,
    threshold: Annotated[float, typer.Option(help="Test accuracy to reach, per cent.")] = 93.0,
) -> None:
    """Train networks on handwritten digits and find the best perturbation and period."""
    from stochreset.cli import tables
    from stochreset.cli.reporting import analyse, summary_text, write_report
    from theory import rank, relaxation
    from training import read_study, write_runs
    from training.perturbations import PartialReset, ShrinkPerturb, StochasticReset
    from training.provenance import provenance

    if period * 2 > epochs:
        raise ValueError(f"`--period` {period} needs `--epochs` of at least {2 * period}, got {epochs}")
    if out.exists() and not out.is_dir():
        raise ValueError(f"`--out` {out} is a file; name a folder")
    started, console = time.monotonic(), tables.console()
    trainer = _Trainer(console, runs, epochs)
    path = out / "digits.h5"
    out.mkdir(parents=True, exist_ok=True)
    perturbations: dict[str, Perturbation] = {
        each.name: each for each in (ShrinkPerturb(), StochasticReset(), PartialReset(PARTIAL_FRACTION))
    }

    console.print(
        f"Handwritten digits, 200 to train on; {runs} networks (64-64-64-10) at a time; "
        f"goal: {threshold:g} % test accuracy.\n"
    )
    groups = [trainer.train("unperturbed")]
    groups += [
        trainer.train(f"{name}, every {period} epochs", each, period) for name, each in perturbations.items()
    ]

    def save() -> None:
        record = provenance({"command": "stochreset demo", "runs": runs, "epochs": epochs})
        write_runs(path, groups, provenance=record, metric="test_accuracy")

    save()
    study = read_study(path)
    qss = relaxation(study.unperturbed)
    console.print(f"Quasi-steady state: {qss.verdict.replace('_', ' ')}; {qss.reason}.")
    ranking = rank(study, threshold, measured=dict.fromkeys(perturbations, period), qss=qss)
    console.print()
    console.print(tables.ranking_table(ranking))
    best = ranking.optima[0]
    if best.speedup.low > 1 and best.prediction.period != period:
        console.print("Fresh runs there, to confirm:")
        label = f"{best.perturbation}, every {best.prediction.period} epochs"
        groups.append(trainer.train(label, perturbations[best.perturbation], best.prediction.period))
        save()
    analysis = analyse(read_study(path), threshold, measured=dict.fromkeys(perturbations, period), qss=qss)
    written = write_report(analysis, out)
    console.print()
    console.print(summary_text(analysis), soft_wrap=True)
    console.print(f"{path} and {len(written)} files with figures and summary are in {out}/.")
    console.print(f"Done in {time.monotonic() - started:.0f} seconds.")


class _Trainer:
    """Trains one ensemble after the other, each with seeds of its own, and shows progress."""

    def __init__(self, console: Console, runs: int, epochs: int) -> None:
        from rich.console import Console as RichConsole

        self.console, self.runs, self.epochs, self.trained = console, runs, epochs, 0
        self.progress = RichConsole(stderr=True)

    def train(
        self, label: str, perturbation: Perturbation | None = None, period: int | None = None
    ) -> RunGroup:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from training.digits import train_digits

        seeds = range(self.trained * self.runs, (self.trained + 1) * self.runs)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        started = time.monotonic()
        with Progress(
            *columns, console=self.progress, transient=True, disable=not self.progress.is_terminal
        ) as bar:
            task = bar.add_task(f"training {label}", total=self.epochs)
            advance: Callable[[int, int], None] = lambda done, _: bar.update(task, completed=done)  # noqa: E731
            group = train_digits(seeds, self.epochs, perturbation, period, progress=advance)
        self.trained += 1
        seconds = time.monotonic() - started
        self.console.print(f"trained {label}: {self.runs} runs of {self.epochs} epochs in {seconds:.1f} s")
        return group
