"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from theory import Study

RunsPath = Annotated[Path, typer.Argument(metavar="RUNS.h5", help="Runs file.", show_default=False)]
Metric = Annotated[str | None, typer.Option(help="Metric; may be left out where the file has one.")]
Threshold = Annotated[float, typer.Option(help="Training is complete when the metric reaches this.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Resamples = Annotated[int, typer.Option(min=10, help="Bootstrap resamples.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")]
MeasuredPeriods = Annotated[
    list[str] | None,
    typer.Option("--measured", metavar="NAME=P", help="Period to predict a perturbation from; repeatable."),
]
Horizon = Annotated[
    int | None, typer.Option(min=1, help="Epochs over which speed-ups are stated; default: all recorded.")
]


def parse_periods(text: str) -> list[int]:
    """Periods from a list such as ``1,2,5:100:5`` (start:stop:step, the stop included).

    Examples
    --------
    >>> parse_periods("1,2,5:20:5")
    [1, 2, 5, 10, 15, 20]
    """
    periods: list[int] = []
    for part in text.split(","):
        try:
            numbers = [int(number) for number in part.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) == 1:
            periods += numbers
        elif 2 <= len(numbers) <= 3 and (len(numbers) == 2 or numbers[2] > 0):
            if numbers[0] > numbers[1]:
                raise ValueError(
                    f"`--periods` {part!r} is empty: it must rise, as {numbers[1]}:{numbers[0]} does, got {text!r}"
                )
            span = range(numbers[0], numbers[1] + 1, *numbers[2:])
            if span[10_000:]:
                raise ValueError(f"`--periods` {part!r} is too long; 10,000 periods at most")
            periods += span
        else:
            raise ValueError(f"`--periods` must look like 1,2,5:100:5, got {part!r} in {text!r}")
    if not periods or min(periods) < 1:
        raise ValueError(f"`--periods` must be whole numbers of epochs, at least 1, got {text!r}")
    if max(periods) > 1_000_000:
        raise ValueError(f"`--periods` must be at most 1,000,000 epochs, got {max(periods)}")
    if len(set(periods)) > 10_000:
        raise ValueError(f"`--periods` lists {len(set(periods))} periods; 10,000 at most")
    return sorted(set(periods))


def parse_measured(texts: list[str] | None) -> dict[str, int]:
    """Measured periods from texts such as ``shrink_perturb=20``.

    Examples
    --------
    >>> parse_measured(["shrink_perturb=20"])
    {'shrink_perturb': 20}
    """
    result: dict[str, int] = {}
    for text in texts or []:
        name, _, period = text.rpartition("=")
        if not name or not period.isdecimal() or int(period) < 1:
            raise ValueError(
                f"`--measured` must look like NAME=P with a period P of at least 1, got {text!r}"
            )
        if name in result:
            raise ValueError(f"`--measured` names {name!r} twice; one measured period per perturbation")
        result[name] = int(period)
    return result


def check_measured(study: Study, perturbation: str, measured: int) -> None:
    """Raise where the perturbation was not run at this period."""
    try:
        study.ensemble(perturbation, measured)
    except ValueError as problem:
        named = str(problem).replace("`period`", "`--measured`").replace("`perturbation`", "`--perturbation`")
        raise ValueError(named) from None


def check_all_measured(study: Study, chosen: dict[str, int]) -> None:
    """Raise where a perturbation of the study was not run at the period chosen for it."""
    for name in chosen.keys() & set(study.perturbations):
        check_measured(study, name, chosen[name])


def default_periods(study: Study, perturbation: str) -> list[int]:
    """Periods that were run, and a spread of others up to the end of the unperturbed runs."""
    horizon = study.unperturbed.horizon
    usual = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)
    return sorted({*study.periods(perturbation), *(p for p in usual if p <= horizon)})
