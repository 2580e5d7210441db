"""Runs at a recommended period, held against the prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.ensembles import Study
from theory.estimates import Estimate, ratio_estimate
from theory.survival import restricted_mean


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Runs at the recommended period.

    Attributes
    ----------
    runs, censored : int
        Runs, and those that had not arrived by ``horizon``.
    restricted : Estimate
        Their restricted mean up to ``horizon``, epochs.
    speedup : Estimate
        Measured restricted mean without perturbation over theirs.
    agrees : bool
        Whether their restricted mean is within 1.96 standard errors of the predicted one.
    horizon : int
        Epochs; the shorter of the stated horizon and the length of these runs.
    """

    runs: int
    censored: int
    restricted: Estimate
    speedup: Estimate
    agrees: bool
    horizon: int


def confirm(
    study: Study, perturbation: str, period: int, threshold: float, horizon: int, predicted: Estimate
) -> Confirmation | None:
    """Compare the runs at ``period`` with the ``predicted`` restricted mean; None if there are none."""
    if period not in study.periods(perturbation):
        return None
    ensemble = study.ensemble(perturbation, period)
    sample = ensemble.first_passage(threshold, horizon)
    # Runs that all arrived need not be watched any longer.
    end = min(horizon, ensemble.horizon) if sample.n_censored else horizon
    restricted = restricted_mean(sample, end)
    alone = restricted_mean(study.unperturbed.first_passage(threshold, end), end)
    ratio = alone.value / restricted.value
    error = ratio * float(np.hypot(alone.stderr / alone.value, restricted.stderr / restricted.value))
    speedup = ratio_estimate(ratio, error, len(sample))
    gap = abs(restricted.value - predicted.value)
    agrees = end == horizon and gap <= 1.96 * float(np.hypot(restricted.stderr, predicted.stderr))
    return Confirmation(len(sample), sample.n_censored, restricted, speedup, bool(agrees), end)
