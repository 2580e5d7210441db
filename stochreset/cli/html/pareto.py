"""Time to reach a value of the metric against that value, with and without perturbation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stochreset.cli.html.record import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float, float, float]
"""Threshold, time, and the ends of the interval of the time."""


def pareto_points(answers: Iterable[Mapping[str, Any]]) -> dict[str, list[Point]]:
    """Points of the two lines, by threshold; a line without points is left out."""
    found: dict[str, list[Point]] = {"perturbed at its best": [], "not perturbed": []}
    for answer in answers:
        threshold = number(answer.get("threshold"))
        if threshold is None:
            continue
        perturbed = answer.get("mean") or answer.get("predicted")
        for name, estimate in zip(found, (perturbed, answer.get("unperturbed")), strict=True):
            value, low, high = (_part(estimate, part) for part in ("value", "low", "high"))
            if value is not None and value > 0:
                low, high = (value if low is None else low), (value if high is None else high)
                found[name].append((threshold, value, min(low, value), max(high, value)))
    return {name: sorted(points) for name, points in found.items() if points}


def _part(estimate: Any, name: str) -> float | None:
    return number(estimate.get(name)) if isinstance(estimate, Mapping) else None


def plot_pareto(answers: Iterable[Mapping[str, Any]], ax: Axes, *, metric: str) -> Axes:
    """Draw time to the metric (logarithmic) against metric value.

    Parameters
    ----------
    answers : iterable of mappings
        Answers of the record.
    ax : matplotlib axes
        Where to draw.
    metric : str
        Name of the metric.
    """
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    from theory.plots import BLUE, ORANGE

    styles = {"perturbed at its best": (BLUE, "o", "-"), "not perturbed": (ORANGE, "s", "--")}
    for name, points in pareto_points(answers).items():
        threshold, value, low, high = zip(*points, strict=True)
        colour, marker, line = styles[name]
        error = [
            [v - end for v, end in zip(value, low, strict=True)],
            [end - v for v, end in zip(value, high, strict=True)],
        ]
        ax.errorbar(
            value, threshold, xerr=error, color=colour, marker=marker, ls=line, ms=5, capsize=2, label=name
        )
    ax.set_xscale("log")
    ax.set(xlabel="mean time to reach it (epochs)", ylabel=metric.replace("_", " "))
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend(fontsize="small", frameon=False)
    return ax
