"""Survival, hazard, means and moments of a right-censored sample.

The survival curve is Kaplan and Meier's (J. Am. Stat. Assoc. 53, 457 (1958)), computed by
`scipy.stats.ecdf`. The restricted mean is its integral, ``<min(T, h)> = integral of S from 0 to h``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.estimates import LEVEL, Estimate, estimate_from_runs, positive_estimate, sample_skewness
from theory.passages import PassageSample

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class CensoredSampleError(ValueError):
    """A quantity was asked for that a censored sample cannot give."""


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """Kaplan–Meier estimate of S(t) = Pr(T > t): a step function, continuous from the right.

    Attributes
    ----------
    times : (points,) array
        Distinct times at which a run arrived or was censored.
    survival : (points,) array
        S at these times; S = 1 before the first.
    at_risk, events : (points,) array
        Runs still watched and not arrived just before each time, and arrivals at it.
    """

    times: NDArray[np.float64]
    survival: NDArray[np.float64]
    at_risk: NDArray[np.float64]
    events: NDArray[np.float64]

    def evaluate(self, t: ArrayLike) -> NDArray[np.float64]:
        """S(t); NaN after the last time at which any run was watched, unless S has fallen to zero."""
        return self._steps(t, np.concatenate([[1.0], self.survival]))

    def _steps(self, t: ArrayLike, values: NDArray[np.float64]) -> NDArray[np.float64]:
        t = np.asarray(t, dtype=float)
        result = values[np.searchsorted(self.times, t, side="right")]
        return np.where(np.isnan(t) | (t > self.times[-1]) & (self.survival[-1] > 0), np.nan, result)

    @property
    def variance(self) -> NDArray[np.float64]:
        """Greenwood's variance of S at ``times``; NaN where S has fallen to zero."""
        return self.survival**2 * self._greenwood()

    def _greenwood(self) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = self.events / (self.at_risk * (self.at_risk - self.events))
        return np.cumsum(np.where(self.at_risk > self.events, terms, np.where(self.events > 0, np.nan, 0.0)))

    def confidence_interval(
        self, t: ArrayLike, level: float = LEVEL
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pointwise interval of S(t), symmetric in log(-log S) so that it stays within [0, 1]."""
        from scipy.special import ndtri  # here, or it takes half of the time of `import theory`

        quantile = ndtri((1 + level) / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_s = np.log(self.survival)
            factor = np.exp(quantile * np.sqrt(self._greenwood()) / np.abs(log_s))
            low, high = self.survival**factor, self.survival ** (1 / factor)
        start = np.ones(1)
        return self._steps(t, np.r_[start, low]), self._steps(t, np.r_[start, high])

    def hazard(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the times of arrivals and h = Pr(T = t | T >= t) there (for epochs, per epoch)."""
        arrival = self.events > 0
        return self.times[arrival], self.events[arrival] / self.at_risk[arrival]

    def integral(self, horizon: float) -> float:
        """Integral of S from 0 to ``horizon``; NaN beyond the last time watched."""
        if np.isnan(self.evaluate(horizon)):
            return float("nan")
        knots = np.concatenate([[0.0], self.times[self.times < horizon], [horizon]])
        return float(np.sum(np.diff(knots) * self.evaluate(knots[:-1])))

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Draw the curve with its interval; see `theory.plots.plot_survival`."""
        from theory.plots import plot_survival

        return plot_survival(self, ax=ax, **kwargs)


def kaplan_meier(sample: PassageSample) -> SurvivalCurve:
    """Kaplan–Meier survival curve of a right-censored sample.

    Examples
    --------
    >>> curve = kaplan_meier(PassageSample([1, 2, 2, 3], [False, False, True, False]))
    >>> curve.evaluate([0, 1, 2, 3])
    array([1.  , 0.75, 0.5 , 0.  ])
    """
    if sample.n_censored == len(sample):
        times, ended = np.unique(sample.times, return_counts=True)
        at_risk = np.cumsum(ended[::-1])[::-1].astype(float)
        return SurvivalCurve(times, np.ones(times.size), at_risk, np.zeros(times.size))
    # SciPy's result gives S at its times, but not publicly how many were at risk or arrived there.
    from scipy.stats import ecdf

    sf = ecdf(sample.to_censored_data()).sf
    times = np.asarray(sf.quantiles, dtype=float)
    at_risk = len(sample) - np.searchsorted(np.sort(sample.times), times, side="left")
    arrivals = np.sort(sample.times[sample.observed])
    events = np.searchsorted(arrivals, times, side="right") - np.searchsorted(arrivals, times, side="left")
    return SurvivalCurve(times, np.asarray(sf.probabilities), at_risk.astype(float), events.astype(float))


def restricted_mean(sample: PassageSample, horizon: float | None = None) -> Estimate:
    r"""Restricted mean ``<min(T, horizon)>`` with its standard error.

    Parameters
    ----------
    sample : PassageSample
        Times in any unit.
    horizon : float, optional
        At most the last time watched (which is the default), in the same unit; any, if all runs arrived.

    Returns
    -------
    Estimate
        The integral of the Kaplan–Meier curve. Its variance is Greenwood's,
        ``sum_j [integral of S from t_j to h]^2 d_j / (n_j (n_j - d_j))`` (Klein and Moeschberger, Survival
        Analysis, 2nd ed., eq. 4.5.2), times n/(n-1), so that without censoring it is the standard error
        of the plain mean of min(T, h). The interval ends at h where some runs have not arrived by then.

    Raises
    ------
    ValueError
        If ``horizon`` lies beyond the last time at which any run was watched, and some had not arrived.
    """
    h = sample.horizon if horizon is None else float(horizon)
    if horizon is None and not h > 0:
        raise ValueError(
            f"`sample` must hold a run that was watched for some time, got {len(sample)} that ended at 0"
        )
    curve = kaplan_meier(sample)
    value = curve.integral(h) if h > 0 else float("nan")
    if np.isnan(value):
        raise ValueError(
            f"`horizon` must be positive and at most {sample.horizon:g}, the last time any run was watched, "
            f"got {h:g}; shorten the horizon or extend the runs"
        )
    early = curve.times < h
    knots = np.concatenate([curve.times[early], [h]])
    pieces = np.diff(knots) * curve.survival[early]
    left = np.cumsum(pieces[::-1])[::-1]
    n, d = curve.at_risk[early], curve.events[early]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where((d > 0) & (left > 0), left**2 * d / (n * (n - d)), 0.0)
    runs = len(sample)
    variance = float(terms.sum()) * runs / max(runs - 1, 1)
    skewness = sample_skewness(np.minimum(sample.times, h))
    cut = bool((curve.survival[early][-1:] > 0).any())
    return positive_estimate(value, np.sqrt(variance), runs, skewness=skewness, most=h if cut else np.inf)


def mean_passage_time(sample: PassageSample) -> Estimate:
    """Mean first-passage time; from a censored sample the restricted mean, marked as a lower bound."""
    estimate = restricted_mean(sample)
    return replace(estimate, lower_bound=bool(kaplan_meier(sample).survival[-1] > 0))


@dataclass(frozen=True, slots=True)
class Moments:
    """First two moments of an uncensored sample: ``<T>``, ``<T^2>`` and CV, the ratio of sd to mean."""

    mean: Estimate
    second: Estimate
    cv: Estimate


def moments(sample: PassageSample) -> Moments:
    """Mean, second moment and coefficient of variation of an uncensored sample.

    Raises
    ------
    CensoredSampleError
        If any run is censored: the moments then depend on the tail that was not seen.
    """
    if sample.n_censored:
        raise CensoredSampleError(
            f"`sample` has {sample.n_censored} of {len(sample)} runs censored, so its moments are unknown; "
            "run them to completion, or use restricted_mean"
        )
    t, n = sample.times, len(sample)
    if n < 2:
        raise ValueError(f"`sample` needs at least 2 runs for a standard error, got {n}")
    mean, second = t.mean(), np.mean(t**2)
    cv = t.std(ddof=1) / mean
    # Delta method on (mean of t, mean of t^2), influence of one run on the CV.
    influence = (
        (t**2 - second) / (2 * cv * mean**2) - (t - mean) * second / (cv * mean**3) if cv > 0 else 0 * t
    )

    return Moments(
        estimate_from_runs(float(mean), t),
        estimate_from_runs(float(second), t**2),
        estimate_from_runs(float(cv), influence),
    )
