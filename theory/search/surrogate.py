"""Surrogate of the mean first-passage time: a Gaussian process on what the theory leaves unexplained.

For one family of candidates, the logarithm of the mean at period P with parameters x is

    ln m(P, x) = prior mean + error(P, x) * g(u, x) + shared error of the candidate,    u = ln P / 1.4 - 0.6 / P^3,

with g a Gaussian process of unit variance and Matérn-5/2 covariance: the prior mean is the prediction of the
theory, the error how far it may be off at P and its neighbours. Where the theory is precise a measurement moves the
prediction little; where it may fail, it moves it much. What the periods share moves all of them: see
`theory.search.prior`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.special import digamma, polygamma

from theory.search.environment import Candidate
from theory.search.evidence import Key, Point
from theory.search.prior import Prior

LENGTH = 1.4
"""Correlation length in ln P: periods that differ by a factor of four tell about each other."""
APART = 0.6
"""How far APART / P^3 keeps the period 1 from all others, in correlation lengths.

A run that is perturbed after each epoch may never recover, one that has an epoch more may.
"""
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

    from theory.search.known_covariance import KnownCovariance

    keys = [(member, int(period)) for member in members for period in priors[member].periods]
    log_mean = np.concatenate([priors[member].log_mean for member in members])
    width = np.concatenate([priors[member].width(relative_variance) for member in members])
    # The runs that a prior was made from are in it already.
    rows = [row for row, key in enumerate(keys) if key in points and key[1] != priors[key[0]].source]
    if not rows:
        return keys, log_mean, width
    seen = [points[keys[row]] for row in rows]
    bias, noise = log_of_mean(np.array([point.informative for point in seen]), relative_variance)
    surprise = np.log([point.mean for point in seen]) - bias - log_mean[rows]
    kernel = KnownCovariance(
        _covariance([priors[member] for member in members], _inputs(keys), relative_variance)
    )
    process = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None)
    process.fit(np.array(rows)[:, None], surprise)
    mean, std = process.predict(np.arange(len(keys))[:, None], return_std=True)
    return keys, log_mean + mean, std


def log_of_mean(runs: Array, relative_variance: float) -> tuple[Array, Array]:
    """Bias and variance of the logarithm of a mean over ``runs`` times of a gamma law, at a given variance of one.

    The sum of n such times with squared coefficient of variation v is of the gamma law with shape k = n / v, whose
    logarithm has mean psi(k) and variance psi'(k). For many runs that is v / n without bias; a single short time of
    an exponential law, v = 1, is not as surprising as that.
    """
    shape = runs / max(relative_variance, 1e-12)
    return digamma(shape) - np.log(shape), polygamma(1, shape)


def _covariance(priors: list[Prior], where: Array, relative_variance: float) -> Array:
    """Prior covariance of the candidates of a family, one after the other."""
    from sklearn.gaussian_process.kernels import Matern

    error = np.concatenate([prior.error for prior in priors])
    shared = [np.full((prior.periods.size,) * 2, prior.shared(relative_variance) ** 2) for prior in priors]
    covariance: Array = error[:, None] * error * Matern(nu=2.5)(where) + block_diag(*shared)
    return covariance


def _inputs(keys: list[Key]) -> Array:
    """Coordinates in units of the correlation lengths: u of the period, then the parameters that differ."""
    periods = np.array([period for _, period in keys], dtype=float)
    columns = [np.log(periods) / LENGTH - APART / periods**3]
    values = np.array([[value for _, value in candidate.parameters] for candidate, _ in keys], dtype=float)
    for column in values.T if values.size else []:
        spread = np.ptp(column)
        if spread > 0:
            columns.append(column / (spread * PARAMETER_LENGTH))
    return np.stack(columns, axis=1)
