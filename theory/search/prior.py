r"""What the theory expects of every period, as the prior of the surrogate.

From the residual times of runs that branched off at one period P*, `theory.predict`'s formulas give the mean
first-passage time at the others. The logarithms of the means may be off in two ways:

* all together, because few runs tell the residual time: with n of them the logarithm has a standard deviation of
  sqrt(v / n), v the squared coefficient of variation of single runs over all of the search so far. A bootstrap of
  three or four runs tells less than that, and how the errors of two periods go together it tells wrongly.
* each for itself, because the assumptions of the theory fail, by a + b ln(P_0 / P)_+, with P_0 the shortest period at
  which they hold, a the error inside the validated range and b its growth below. On the published runs valid
  predictions err by 0.8 % at the median and 6.7 % at most (see the README), hence a; b makes the error a factor of
  two at period 1 if a run relaxes in 15 epochs.
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

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Expected logarithm of the mean first-passage time at each period, and how far it may be off.

    Attributes
    ----------
    periods : (n,) int array
        Epochs.
    log_mean : (n,) array
        Of the mean in epochs.
    error : (n,) array
        Standard deviation of what the theory leaves out, at each period for itself.
    source : int or None
        Period of the runs that this prior was made from: they are no further evidence. None without runs.
    runs : int
        How many these are, alive at their first perturbation.
    """

    periods: NDArray[np.int64]
    log_mean: Array
    error: Array
    source: int | None = None
    runs: int = 0

    def shared(self, variance: float) -> float:
        """Standard deviation of what the periods share, given the squared coefficient of variation of single runs."""
        return float(np.sqrt(variance / self.runs)) if self.runs else 0.0

    def width(self, variance: float) -> Array:
        """Standard deviation in all, (n,)."""
        return np.hypot(self.error, self.shared(variance))


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

    Returns
    -------
    Prior or None
        None where fewer than two runs are alive at the perturbation.
    """
    alive = branches.first_passage(threshold).times > int(branches.period or 0)
    if alive.sum() < 2:
        return None
    response = measure_response(pilot, branches, threshold, resamples=0, pool=False)
    response = _to_horizon(response, horizon)
    log_mean = np.log([_restricted(response, int(period), settled, horizon) for period in periods])
    error = INSIDE + GROWTH * np.maximum(0.0, np.log(settled / np.array(periods)))
    return Prior(np.array(periods), log_mean, error, branches.period, int(alive.sum()))


def _to_horizon(response: Response, horizon: int) -> Response:
    """Survival continued beyond the pilot, as if nobody arrived any more: an upper bound."""
    survival = response.survival
    missing = horizon - (survival.shape[1] - 1)
    known = np.where(np.isnan(survival), np.inf, survival)
    known = np.minimum.accumulate(known, axis=1)
    more = np.repeat(known[:, -1:], max(0, missing), axis=1)
    return replace(response, survival=np.concatenate([known, more], axis=1)[:, : horizon + 1])


def _restricted(response: Response, period: int, settled: int, horizon: int) -> float:
    """Restricted mean: cycles where they settle, else the constant response."""
    period = min(period, horizon)
    if period >= min(settled, response.period):
        bounds = [
            restricted_cycle_mean(response, period, horizon, late)
            for late in ("hazard continues", "nobody completes")
        ]
        return float(bounds[0][0] + bounds[1][0]) / 2
    return min(float(constant_mean(response, periodic(period))[0]), horizon)
