"""Statistical checks that all simulation tests share."""

import numpy as np
from scipy import stats

ALPHA = 1e-5
FARTHEST = 4.5


def z_score(sample, exact):
    """Distance of the mean of uncensored times from the exact one, in standard errors."""
    times = np.asarray(sample.times)
    return (times.mean() - exact) / (times.std(ddof=1) / np.sqrt(times.size))


def agrees(sample, exact):
    """Whether the mean is within FARTHEST standard errors of the exact one."""
    return abs(z_score(sample, exact)) < FARTHEST


def same_law(times, cdf):
    """Whether a Kolmogorov-Smirnov test of the times against a law passes."""
    return stats.kstest(times, cdf).pvalue > ALPHA


def same_sample_law(first, second):
    """Whether a two-sample Kolmogorov-Smirnov test passes."""
    return stats.ks_2samp(first, second).pvalue > ALPHA
