"""What the script of the page draws: numbers and texts, all of them computed here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from stochreset.cli import documents, tables
from stochreset.cli.documents import predict_document, rank_document
from stochreset.cli.html.scan import Position
from stochreset.cli.reporting import Analysis
from theory import Study, kaplan_meier

POINTS = 400
"""Points of a survival curve at most."""
RANKING_COLUMNS = (
    "perturbation", "best period", "mean (epochs)", "its 95 % interval", "speed-up", "its 95 % interval",
    "validity", "confirmed",
)  # fmt: skip
PREDICTION_COLUMNS = (
    "period", "predicted", "its 95 % interval", "measured", "its 95 % interval", "validity", "why",
)  # fmt: skip
VALIDITY = {
    "valid": "●\N{NO-BREAK SPACE}valid",
    "extrapolated": "◐\N{NO-BREAK SPACE}extrapolated",
    "out_of_range": "○\N{NO-BREAK SPACE}out of range",
}


def page_data(study: Study, positions: Sequence[Position], chosen: float) -> dict[str, Any]:
    """Document that the page embeds.

    Parameters
    ----------
    study : Study
        Runs.
    positions : sequence of Position
        Of the slider.
    chosen : float
        Threshold at which the slider stands at first.
    """
    free = study.unperturbed
    data = {
        "metric": free.metric.replace("_", " "),
        "sign": free.direction.replace("_", " "),
        "chosen": [position.threshold for position in positions].index(chosen),
        "perturbations": list(study.perturbations),
        "axes": _axes(study, positions),
        "positions": [_position(study, position) for position in positions],
    }
    # Numbers that JSON does not know become null.
    result: dict[str, Any] = json.loads(documents.dump(data))
    return result


def _position(study: Study, position: Position) -> dict[str, Any]:
    found: dict[str, Any] = {
        "threshold": position.threshold,
        "label": f"{position.threshold:g}",
        "possible": position.analysis is not None,
        "sentence": position.sentence,
        "left_out": position.left_out,
        "survival": _survival(study, position.threshold),
        "rank": None,
        "rows": [],
        "predict": {},
    }
    if position.analysis is not None:
        found["rank"] = rank_document(position.analysis.ranking)
        found["rows"] = ranking_rows(position.analysis)
        found["predict"] = _predictions(position.analysis)
    return found


def _survival(study: Study, threshold: float) -> dict[str, list[float]]:
    curve = kaplan_meier(study.unperturbed.first_passage(threshold))
    end = study.unperturbed.horizon
    time = np.unique(np.linspace(0, end, min(end, POINTS) + 1).astype(int))
    low, high = curve.confidence_interval(time)
    curves = {"value": curve.evaluate(time), "low": low, "high": high}
    return {"time": time.tolist(), **{name: np.round(y, 5).tolist() for name, y in curves.items()}}


def _predictions(analysis: Analysis) -> dict[str, Any]:
    found = {}
    for optimum in analysis.ranking.optima:
        name = optimum.perturbation
        predictions, measured = analysis.predictions[name], analysis.measured[name]
        document = predict_document(optimum.response, predictions, measured)
        for each, point in zip(document["measured"], measured, strict=True):
            each |= {"low": point.mean.low, "high": point.mean.high}
        best = {"period": optimum.prediction.period, "mean": optimum.prediction.mean}
        found[name] = {**document, "best": best, "rows": prediction_rows(analysis, name)}
    return found


def ranking_rows(analysis: Analysis) -> list[list[str]]:
    """Cells of the ranking, best first, under `RANKING_COLUMNS`."""
    return [
        [
            o.perturbation,
            str(o.prediction.period),
            tables.number(o.prediction.mean),
            tables.interval(o.prediction.low, o.prediction.high),
            tables.number(o.speedup.value, 3),
            f"{tables.number(o.speedup.low, 3)} – {tables.number(o.speedup.high, 3)}",
            VALIDITY[o.prediction.status],
            _confirmed(o.confirmed, o.confirmation is not None, o.prediction.period == o.response.period),
        ]
        for o in analysis.ranking.optima
    ]


def _confirmed(confirmed: bool, runs: bool, same: bool) -> str:
    if confirmed:
        return "yes, by runs there"
    if not runs:
        return "no runs there yet"
    return "predicted from the runs there" if same else "no, runs there disagree"


def prediction_rows(analysis: Analysis, name: str) -> list[list[str]]:
    """Cells of the predictions of one perturbation, by period, under `PREDICTION_COLUMNS`."""
    seen = {point.period: point for point in analysis.measured[name]}
    rows = []
    for p in analysis.predictions[name]:
        point = seen.get(p.period)
        measured, around = "", ""
        if point is not None:
            measured = ("at least " if point.censored else "") + tables.number(point.mean.value)
            around = tables.interval(point.mean.low, point.mean.high)
        rows.append(
            [
                str(p.period),
                tables.number(p.mean),
                tables.interval(p.low, p.high),
                measured,
                around,
                VALIDITY[p.status],
                p.reason,
            ]
        )
    return rows


def _axes(study: Study, positions: Iterable[Position]) -> dict[str, list[float]]:
    """Ranges that all thresholds share, so that the slider moves the curves and not the axes."""
    longest = 20 * study.unperturbed.horizon
    periods, means = {1}, []
    for position in positions:
        if position.analysis is None:
            continue
        for name, predictions in position.analysis.predictions.items():
            periods |= {p.period for p in predictions}
            shown = [p.mean for p in predictions if p.status != "out_of_range"]
            shown += [point.mean.value for point in position.analysis.measured[name]]
            means += [mean for mean in shown if 0 < mean <= longest]
    low, high = (min(means), max(means)) if means else (1, study.unperturbed.horizon)
    return {
        "time": [0, study.unperturbed.horizon],
        "period": [0.85 * min(periods), 1.15 * max(periods)],
        "mean": [0.8 * low, 1.4 * high],
    }
