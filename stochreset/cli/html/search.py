"""Sections on a closed-loop search: its answers, its steps and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from stochreset.cli import tables
from stochreset.cli.html.bars import bars_table
from stochreset.cli.html.markup import Html, element, join, section, table
from stochreset.cli.html.pareto import pareto_points, plot_pareto
from stochreset.cli.html.record import SearchRecord, number, text
from stochreset.cli.html.svg import figure

MISSING = "—"
VERDICTS = {"perturb": "perturb", "do_not_perturb": "no speed-up shown", "undecided": "undecided"}


def answers_section(record: SearchRecord, metric: str) -> Html:
    """Answers at all thresholds, as a table and a figure; nothing where there are fewer than two."""
    if len(record.answers) < 2:
        return Html("")
    columns = (
        "threshold", "answer", "perturbation", "period", "epochs with it", "epochs without", "speed-up",
        "runs that confirm it",
    )  # fmt: skip
    content: list[object] = [
        table(
            "What the search found at each threshold, with 95 % intervals",
            columns,
            [_answer(each) for each in record.answers],
            text=("answer", "perturbation"),
        )
    ]
    words = [
        element("li", f"{_shown(each.get('threshold'))}: ", sentence)
        for each in record.answers
        if (sentence := text(each.get("sentence")))
    ]
    content.append(element("ul", *words) if words else "")
    if pareto_points(record.answers):
        caption = (
            "Time to each value of the metric, perturbed at its best and not perturbed, with 95 % intervals."
        )
        content.insert(0, figure(partial(plot_pareto, record.answers, metric=metric), "pareto", caption))
    return section("Answers at all thresholds", *content, name="answers")


def _answer(answer: Mapping[str, Any]) -> list[object]:
    verdict = text(answer.get("verdict"))
    mean = answer.get("mean") or answer.get("predicted")
    runs = answer.get("confirmation_runs")
    known = [number(each) for each in runs] if isinstance(runs, list) else []
    return [
        _shown(answer.get("threshold")),
        VERDICTS.get(verdict or "", verdict or MISSING),
        text(answer.get("perturbation")) or MISSING,
        _shown(answer.get("period")),
        estimate_text(mean),
        estimate_text(answer.get("unperturbed")),
        estimate_text(answer.get("speedup"), 3),
        " + ".join(f"{each:,.0f}" for each in known if each is not None) or MISSING,
    ]


def estimate_text(estimate: Any, digits: int = 4) -> str:
    """Value and interval of an estimate in the record.

    Examples
    --------
    >>> estimate_text({"value": 2.5, "low": 2.0, "high": 3.0}), estimate_text(None)
    ('2.5 [2 to 3]', '—')
    """
    if not isinstance(estimate, Mapping) or number(estimate.get("value")) is None:
        return MISSING
    low, high = number(estimate.get("low")), number(estimate.get("high"))
    value = tables.number(estimate["value"], digits)
    if low is None or high is None:
        return value
    return f"{value} [{tables.number(low, digits)} to {tables.number(high, digits)}]"


def steps_section(record: SearchRecord) -> Html:
    """The search step by step, and its cost against the full grid."""
    content: list[object] = []
    if record.steps:
        columns = ("no.", "step", "perturbation", "period", "runs", "epochs", "why")
        rows = [
            [
                str(n),
                text(step.get("step")) or MISSING,
                text(step.get("perturbation")) or "none",
                _shown(step.get("period")),
                _count(step.get("runs")),
                _count(step.get("epochs")),
                text(step.get("why")) or "",
            ]
            for n, step in enumerate(record.steps, 1)
        ]
        content.append(table("Steps, in their order", columns, rows, text=("step", "perturbation", "why")))
    content.append(search_cost(record))
    if not any(content):
        return Html("")
    return section("The search, step by step", *content, name="search")


def search_cost(record: SearchRecord) -> Html:
    """Epochs of the search by step, beside those of the full grid; empty where neither is recorded."""
    costs: dict[str, float] = dict(record.step_costs())
    total = record.cost.get("total", sum(costs.values()) if costs else None)
    grid = record.cost.get("grid")
    if total is not None:
        costs["whole search"] = total
    if grid is not None:
        costs["full grid"] = grid
    if not costs:
        return Html("")
    content: list[object] = [bars_table("Epochs of the search, by step", "step", costs)]
    content.append(search_share(record))
    return join(content)


def search_share(record: SearchRecord) -> Html:
    """What the search took of the full grid, in words; empty where the record does not tell."""
    total, grid = record.cost.get("total"), record.cost.get("grid")
    if not total or not grid or min(total, grid) <= 0:
        return Html("")
    share = f"The search took {100 * total / grid:.3g} % of the epochs of the full grid"
    saved = f", {grid / total:.3g} times fewer." if grid > total else "."
    return element("p", f"{share}: {total:,.0f} of {grid:,.0f}{saved}")


def _shown(value: Any) -> str:
    known = number(value)
    return MISSING if known is None else f"{known:g}"


def _count(value: Any) -> str:
    known = number(value)
    return MISSING if known is None else f"{known:,.0f}"
