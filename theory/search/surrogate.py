"""Surrogate of the mean first-passage time: a Gaussian process on what the theory leaves unexplained.

For one family of candidates, the logarithm of the mean at period P with parameters x is

    ln m(P, x) = prior mean + width(P, x) * g(ln P, x),

with g a Gaussian process of unit variance and Matérn-5/2 covariance: the prior mean is the prediction of the
theory, the width how far it may be off. Where the theory is precise a measurement moves the prediction little;
where it may fail, it moves it much, and that of the neighbours too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.search.environment import Candidate
from theory.search.evidence import Key, Point
from theory.search.prior import Prior

LENGTH = 0.7
"""Correlation length in ln P: periods that differ by a factor of two tell about each other."""
PARAMETER_LENGTH = 0.5
"""The same in the parameters, as a fraction of their range in the family."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Surrogate:
    """Posterior of ln m at every candidate and period.

    Attributes
    ----------
    keys : tuple of (Candidate, int)
        Candidates and periods.
    mean, std : (keys,) arrays
        Of the logarithm of the mean, epochs.
    noise : float
        Standard deviation of the logarithm of the time of a single run.
    """

    keys: tuple[Key, ...]
    mean: Array
    std: Array
    noise: float

    def at(self, key: Key) -> tuple[float, float]:
        """Mean and standard deviation at one of the keys."""
        row = self.keys.index(key)
        return float(self.mean[row]), float(self.std[row])


def fit_surrogate(
    priors: Mapping[Candidate, Prior], points: Mapping[Key, Point], relative_variance: float
) -> Surrogate:
    """Fit one Gaussian process to the points of each family."""
    families = dict.fromkeys(candidate.family for candidate in priors)
    keys: list[Key] = []
    means, stds = [], []
    for family in families:
        members = [candidate for candidate in priors if candidate.family == family]
        found, mean, std = _fit_family(members, priors, points, relative_variance)
        keys += found
        means.append(mean)
        stds.append(std)
    return Surrogate(
        tuple(keys), np.concatenate(means), np.concatenate(stds), float(np.sqrt(relative_variance))
    )


def _fit_family(
    members: list[Candidate],
    priors: Mapping[Candidate, Prior],
    points: Mapping[Key, Point],
    relative_variance: float,
) -> tuple[list[Key], Array, Array]:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    keys = [(member, int(period)) for member in members for period in priors[member].periods]
    log_mean = np.concatenate([priors[member].log_mean for member in members])
    width = np.concatenate([priors[member].width for member in members])
    where = _inputs(keys)
    rows = [row for row, key in enumerate(keys) if key in points]
    if not rows:
        return keys, log_mean, width
    seen = [points[keys[row]] for row in rows]
    residual = (np.log([point.mean for point in seen]) - log_mean[rows]) / width[rows]
    noise = relative_variance / np.array([point.runs for point in seen]) / width[rows] ** 2
    process = GaussianProcessRegressor(Matern(nu=2.5), alpha=noise, optimizer=None)
    mean, std = process.fit(where[rows], residual).predict(where, return_std=True)
    return keys, log_mean + width * mean, width * std


def _inputs(keys: list[Key]) -> Array:
    """Coordinates in units of the correlation lengths: ln P, then the parameters that differ."""
    columns = [np.log([period for _, period in keys]) / LENGTH]
    values = np.array([[value for _, value in candidate.parameters] for candidate, _ in keys], dtype=float)
    for column in values.T if values.size else []:
        spread = np.ptp(column)
        if spread > 0:
            columns.append(column / (spread * PARAMETER_LENGTH))
    return np.stack(columns, axis=1)
