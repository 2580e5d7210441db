r"""What the theory expects of every period, as the prior of the surrogate.

From the residual times of runs that branched off at one period P*, `theory.predict`'s formulas give the mean
first-passage time at the others. How far they may be off is the width of the prior, in the logarithm of the mean:

.. math:: \sigma^2(P) = (\text{standard error} / \text{mean})^2 + (a + b\,\ln(P_0 / P)_+)^2,

with P_0 the shortest period at which their assumptions hold, a the error inside the validated range and b its
growth below. On the published runs valid predictions err by 0.8 % at the median and 6.7 % at most (see the README),
hence a; b makes the width a factor of two at period 1 if a run relaxes in 15 epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from theory.ensembles import Ensemble
from theory.prediction import constant_mean, restricted_cycle_mean
from theory.protocols import periodic
from theory.response import Response, measure_response

INSIDE = 0.05
GROWTH = 0.25
UNKNOWN = 1.0
"""Width of the prior where no response was measured: a factor of e."""
RESAMPLES = 200

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Expected logarithm of the mean first-passage time at each period, and its standard deviation.

    Attributes
    ----------
    periods : (n,) int array
        Epochs.
    log_mean, width : (n,) arrays
        Of the mean in epochs.
    """

    periods: NDArray[np.int64]
    log_mean: Array
    width: Array


def flat_prior(periods: Sequence[int], level: float) -> Prior:
    """Prior without theory: every period is expected to take ``level`` epochs, with a wide error."""
    size = len(periods)
    return Prior(np.array(periods), np.full(size, np.log(level)), np.full(size, UNKNOWN))


def theory_prior(
    pilot: Ensemble,
    branches: Ensemble,
    threshold: float,
    periods: Sequence[int],
    *,
    settled: int,
    horizon: int,
    seed: int,
) -> Prior | None:
    """Prior from the response of the runs ``branches``, which were alive at their first perturbation.

    Parameters
    ----------
    pilot, branches : Ensemble
        Unperturbed runs, and some of them under the perturbation from their period on.
    threshold : float
        In the unit of the metric.
    periods : sequence of int
        Where to predict, epochs.
    settled : int
        Epochs after which a run has forgotten its start: P_0.
    horizon : int
        Epochs to which means are restricted.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Prior or None
        None where fewer than two runs are alive at the perturbation.
    """
    alive = branches.first_passage(threshold).times > int(branches.period or 0)
    if alive.sum() < 2:
        return None
    response = measure_response(pilot, branches, threshold, resamples=RESAMPLES, seed=seed, pool=False)
    response = _to_horizon(response, horizon)
    log_mean, width = [], []
    for period in periods:
        means = _restricted(response, int(period), settled, horizon)
        log_mean.append(np.log(means[0]))
        error = float(np.std(np.log(means[1:]), ddof=1))
        width.append(np.hypot(error, INSIDE + GROWTH * max(0.0, np.log(settled / period))))
    return Prior(np.array(periods), np.array(log_mean), np.array(width))


def _to_horizon(response: Response, horizon: int) -> Response:
    """Survival continued beyond the pilot, as if nobody arrived any more: an upper bound."""
    survival = response.survival
    missing = horizon - (survival.shape[1] - 1)
    known = np.where(np.isnan(survival), np.inf, survival)
    known = np.minimum.accumulate(known, axis=1)
    more = np.repeat(known[:, -1:], max(0, missing), axis=1)
    return replace(response, survival=np.concatenate([known, more], axis=1)[:, : horizon + 1])


def _restricted(response: Response, period: int, settled: int, horizon: int) -> Array:
    """Restricted mean for the data and each resample: cycles where they settle, else the constant response."""
    period = min(period, horizon)
    if period >= min(settled, response.period):
        bounds = [
            restricted_cycle_mean(response, period, horizon, late)
            for late in ("hazard continues", "nobody completes")
        ]
        return (bounds[0] + bounds[1]) / 2
    return np.minimum(constant_mean(response, periodic(period)), horizon)
