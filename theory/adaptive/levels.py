r"""Plateaus of single runs: their law over runs, and what a run's own values say about its next epoch.

Model (one-way random effects): a run's plateau M is normal with mean ``mean`` and standard deviation ``spread``; on
it the run records independent normal values with a variance of its own, whose law over runs is
``noise**2 * noise_dof / chi2(noise_dof)``. After n values with mean x and sum of squares Q around it, the next
one is predicted by Student's law (Gelman et al., Bayesian Data Analysis, 3rd ed., section 3.3):

.. math:: \kappa_n = \kappa_0 + n,\quad \nu_n = \nu_0 + n,\quad \mu_n = (\kappa_0\mu_0 + n x)/\kappa_n,

.. math:: \nu_n\sigma_n^2 = \nu_0\sigma_0^2 + Q + \kappa_0 n (x - \mu_0)^2/\kappa_n,\qquad
          a_{n+1} \sim t_{\nu_n}\big(\mu_n,\ \sigma_n^2 (1 + 1/\kappa_n)\big),

with :math:`\kappa_0` the mean variance of the noise over spread², the worth of the prior in values (conjugate: the
plateau's distance from the mean goes with the run's own noise, where runs differ in it). Without a law,
:math:`\kappa_0 = 0` and :math:`\nu_0 = -1` (Jeffreys' prior): the classical t prediction interval with n - 1
degrees of freedom. That all n values lie short of the threshold needs no correction: whoever stops at the first
passage has the same likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from theory.passages import Direction, check_direction

MOST_DOF = 1e6
"""Degrees of freedom from which Student's law is taken as normal."""
LEAST_DOF = 3.0
"""Fewest that are estimated: a variance with a mean of its own."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlateauLaw:
    """Law of the plateaus over runs, and of the values on them.

    Attributes
    ----------
    mean, spread : float
        Mean and standard deviation over runs of the plateau, in the unit of the metric.
    noise : float
        Scale of a run's values around its plateau, positive: their standard deviation where ``noise_dof`` is
        infinite.
    noise_dof : float
        Degrees of freedom of the variance over runs; infinity where it is the same for all.
    """

    mean: float
    spread: float
    noise: float
    noise_dof: float = math.inf

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, float(getattr(self, field.name)))
        if not math.isfinite(self.mean):
            raise ValueError(f"`mean` must be finite, got {self.mean}")
        if not (math.isfinite(self.spread) and self.spread >= 0):
            raise ValueError(f"`spread` must be finite and not negative, got {self.spread}")
        if not (math.isfinite(self.noise) and self.noise > 0):
            raise ValueError(f"`noise` must be finite and positive, got {self.noise}")
        if not self.noise_dof > 2:
            raise ValueError(
                f"`noise_dof` must be above 2, for a variance that exists, got {self.noise_dof}; "
                "math.inf where all runs fluctuate alike"
            )

    @property
    def variance(self) -> float:
        """Mean over runs of the variance of a run's values around its plateau."""
        return self.noise**2 * (1.0 if math.isinf(self.noise_dof) else self.noise_dof / (self.noise_dof - 2))


def next_epoch_hazard(
    count: ArrayLike,
    mean: ArrayLike,
    squares: ArrayLike,
    threshold: float,
    direction: Direction = "at_least",
    law: PlateauLaw | None = None,
) -> Array:
    """Probability that the next epoch reaches the threshold, given a run's values on its plateau.

    Parameters
    ----------
    count, mean, squares : arrays that broadcast
        Number of values, their mean, and the sum of their squares around it.
    threshold, direction
        As for `theory.first_passage`.
    law : PlateauLaw, optional
        The prior. Without it at least two values are needed.

    Returns
    -------
    array
        NaN where there are too few values. Values that are all equal and no law: 0 or 1.

    Examples
    --------
    >>> law = PlateauLaw(mean=72.0, spread=0.5, noise=0.15)
    >>> next_epoch_hazard([0, 4, 4], [0.0, 71.5, 72.0], 0.0, 72.0, law=law).round(4)
    array([0.5   , 0.0017, 0.5   ])
    """
    check_direction(direction)
    n, x, q = (np.asarray(each, dtype=float) for each in (count, mean, squares))
    sign = 1.0 if direction == "at_least" else -1.0
    if law is None:
        kappa, dof, centre = n, n - 1, x
        scatter = q
    else:
        # A spread of nothing is a prior worth infinitely many values.
        kappa0 = law.variance / law.spread**2 if law.spread > 0 else 1e12
        kappa, dof0 = kappa0 + n, min(law.noise_dof, MOST_DOF)
        dof = dof0 + n
        centre = (kappa0 * law.mean + n * x) / kappa
        scatter = dof0 * law.noise**2 + q + kappa0 * n / kappa * (x - law.mean) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = scatter / dof
        if law is not None and law.noise_dof > MOST_DOF:
            variance = np.full(np.shape(dof), law.noise**2)
        short = sign * (threshold - centre) / np.sqrt(variance * (1 + 1 / kappa))
        short = np.where(threshold == centre, 0.0, short)
        hazard = np.where(dof >= MOST_DOF, special.ndtr(-short), special.stdtr(dof, -short))
        hazard = np.where(np.isinf(short), np.where(short > 0, 0.0, 1.0), hazard)
    return np.where((dof > 0) & (kappa > 0), hazard, np.nan)


def estimate_law(values: ArrayLike) -> PlateauLaw:
    r"""Estimate the law of the plateaus from runs that sit on theirs.

    By medians and interquartile ranges, since the metric of some runs leaps for an epoch. Between runs: the law of
    their medians, less the noise of a median, :math:`\pi\sigma^2/2n`. Within: the runs' variances :math:`s^2`, on d
    degrees of freedom, follow :math:`\sigma_0^2 F_{d,\nu_0}`, so that (Smyth, Stat. Appl. Genet. Mol. Biol. 3, 3
    (2004), section 6.2)

    .. math:: \operatorname{var}\ln s^2 = \psi'(d/2) + \psi'(\nu_0/2),\quad
              \langle\ln s^2\rangle = \ln\sigma_0^2 + \psi(d/2) - \ln(d/2) - \psi(\nu_0/2) + \ln(\nu_0/2).

    Parameters
    ----------
    values : (runs, epochs) array
        The metric on the plateau; NaN where a run is not recorded.

    Raises
    ------
    ValueError
        With fewer than three runs of two values, or with values that do not fluctuate.
    """
    recorded = np.asarray(values, dtype=float)
    counts = np.sum(np.isfinite(recorded), axis=1)
    recorded, counts = recorded[counts >= 2], counts[counts >= 2]
    if len(recorded) < 3:
        raise ValueError(
            f"`values` must hold at least 3 runs with 2 values on the plateau, got {len(recorded)}; add runs or epochs"
        )
    variances = np.nanvar(recorded, axis=1, ddof=1)
    if not np.median(variances) > 0:
        raise ValueError("`values` do not fluctuate from epoch to epoch; give the metric with all its digits")
    logs = np.log(variances[variances > 0])
    d = float(np.median(counts)) - 1
    dof = _degrees_of_freedom(_spread(logs) ** 2 - float(special.polygamma(1, d / 2)))
    scale = float(np.exp(np.median(logs) - _log_mean(d) + _log_mean(dof)))
    plateaus = np.nanmedian(recorded, axis=1)
    between = _spread(plateaus) ** 2 - math.pi / 2 * scale * float(np.mean(1 / counts))
    return PlateauLaw(
        float(np.median(plateaus)), math.sqrt(max(0.0, between)), math.sqrt(scale), max(dof, LEAST_DOF)
    )


def _spread(values: Array) -> float:
    """Standard deviation of normal values with this interquartile range."""
    return 0.7413 * float(np.subtract(*np.quantile(values, [0.75, 0.25])))


def _log_mean(dof: float) -> float:
    """Mean of the logarithm of a chi-square variable divided by its degrees of freedom."""
    return 0.0 if math.isinf(dof) else float(special.digamma(dof / 2) - math.log(dof / 2))


def _degrees_of_freedom(variance: float) -> float:
    """Degrees of freedom at which trigamma(dof / 2) is this, by bisection in the logarithm; infinity if many."""
    if variance <= 2 / MOST_DOF:
        return math.inf
    low, high = math.log(1e-3), math.log(MOST_DOF)
    for _ in range(60):
        middle = (low + high) / 2
        above = special.polygamma(1, math.exp(middle) / 2) > variance
        low, high = (middle, high) if above else (low, middle)
    return math.exp((low + high) / 2)
