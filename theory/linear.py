r"""Linear response of the mean first-passage time to rare perturbation.

For Poisson activation at a small rate r, expanding <T_r> = (1 - T~(r))/r + (1 - T~(r)) <tau> with the Laplace
transform T~(r) = <exp(-rT)> gives (Keidar and Reuveni, arXiv:2410.16129)

    d<T_r>/dr at r = 0:   <T> <tau> - <T^2>/2,

so rare perturbation helps if and only if <tau> < <T^2> / (2 <T>) = (<T>/2)(1 + CV^2). For full resetting,
<tau> = <T>, that is CV > 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.estimates import Estimate, estimate_from_runs, student_quantile
from theory.passages import PassageSample
from theory.survival import moments


@dataclass(frozen=True, slots=True)
class LinearResponse:
    """Effect of rare perturbations on the mean first-passage time.

    Attributes
    ----------
    slope : Estimate
        d<T_r>/dr at r = 0, time squared (the rate is in perturbations per unit time).
    critical_tau : Estimate
        Residual time below which rare perturbation helps, <T^2> / (2 <T>).
    helps : bool or None
        Whether the slope is negative; None if its 95 % interval contains zero or is not known, or if the slope looks
        negative from a lower bound of the residual time.
    """

    slope: Estimate
    critical_tau: Estimate
    helps: bool | None


def linear_response(sample: PassageSample, tau: Estimate | float | None = None) -> LinearResponse:
    """Linear response of the mean first-passage time to rare perturbation.

    Parameters
    ----------
    sample : PassageSample
        Uncensored unperturbed passage times.
    tau : Estimate or float, optional
        Mean residual time after a perturbation, same unit, independent of ``sample``. Default: full
        resetting, where it equals the unperturbed mean.

    Raises
    ------
    CensoredSampleError
        If any run is censored: two moments are needed, and the tail that was not seen decides them.

    Examples
    --------
    >>> times = np.random.default_rng(0).lognormal(sigma=1.5, size=10_000)
    >>> linear_response(PassageSample(times, np.zeros(times.size, bool))).helps
    True
    """
    known = moments(sample)
    first, second = known.mean, known.second
    t, n = sample.times, len(sample)
    critical = second.value / (2 * first.value)
    spread = (t**2 / 2 - critical * t) / first.value
    critical_tau = estimate_from_runs(critical, spread)
    if tau is None:
        value, influence, extra = first.value**2 - second.value / 2, 2 * first.value * t - t**2 / 2, 0.0
        bounded = False
    else:
        residual = tau if isinstance(tau, Estimate) else Estimate(tau, 0.0, tau, tau)
        value = first.value * residual.value - second.value / 2
        influence, extra = residual.value * t - t**2 / 2, first.value * residual.stderr
        bounded = residual.lower_bound
    stderr = float(np.hypot(influence.std(ddof=1) / np.sqrt(n), extra))
    half = student_quantile(n - 1) * stderr
    slope = Estimate(float(value), stderr, float(value - half), float(value + half), bounded)
    # With a lower bound of the residual time, so is the slope: it may be positive all the same.
    shown = slope.low > 0 or (slope.high < 0 and not bounded)
    return LinearResponse(slope, critical_tau, slope.value < 0 if shown else None)
