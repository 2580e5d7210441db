"""What the commands that train have in common: their configuration, where to run, how an interruption ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.executors import ExecutorSettings

Where = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="WHERE",
        help="in-process, processes[:N], gpus[:N], dask://HOST:PORT, dask:FILE.json, slurm[:PARTITION] "
        "or submitit-local[:N]; default: as the configuration says.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Folder of what is trained; default: named after the configuration."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the plan and its cost in epochs; train nothing.")
]
Example = Annotated[bool, typer.Option("--example", help="Print a configuration to start from.")]


def required_config(config: Path | None, command: str, example_name: str) -> Path:
    """Return the configuration, or say how to come by one."""
    if config is None:
        raise ValueError(
            f"`CONFIG.toml` is needed; `stochreset {command} --example > {example_name}` writes one to start from"
        )
    return config


def parse_where(executor: str | None) -> ExecutorSettings | None:
    """Settings of the executor that ``--executor`` names, None where it names none."""
    from training.executors import parse_executor

    try:
        return None if executor is None else parse_executor(executor)
    except ValueError as problem:
        raise ValueError(str(problem).replace("`spec` of an executor", "`--executor`")) from None


class Stopped(Exception):
    """Ctrl-C or SIGTERM ended a command; the message says how to go on."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block Ctrl-C and SIGTERM raise `Stopped`: the command ends with code 130 and says how to go on."""
    from training.study.interruption import sigterm_as_ctrl_c

    try:
        with sigterm_as_ctrl_c():
            yield
    except KeyboardInterrupt as ended:
        raise Stopped(f"{str(ended) or 'interrupted'}; the same command goes on from there") from None
