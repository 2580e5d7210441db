"""An estimate with its standard error and interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
FEW = 50
"""Below this number of runs intervals of skewed times cover less than they say; see `few_runs_note`."""


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


def student_quantile(runs: float, level: float = LEVEL) -> float:
    """Quantile of Student's law for a two-sided interval from this number of runs."""
    from scipy.special import stdtrit  # here, or it takes half of the time of `import theory`

    return float(stdtrit(runs - 1, (1 + level) / 2))


def positive_estimate(value: float, stderr: float, runs: float, lower_bound: bool = False) -> Estimate:
    """Estimate of a positive quantity, with an interval that is symmetric in its logarithm.

    Passage times are skewed to the right, and so are their sample means: an interval symmetric in the
    mean misses too often above. By the delta method the logarithm has standard error
    ``stderr / value``; the quantile is Student's, with ``runs - 1`` degrees of freedom. Coverage is
    checked by simulation in ``tests/theory/test_calibration.py``.

    Parameters
    ----------
    value, stderr : float
        Estimate and standard error; NaN and infinity are allowed and give an interval of NaN.
    runs : float
        Number of independent runs behind the standard error.
    lower_bound : bool
        Passed on.
    """
    if not (np.isfinite(value) and np.isfinite(stderr) and runs > 1):
        return Estimate(float(value), float("nan"), float("nan"), float("nan"), lower_bound)
    quantile = student_quantile(runs)
    if value <= 0:
        return Estimate(value, stderr, value - quantile * stderr, value + quantile * stderr, lower_bound)
    with np.errstate(over="ignore"):
        factor = float(np.exp(quantile * stderr / value))
    return Estimate(float(value), float(stderr), value / factor, value * factor, lower_bound)


def few_runs_note(runs: int) -> str | None:
    """What to say of intervals from fewer than 50 runs; None where nothing need be said.

    Measured by `make calibrate` with times of nearly exponential law: from 20 runs 95 % intervals of means cover
    90 to 91 %, from 50 some 92 %, from 150 what they say.

    Examples
    --------
    >>> few_runs_note(20)
    'from 20 runs, 95 % intervals of means cover some 90 %: the truth is above them more often than below'
    >>> few_runs_note(200)
    """
    if runs >= FEW:
        return None
    return f"from {runs} runs, 95 % intervals of means cover some 90 %: the truth is above them more often than below"
