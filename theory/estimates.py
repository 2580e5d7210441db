"""An estimate with its standard error and interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95
NORMAL = 1.959964
SKEWED, CURVED = (2 * NORMAL**2 + 1) / 6, NORMAL**2 / 2
FEW = 20
"""Below this number of runs intervals of skewed times may cover less than they say; see `few_runs_note`."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty.

    Attributes
    ----------
    value, stderr : float
        Estimate and standard error, in the same unit.
    low, high : float
        Ends of the 95 % interval.
    lower_bound : bool
        True where censoring lets the data give only a lower bound of what was asked for.
    """

    value: float
    stderr: float
    low: float
    high: float
    lower_bound: bool = False

    def __str__(self) -> str:
        bound = "at least " if self.lower_bound else ""
        return f"{bound}{self.value:.4g} ± {self.stderr:.2g} [{self.low:.4g}, {self.high:.4g}]"


def student_quantile(degrees: float, level: float = LEVEL) -> float:
    """Quantile of Student's law with these degrees of freedom, for a two-sided interval."""
    from scipy.special import stdtrit  # here, or it takes half of the time of `import theory`

    return float(stdtrit(degrees, (1 + level) / 2))


def sample_skewness(values: ArrayLike) -> float:
    """Skewness of the law behind a sample, 0 where it has no spread or fewer than three values.

    The usual G_1, times 1 + 8/n: from an exponential law G_1 is on average too small by about this factor. (G_1 is
    ``scipy.stats.skew(values, bias=False)``, whose import alone takes 0.8 s.)
    """
    values = np.asarray(values, dtype=float)
    n = values.size
    if n < 3 or not (spread := float(values.std())) > 0:
        return 0.0
    plain = float(np.mean(((values - values.mean()) / spread) ** 3))
    return plain * float(np.sqrt(n * (n - 1))) / (n - 2) * (1 + 8 / n)


def positive_estimate(
    value: float,
    stderr: float,
    runs: float,
    lower_bound: bool = False,
    *,
    skewness: float = 0.0,
    most: float = np.inf,
) -> Estimate:
    """Estimate of a positive quantity such as a mean passage time, with an interval for skewed contributions.

    Passage times are skewed to the right, and so are their sample means. Three things make an interval
    cover what it should, with e = ``stderr / value``, c = sqrt(n) e the coefficient of variation of what a run
    contributes, and g its skewness, not less than the 2 c of a gamma law (the exponential one included):

    - it is symmetric in the logarithm, whose standard error is e;
    - its centre is moved by the skewness of the studentised logarithm, e (1.447 g / sqrt(n) - 1.921 e) (first order of
      Edgeworth's expansion, at the normal quantile 1.96; P. Hall, The Bootstrap and Edgeworth Expansion, 1992,
      section 2.4);
    - Student's quantile has (n - 1) / (1 + 3/4 g**2 - 2 g c + 2 c**2) degrees of freedom, at least 1: 2 over them is
      the relative variance of the estimated c**2, by the delta method, with the fourth moment 3 + 3/2 g**2 that
      gamma laws have. For g = 2 c the denominator is 1 + c**2.

    Coverage is checked by simulation in ``tests/theory/test_estimates.py`` and by ``make calibrate``.

    Parameters
    ----------
    value, stderr : float
        Estimate and standard error; NaN and infinity are allowed and give an interval of NaN.
    runs : float
        Number n of independent runs behind the standard error.
    lower_bound : bool
        Passed on.
    skewness : float
        Skewness of what one run contributes, as `sample_skewness` estimates it.
    most : float
        What a contribution can be at most, as times cut off at a horizon; g may then be less than 2 c, and the interval
        ends there.
    """
    if not (np.isfinite(value) and np.isfinite(stderr) and runs > 1):
        return Estimate(float(value), float("nan"), float("nan"), float("nan"), lower_bound)
    if value <= 0:
        half = student_quantile(runs - 1) * stderr
        return Estimate(value, stderr, value - half, value + half, lower_bound)
    relative = stderr / value
    c = np.sqrt(runs) * relative
    g = skewness if np.isfinite(most) else max(2 * c, skewness)
    shift = relative * (SKEWED * g / np.sqrt(runs) - CURVED * relative)
    degrees = (runs - 1) / (1 + 0.75 * g**2 - 2 * g * c + 2 * c**2)
    half = student_quantile(max(1.0, degrees)) * relative
    # Far outside what the expansion is good for, the value stays inside.
    shift = min(max(shift, -half / 2), half / 2)
    with np.errstate(over="ignore"):
        low, high = value * float(np.exp(shift - half)), value * float(np.exp(shift + half))
    return Estimate(float(value), float(stderr), low, min(high, float(most)), lower_bound)


def estimate_from_runs(
    value: float, contributions: ArrayLike, *, lower_bound: bool = False, most: float = np.inf
) -> Estimate:
    """`positive_estimate` whose error and skewness are those of what each run contributes.

    Parameters
    ----------
    value : float
        The mean of the contributions, or what they are the influences on.
    contributions : (runs,) array
        One number of each run.
    lower_bound, most
        As in `positive_estimate`.
    """
    each = np.asarray(contributions, dtype=float)
    stderr = float(each.std(ddof=1) / np.sqrt(each.size)) if each.size > 1 else float("nan")
    return positive_estimate(value, stderr, each.size, lower_bound, skewness=sample_skewness(each), most=most)


def ratio_estimate(value: float, stderr: float, runs: float) -> Estimate:
    """Estimate of a ratio of two means of like laws, with an interval symmetric in its logarithm.

    What the skewness of the laws does to numerator and denominator cancels. Arguments are those of
    `positive_estimate`, for a positive value.
    """
    if not (np.isfinite(value) and np.isfinite(stderr) and runs > 1):
        return Estimate(float(value), float("nan"), float("nan"), float("nan"))
    with np.errstate(over="ignore"):
        factor = float(np.exp(student_quantile(runs - 1) * stderr / value))
    return Estimate(float(value), float(stderr), value / factor, value * factor)


def few_runs_note(runs: int) -> str | None:
    """What to say of intervals from fewer than 20 runs; None where nothing need be said.

    Measured by `make calibrate`: from 20 runs 95 % intervals of means cover 92 to 95 %, by how skewed the times are.
    From fewer the skewness can hardly be seen in the data: of gamma laws they cover 95 % down to 8 runs, of inverse
    Gaussian ones with a CV of 1 some 93 %, of mixtures of fast and slow runs 90 %.

    Examples
    --------
    >>> few_runs_note(10)
    'from 10 runs, 95 % intervals of means may cover as little as 90 %: the truth is then above them'
    >>> few_runs_note(200)
    """
    if runs >= FEW:
        return None
    return (
        f"from {runs} runs, 95 % intervals of means may cover as little as 90 %: the truth is then above them"
    )
