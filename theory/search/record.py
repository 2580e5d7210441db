"""What a search found as a document that JSON can hold: for runs files, reports and programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from theory.estimates import Estimate
from theory.search.answer import Answer, SearchResult
from theory.search.state import Step


def search_document(result: SearchResult, settings: dict[str, Any]) -> dict[str, Any]:
    """Everything in a result but the runs."""
    qss = result.qss
    return {
        "thresholds": [answer.threshold for answer in result.answers],
        "horizon": result.horizon,
        "sentence": _sentence(result.answers),
        "answers": [_answer(answer) for answer in result.answers],
        "qss": None if qss is None else {"verdict": qss.verdict, "reason": qss.reason},
        "settled": result.settled,
        "steps": [step_document(step) for step in result.steps],
        "cost": {**result.cost, "grid": result.grid},
        "settings": settings,
    }


def _sentence(answers: Sequence[Answer]) -> str:
    """The answer at one threshold as it is, those at several in brief."""
    if len(answers) == 1:
        return answers[0].sentence
    return "; ".join(f"{answer.threshold:g}: {_brief(answer)}" for answer in answers) + "."


def _brief(answer: Answer) -> str:
    if answer.verdict == "do_not_perturb":
        return "no speed-up shown"
    if answer.candidate is None:
        return "nothing to recommend"
    name = f"{answer.candidate.name} every {answer.period}"
    if answer.confirmed is None:
        return f"{name}, not confirmed"
    return f"use {name}, {answer.confirmed.speedup.value:.3g} times sooner"


def step_document(step: Step) -> dict[str, Any]:
    """One step."""
    return {name: getattr(step, name) for name in ("step", "perturbation", "period", "runs", "epochs", "why")}


def _answer(answer: Answer) -> dict[str, Any]:
    confirmed = answer.confirmed
    found: dict[str, Any] = {
        "threshold": answer.threshold,
        "verdict": answer.verdict,
        "sentence": answer.sentence,
        "perturbation": None if answer.candidate is None else answer.candidate.name,
        "parameters": {} if answer.candidate is None else dict(answer.candidate.parameters),
        "period": answer.period,
        "predicted": _estimate(answer.predicted),
        "speedup": None if confirmed is None else _estimate(confirmed.speedup),
        "mean": None if confirmed is None else _estimate(confirmed.mean),
        "unperturbed": None if confirmed is None else _estimate(confirmed.unperturbed),
        "confirmation_runs": None if confirmed is None else list(confirmed.runs),
        "confirmation_censored": None if confirmed is None else list(confirmed.censored),
        "curves": [],
    }
    for curve in answer.curves:
        names = ("prior", "prior_low", "prior_high", "mean", "low", "high")
        found["curves"].append(
            {
                "perturbation": curve.candidate.name,
                "periods": [int(period) for period in curve.periods],
                **{name: [float(value) for value in getattr(curve, name)] for name in names},
                "points": [
                    {"period": period, "mean": point.mean, "runs": point.runs, "censored": point.censored}
                    for period, point in curve.points
                ],
            }
        )
    return found


def _estimate(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    numbers = {name: float(getattr(estimate, name)) for name in ("value", "stderr", "low", "high")}
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
