"""Results as tables for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stochreset.cli.rows import Rows

if TYPE_CHECKING:
    from rich.console import Console

    from theory import MeasuredPoint, Prediction, Ranking

LONGEST = 60
"""Characters of a value that are shown."""


def number(value: float, digits: int = 4) -> str:
    """Short text of a number; a dash where there is none."""
    return f"{value:.{digits}g}" if math.isfinite(value) else "—"


def interval(low: float, high: float) -> str:
    """Text of an interval."""
    return f"{number(low)} – {number(high)}" if math.isfinite(low) else "—"


def predictions_table(
    title: str, predictions: Sequence[Prediction], measured: Sequence[MeasuredPoint]
) -> Rows:
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
    return Rows(title, columns, rows)


def prediction_notes(predictions: Sequence[Prediction]) -> list[str]:
    """Why predictions are not valid, each reason once, with the periods that it is said of."""
    where: dict[str, list[int]] = {}
    for index, p in enumerate(predictions):
        if p.status != "valid":
            where.setdefault(f"{p.status}: {p.reason}", []).append(index)
    periods = [p.period for p in predictions]
    return [f"{_periods(periods, indices)}: {reason}" for reason, indices in where.items()]


def _periods(periods: Sequence[int], indices: Sequence[int]) -> str:
    """Text of some of the periods; three and more that are neighbours in the table by the first and the last.

    Examples
    --------
    >>> _periods([1, 2, 5, 10, 20, 30], [0, 1, 3, 4, 5]), _periods([1, 2], [1])
    ('periods 1, 2, 10 to 30', 'period 2')
    """
    blocks: list[list[int]] = []
    for index in indices:
        if blocks and index == blocks[-1][-1] + 1:
            blocks[-1].append(index)
        else:
            blocks.append([index])
    texts = [
        f"{periods[block[0]]} to {periods[block[-1]]}"
        if len(block) > 2
        else ", ".join(str(periods[i]) for i in block)
        for block in blocks
    ]
    return ("period " if len(indices) == 1 else "periods ") + ", ".join(texts)


def ranking_table(ranking: Ranking) -> Rows:
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
    return Rows(title, columns, rows)


def console() -> Console:
    """Console for people, wide enough for the tables where output is not a terminal."""
    from rich.console import Console

    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=110)


def simulation_text(document: dict[str, Any]) -> str:
    """Lines about a simulated sample, from its document."""
    d = document
    runs, seconds = d["runs"], d["seconds"]
    kind = "restricted mean" if d["lower_bound"] else "mean"
    step = "" if d["dt"] is None else f", dt {d['dt']:.4g}"
    mean = f"{number(d['mfpt'])} ± {number(d['stderr'], 2)} [{number(d['low'])}, {number(d['high'])}]"
    exact = "not known, or infinite" if d["horizon"] is None else "not known"
    if d["exact"] is not None:
        exact = f"{d['exact']:.6g} ({d['exact_source']})" + ("" if d["z"] is None else f", z = {d['z']:.2f}")
    lines = [
        (d["model"] + ":", _listed(d["parameters"])),
        ("protocol:", _named(d["protocol"])),
        ("perturbation:", "none" if d["perturbation"] is None else _named(d["perturbation"])),
        ("method:", f"{d['method']}{step}; expected bias: {d['expected_bias']}"),
        (f"{kind}:", f"{mean} from {runs} runs, seed {d['seed']}"),
        ("exact:", exact),
        ("censored:", f"{d['censored']} of {runs}" + (f" at {d['horizon']:g}" if d["horizon"] else "")),
        (
            "speed:",
            f"{runs / max(seconds, 1e-9):.3g} runs and {d['steps'] / max(seconds, 1e-9):.3g} steps a second",
        ),
        ("digest:", d["digest"]),
    ]
    if d["bias"] is not None:
        bias = f"{d['bias']['value']:.2g} ± {d['bias']['stderr']:.2g}, from half the step"
        lines.insert(6, ("bias:", bias))
    if d["lower_bound"]:
        lines.insert(5, ("", "of min(time, horizon), a lower bound of the mean: some runs are censored"))
    width = 1 + max(len(label) for label, _ in lines)
    return "\n".join(label.ljust(width) + text for label, text in lines)


def _named(settings: dict[str, Any]) -> str:
    rest = {name: value for name, value in settings.items() if name != "name" and value is not None}
    return f"{settings['name']}, {_listed(rest)}" if rest else str(settings["name"])


def _listed(settings: dict[str, Any]) -> str:
    shown = []
    for name, value in settings.items():
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if value is not None:
            shown.append(f"{name} {text if len(text) <= LONGEST else text[:LONGEST] + '...'}")
    return ", ".join(shown)


def models_text(document: dict[str, Any]) -> str:
    """The models, one paragraph each, from their document."""
    return "\n\n".join(_model_text(model) for model in document["models"])


def _model_text(model: dict[str, Any]) -> str:
    parameters = model["parameters"]
    names, values = ([str(each[key]) for each in parameters] for key in ("name", "default"))
    wide, long = (max(map(len, texts), default=0) for texts in (names, values))
    lines = [f"{model['name']}: {model['summary']}"]
    for name, value, each in zip(names, values, parameters, strict=True):
        unit = "" if each["unit"] == "none" else each["unit"]
        lines.append(f"    {name.ljust(wide)}  {value.ljust(long)}  {unit}".rstrip())
    lines.append(f"  methods: {', '.join(model['methods'])}")
    lines.append(f"  exact mean: {model['known']}")
    return "\n".join(lines)
