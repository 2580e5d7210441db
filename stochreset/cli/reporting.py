"""The whole analysis of a study at one threshold, and its report: figures and a summary."""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stochreset.cli import documents
from stochreset.cli.options import default_periods
from stochreset.cli.tables import number
from theory import (
    Estimate,
    MeasuredPoint,
    Prediction,
    Ranking,
    Study,
    kaplan_meier,
    measured_points,
    predict,
    rank,
)
from theory.estimates import few_runs_note
from theory.files import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST_STEM = 100
"""Characters of the name of a figure's file."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Ranking of a study, with predictions and measurements of each perturbation, by its name."""

    study: Study
    ranking: Ranking
    predictions: dict[str, list[Prediction]]
    measured: dict[str, tuple[MeasuredPoint, ...]]


def analyse(study: Study, threshold: float, **settings: Any) -> Analysis:
    """Rank the perturbations and predict each at its measured and at the usual periods.

    ``settings`` are those of `theory.rank`.
    """
    ranking = rank(study, threshold, **settings)
    predictions, measured = {}, {}
    for optimum in ranking.optima:
        name = optimum.perturbation
        periods = sorted({*default_periods(study, name), optimum.prediction.period})
        predictions[name] = predict(optimum.response, periods, optimum.limits)
        measured[name] = measured_points(study, name, threshold)
    return Analysis(study, ranking, predictions, measured)


def headline(analysis: Analysis) -> str:
    """The answer in one sentence."""
    ranking = analysis.ranking
    best = ranking.optima[0]
    arrived = [o.response.perturbed_alive - o.response.tau_censored for o in ranking.optima]
    if ranking.unperturbed_censored == ranking.unperturbed_runs and not any(arrived):
        return f"Nothing to recommend: no run reached {ranking.threshold:g}, perturbed or not."
    if best.speedup.low <= 1:
        found = f"(best: {best.perturbation} every {best.prediction.period} epochs, speed-up {_range(best.speedup)})"
        if best.speedup.high < 1:
            return f"Do not perturb: it takes longer to reach {ranking.threshold:g} {found}."
        return f"No speed-up is shown in reaching {ranking.threshold:g} {found}."
    measured = best.confirmation if best.prediction.period != best.response.period else None
    mean, speedup = (
        (best.restricted, best.speedup) if measured is None else (measured.restricted, measured.speedup)
    )
    if measured is None:
        state = f"predicted, {best.prediction.status}, to be confirmed by runs"
    else:
        state = f"measured in {measured.runs} runs there; predicted: {number(best.speedup.value, 3)}"
        state += "" if measured.agrees else ", which these runs contradict"
    return (
        f"Use {best.perturbation} every {best.prediction.period} epochs: {ranking.threshold:g} is reached in "
        f"{number(mean.value, 3)} epochs on average, {number(speedup.value, 3)} times sooner than without "
        f"(95 % interval {_range(speedup)}, means up to epoch {ranking.horizon}; {state})."
    )


def _range(estimate: Estimate) -> str:
    return f"{number(estimate.low, 3)} to {number(estimate.high, 3)}"


def summary_text(analysis: Analysis) -> str:
    """The answer and its evidence as plain text."""
    study, ranking = analysis.study, analysis.ranking
    qss, free, alone = ranking.qss, study.unperturbed, ranking.unperturbed
    lines = [
        headline(analysis),
        "",
        f"Metric {free.metric}, threshold {ranking.threshold:g}, {len(free)} unperturbed runs of "
        f"{free.horizon} epochs.",
        f"Quasi-steady state: {qss.verdict.replace('_', ' ')}; {qss.reason}.",
        f"No perturbation: {number(alone.value)} ± {number(alone.stderr, 2)} epochs up to epoch "
        f"{ranking.horizon}; {ranking.unperturbed_censored} of {ranking.unperturbed_runs} runs are not "
        "there by then.",
    ]
    for optimum in ranking.optima:
        tau, p = optimum.response.tau_estimate, optimum.prediction
        lines += [
            "",
            f"{optimum.perturbation}, measured at period {optimum.response.period}: "
            f"mean residual time {tau} epochs",
            f"  best period {p.period} (95 % interval {optimum.period_low} to {optimum.period_high}): "
            f"{number(p.mean)} epochs [{number(p.low)}, {number(p.high)}], {p.status}, "
            f"speed-up {optimum.speedup.value:.3g} [{_range(optimum.speedup)}]",
        ]
        if optimum.confirmation is not None:
            c = optimum.confirmation
            lines.append(
                f"  runs there: {number(c.restricted.value)} ± {number(c.restricted.stderr, 2)} epochs "
                f"up to epoch {c.horizon} (predicted {number(optimum.restricted.value)} ± "
                f"{number(optimum.restricted.stderr, 2)}), {c.runs} runs, {c.censored} not there by then, "
                f"speed-up {number(c.speedup.value, 3)} [{_range(c.speedup)}]"
            )
        notes = (optimum.advice, few_runs_note(optimum.response.perturbed_alive))
        lines += [f"  {note}" for note in notes if note]
    return "\n".join(lines) + "\n"


def predictions_csv(analysis: Analysis) -> str:
    """All predictions and measurements, one line per perturbation and period."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = ("period", "mean", "stderr", "low", "high", "model", "status", "reason")
    writer.writerow(
        ["perturbation", *fields, "measured_mean", "measured_stderr", "measured_runs", "measured_censored"]
    )
    for name, predictions in analysis.predictions.items():
        seen = {point.period: point for point in analysis.measured[name]}
        for prediction in predictions:
            point = seen.get(prediction.period)
            measured: list[object] = [""] * 4
            if point is not None:
                measured = [point.mean.value, point.mean.stderr, point.runs, point.censored]
            row = [name, *(getattr(prediction, field) for field in fields), *measured]
            writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: object) -> object:
    """A cell of a table that a spreadsheet shows as it is: text that it would take for a formula gets an apostrophe."""
    risky = isinstance(value, str) and value.lstrip(" ").startswith(
        ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
    )
    return f"'{value}" if risky else value


def summary_document(analysis: Analysis) -> dict[str, Any]:
    """Everything in the summary as one JSON document."""
    study = analysis.study
    return {
        "headline": headline(analysis),
        "qss": documents.qss_document(study.unperturbed.metric, study.unperturbed.name, analysis.ranking.qss),
        "rank": documents.rank_document(analysis.ranking),
        "predict": [
            documents.predict_document(
                o.response, analysis.predictions[o.perturbation], analysis.measured[o.perturbation]
            )
            for o in analysis.ranking.optima
        ],
    }


def figures(analysis: Analysis) -> dict[str, Callable[..., Axes]]:
    """Figures of the report: file stem to a function that draws on the axes ``ax``."""
    from theory import plots

    study, ranking = analysis.study, analysis.ranking
    curve = kaplan_meier(study.unperturbed.first_passage(ranking.threshold))
    drawn: dict[str, Callable[..., Axes]] = {
        "traces_unperturbed": partial(plots.plot_traces, study.unperturbed, threshold=ranking.threshold),
        "survival_unperturbed": partial(plots.plot_survival, curve, xlabel="time t (epochs)"),
        "relaxation": partial(plots.plot_relaxation, ranking.qss),
        "ranking": partial(plots.plot_ranking, ranking),
    }
    for optimum in ranking.optima:
        name = optimum.perturbation
        ensemble = study.ensemble(name, optimum.response.period)
        drawn[f"traces_{name}"] = partial(plots.plot_traces, ensemble, threshold=ranking.threshold)
        drawn[f"response_{name}"] = partial(
            plots.plot_predictions,
            analysis.predictions[name],
            analysis.measured[name],
            optimum.limits,
            title=f"{name.replace('_', ' ')}, threshold {ranking.threshold:g}",
        )
    return drawn


def write_report(analysis: Analysis, out: Path) -> list[Path]:
    """Write ``summary.txt``, ``.csv``, ``.json`` and every figure as PNG and SVG into ``out``."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"`--out` {out} is a file; name a folder")
    files = {
        "summary.txt": summary_text(analysis).encode(),
        "summary.csv": predictions_csv(analysis).encode(),
        "summary.json": (documents.dump(summary_document(analysis)) + "\n").encode(),
    }
    for stem, draw in figures(analysis).items():
        for suffix, content in _drawn(draw).items():
            files[f"{_safe(stem)}.{suffix}"] = content
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        replace_file(out / name, content)
    return [out / name for name in files]


def _drawn(draw: Callable[..., Axes]) -> dict[str, bytes]:
    """A figure as PNG and SVG, by the suffix of its file."""
    import matplotlib
    from matplotlib.figure import Figure

    files = {}
    # Names are text, not formulas, whatever is in them, and however long they are.
    with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font|constrained_layout not applied")
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        draw(ax=figure.subplots())
        for suffix in ("png", "svg"):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, dpi=150)
            files[suffix] = buffer.getvalue()
    return files


def _safe(stem: str) -> str:
    """Name of a file, in the folder and of bounded length whatever the stem is; two stems never share one."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in stem)[:LONGEST_STEM]
    return name if name == stem else f"{name}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"
