"""Measured means and responses of the perturbed ensembles of a study, and which of them to predict from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.ensembles import Ensemble, Study
from theory.estimates import Estimate
from theory.relaxation import QuasiSteadyState
from theory.response import Response, measure_response
from theory.survival import mean_passage_time
from theory.validity import ValidRange, valid_range

ENOUGH = 0.5
"""A period to predict from has at least this fraction of the residual times of the one with most."""


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """Measured mean first-passage time at one period.

    Attributes
    ----------
    period : int
        Epochs.
    mean : Estimate
        Epochs; with censored runs the restricted mean, marked as a lower bound.
    runs, censored : int
        Runs, and those that had not arrived.
    """

    period: int
    mean: Estimate
    runs: int
    censored: int


def measured_point(ensemble: Ensemble, threshold: float) -> MeasuredPoint:
    """Mean first-passage time of one perturbed ensemble."""
    sample = ensemble.first_passage(threshold)
    return MeasuredPoint(int(ensemble.period or 0), mean_passage_time(sample), len(sample), sample.n_censored)


def measured_points(study: Study, perturbation: str, threshold: float) -> tuple[MeasuredPoint, ...]:
    """Mean first-passage times at every period that was run, ascending."""
    periods = study.periods(perturbation)
    return tuple(measured_point(study.ensemble(perturbation, period), threshold) for period in periods)


def choose_measured(study: Study, perturbation: str, threshold: float, qss: QuasiSteadyState) -> int:
    """Period to predict from: the shortest in the quasi-steady state that has many runs alive at it.

    Many is at least half as many as at the period with most. Without any period in the quasi-steady state,
    the longest with many is taken: it is the nearest to one. Means are not looked at.
    """
    periods = study.periods(perturbation)
    if not periods:
        study.ensemble(perturbation, 1)  # raises, naming what there is
    alive = {
        period: int(np.sum(study.ensemble(perturbation, period).first_passage(threshold).times > period))
        for period in periods
    }
    relaxed = [p for p in periods if qss.relaxation_epoch is not None and p >= qss.relaxation_epoch]
    candidates = relaxed or list(periods)
    most = max(alive[p] for p in candidates)
    many = [p for p in candidates if alive[p] >= ENOUGH * most]
    return min(many) if relaxed else max(many)


def respond(
    study: Study,
    perturbation: str,
    period: int,
    threshold: float,
    qss: QuasiSteadyState,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Response, ValidRange]:
    """Response of one ensemble of a study, and the range in which predictions from it are valid.

    Branches that start within the quasi-steady state count as further measurements of the response.
    """
    ensemble = study.ensemble(perturbation, period)
    branches = [
        branch
        for branch in study.branches(perturbation, period)
        if qss.relaxation_epoch is not None
        and qss.relaxation_epoch <= int(branch.onset or 0)
        and np.any(branch.first_passage(threshold).times > int(branch.onset or 0))
    ]
    response = measure_response(
        study.unperturbed, ensemble, threshold, resamples=resamples, seed=seed, branches=branches
    )
    return response, valid_range(study.unperturbed, ensemble, response, qss)
