"""Bias of the estimators where runs are censored: the mean over many studies, against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import renewal
from renewal import HORIZON, PERIOD, THRESHOLD
from work import Workers

from theory import (
    Ensemble,
    kaplan_meier,
    mean_passage_time,
    measure_response,
    predict,
    restricted_mean,
)
from theory.search import Candidate
from theory.search.evidence import Evidence

RUNS = 50
LOST = {"none": None, "by chance, a third": (10, 300), "by chance, most": (2, 60)}
"""Epochs between which runs are lost, at random."""


@dataclass(frozen=True, slots=True)
class Bias:
    """Mean of an estimate over the truth, less 1."""

    name: str
    censored: str
    replicas: int
    bias: float
    error: float
    note: str = ""


NOTES = {
    "mean, taken from censored runs": "marked as a lower bound",
    "mean residual time": "marked as a lower bound where a residual is censored",
}


def censored_rows(workers: Workers, replicas: int) -> list[Bias]:
    """All biases, in order of the estimators."""
    rows = []
    for lost in LOST:
        found = workers.replicas(f"bias, runs lost: {lost}", partial(_estimates, lost), replicas)
        rows += _biases(found, lost)
    for cap in (None, 100, 40):
        found = workers.replicas(
            f"bias, search, given up after {cap}", partial(_search_points, cap), replicas
        )
        rows += _biases(found, "none" if cap is None else f"given up after {cap} epochs")
    names = list(dict.fromkeys(row.name for row in rows))
    return sorted(rows, key=lambda row: names.index(row.name))


def _biases(found: list[dict[str, tuple[float, float]]], lost: str) -> list[Bias]:
    rows = []
    for name in found[0]:
        value, truth = np.array([each[name] for each in found]).T
        ratio = value[np.isfinite(value)] / truth[0]
        error = float(ratio.std(ddof=1) / np.sqrt(ratio.size))
        note = NOTES.get(name, "") if lost != "none" else ""
        rows.append(Bias(name, lost, ratio.size, float(ratio.mean() - 1), error, note))
    return rows


def _lose(runs: Ensemble, lost: str, rng: np.random.Generator) -> Ensemble:
    """The same runs, each recorded to a random epoch only."""
    if LOST[lost] is None:
        return runs
    end = rng.integers(*LOST[lost], len(runs))
    end[0] = HORIZON
    values = np.where(np.arange(HORIZON) < end[:, None], runs.values, np.nan)
    return Ensemble(values, runs.seeds, perturbation=runs.perturbation, period=runs.period)


def _estimates(lost: str, seed: int) -> dict[str, tuple[float, float]]:
    rng = np.random.default_rng([6, list(LOST).index(lost), seed])
    free = _lose(renewal.ensemble(RUNS, None, rng), lost, rng)
    kicked = _lose(renewal.ensemble(RUNS, PERIOD, rng, 1000), lost, rng)
    arrival = free.first_passage(THRESHOLD)
    response = measure_response(free, kicked, THRESHOLD, resamples=2, seed=seed)
    (predicted,) = predict(response, [12], renewal.limits(), model="cycles")
    return {
        "survival at 30": (
            float(kaplan_meier(arrival).evaluate(30)),
            float(renewal.survival(renewal.FREE)[30]),
        ),
        "restricted mean to 40": (restricted_mean(arrival, 40).value, renewal.exact_restricted(None, 40)),
        "mean, taken from censored runs": (
            mean_passage_time(kicked.first_passage(THRESHOLD)).value,
            renewal.exact_mean(PERIOD),
        ),
        "mean residual time": (response.tau_estimate.value, renewal.exact_tau(PERIOD)),
        f"prediction at 12 from {PERIOD}, cycles": (predicted.mean, renewal.exact_mean(12)),
    }


def _search_points(cap: int | None, seed: int) -> dict[str, tuple[float, float]]:
    """Mean at one point of a search, from runs that are given up after ``cap`` epochs."""
    rng = np.random.default_rng([7, cap or 0, seed])
    evidence, key = Evidence(), (Candidate("kick"), PERIOD)
    evidence.pilot = renewal.ensemble(RUNS, None, rng)
    kicked = renewal.ensemble(RUNS // 5, PERIOD, rng, 1000)
    given_up = Ensemble(kicked.values[:, :cap], kicked.seeds, perturbation="kick", period=PERIOD)
    evidence.add(key, given_up, branched=False)
    point = evidence.point(key, THRESHOLD, HORIZON)
    assert point is not None
    return {"mean at one point of a search, 10 runs": (point.mean, renewal.exact_restricted(PERIOD, HORIZON))}
