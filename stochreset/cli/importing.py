"""``stochreset import-traces``: runs from CSV files into a runs file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stochreset.cli import options


def import_traces(
    runs: options.RunsPath,
    unperturbed: Annotated[
        Path | None, typer.Option(help="Folder of CSV files, one unperturbed run each.")
    ] = None,
    perturbed: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:PERIOD:DIR", help="Folder of perturbed runs; repeatable."),
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="The whole tree as the authors of arXiv:2502.04121 published it.")
    ] = None,
) -> None:
    """Import runs from CSV files: one run a file, named columns, seed from the file name."""
    from rich.console import Console
    from rich.progress import Progress

    from training import import_published, parse_perturbed
    from training import import_traces as import_folders

    if (published is None) == (unperturbed is None) or (published is not None and perturbed):
        raise ValueError(
            "give either `--unperturbed DIR`, with any number of `--perturbed NAME:PERIOD:DIR`, "
            "or `--published DIR`"
        )
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading traces", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if published is not None:
            summary = import_published(published, runs, progress=advance)
        elif unperturbed is not None:
            folders = [parse_perturbed(text) for text in perturbed or []]
            summary = import_folders(runs, unperturbed, folders, progress=advance)
    print(summary)
