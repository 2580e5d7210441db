"""Binomial and Poisson numbers against SciPy's laws."""

import numba
import numpy as np
import pytest
from scipy import stats

from stochreset.kernels.compiling import OPTIONS
from stochreset.kernels.counts import binomial, poisson
from stochreset.kernels.streams import new_stream, open_stream

from ..statistics_of_passages import ALPHA

DRAWS = 100_000


@numba.njit(**OPTIONS)
def _draw(trials, chance, mean, out, stream, seed):
    open_stream(stream, seed, 0)
    for i in range(out.size):
        out[i] = binomial(trials, chance, stream) if trials > 0 else poisson(mean, stream)


def draws(trials=0.0, chance=0.0, mean=0.0, seed=1):
    out = np.empty(DRAWS)
    _draw(trials, chance, mean, out, new_stream(), np.uint64(seed))
    return out


def p_value(numbers, law):
    """Chi-squared test over about forty classes."""
    edges = np.unique(law.ppf(np.linspace(0.001, 0.999, 40)))
    expected = DRAWS * np.diff(np.r_[0, law.cdf(edges), 1])
    # Classes of few numbers go to their neighbours.
    counts = np.histogram(numbers, np.r_[-np.inf, edges + 0.5, np.inf])[0]
    kept = expected > 20
    counts, expected = np.r_[counts[kept], counts[~kept].sum()], np.r_[expected[kept], expected[~kept].sum()]
    some = expected > 0
    return stats.chisquare(counts[some], expected[some] * (counts.sum() / expected.sum())).pvalue


@pytest.mark.parametrize(
    "trials, chance", [(1, 0.3), (20, 0.02), (40, 0.5), (511, 0.5), (600, 0.93), (10**6, 0.01), (10**9, 0.5)]
)
def test_binomial_numbers(trials, chance):
    numbers = draws(float(trials), chance)
    assert p_value(numbers, stats.binom(trials, chance)) > ALPHA
    assert p_value(numbers, stats.binom(trials, 1.1 * chance if chance < 0.9 else 0.9 * chance)) < ALPHA


@pytest.mark.parametrize("mean", [0.4, 9.0, 12.0, 300.0, 1e6])
def test_poisson_numbers(mean):
    numbers = draws(mean=mean)
    assert p_value(numbers, stats.poisson(mean)) > ALPHA
    assert p_value(numbers, stats.poisson(1.1 * mean)) < ALPHA


def test_no_success_and_only_successes():
    assert not draws(100.0, 0.0).any() and not draws(1000.0, 0.0).any()
    assert (draws(1000.0, 1.0) == 1000).all()
