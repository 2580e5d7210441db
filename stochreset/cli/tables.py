"""Results as tables for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from theory import MeasuredPoint, Prediction, Ranking


def number(value: float, digits: int = 4) -> str:
    """Short text of a number; a dash where there is none."""
    return f"{value:.{digits}g}" if math.isfinite(value) else "—"


def interval(low: float, high: float) -> str:
    """Text of an interval."""
    return f"{number(low)} – {number(high)}" if math.isfinite(low) else "—"


def _table(title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        numeric = column not in ("model", "status", "perturbation", "confirmed")
        table.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*row)
    return table


def predictions_table(
    title: str, predictions: Sequence[Prediction], measured: Sequence[MeasuredPoint]
) -> Table:
    """Predicted beside measured means, period by period."""
    seen = {point.period: point for point in measured}
    rows = []
    for p in predictions:
        point = seen.get(p.period)
        shown = "" if point is None else ("≥ " if point.censored else "") + number(point.mean.value)
        stderr = "" if point is None else number(point.mean.stderr, 2)
        rows.append(
            (str(p.period), number(p.mean), interval(p.low, p.high), p.model, p.status, shown, stderr)
        )
    columns = ("period", "predicted", "95 % interval", "model", "status", "measured", "± stderr")
    return _table(title, columns, rows)


def ranking_table(ranking: Ranking) -> Table:
    """Perturbations at their best periods, best first."""
    rows = [
        (
            o.perturbation,
            str(o.prediction.period),
            number(o.prediction.mean),
            interval(o.prediction.low, o.prediction.high),
            number(o.speedup.value, 3),
            interval(o.speedup.low, o.speedup.high),
            o.prediction.status,
            "yes" if o.confirmed else "no",
        )
        for o in ranking.optima
    ]
    title = f"Best period of each perturbation, threshold {ranking.threshold:g}"
    columns = (
        "perturbation", "period", "mean", "95 % interval", "speed-up", "95 % interval", "status", "confirmed",
    )  # fmt: skip
    return _table(title, columns, rows)


def console() -> Console:
    """Console for people, wide enough for the tables where output is not a terminal."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=110)
