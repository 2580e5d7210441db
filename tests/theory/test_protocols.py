"""Laws of the interval between perturbations."""

import numpy as np
import pytest
from scipy import stats

from theory import IntervalLaw, periodic, poisson, renewal


def test_periodic():
    law = periodic(3)
    assert law.beyond.tolist() == [1, 1, 1, 0] and law.pmf.tolist() == [0, 0, 1]
    assert (law.longest, law.name) == (3, "every 3 epochs")


@pytest.mark.parametrize("rate", [0.01, 0.3, 5.0])
def test_poisson_rounded_up_is_geometric(rate):
    law = poisson(rate)
    k = np.arange(1, law.longest + 1)
    chance = 1 - np.exp(-rate)
    np.testing.assert_allclose(law.pmf[:-1], ((1 - chance) ** (k - 1) * chance)[:-1], rtol=1e-6, atol=1e-15)
    assert law.beyond[-1] < 1e-9 and law.name == f"Poisson, rate {rate:g} per epoch"
    np.testing.assert_allclose(k @ law.pmf, 1 / chance, rtol=1e-6)


@pytest.mark.parametrize(
    "distribution", [stats.gamma(4, scale=5), stats.uniform(0.5, 9), stats.randint(2, 7)]
)
def test_renewal_is_the_law_of_the_rounded_intervals(distribution):
    law = renewal(distribution)
    drawn = np.ceil(distribution.rvs(100_000, random_state=np.random.default_rng(1)))
    expected = law.pmf * drawn.size
    counts = np.bincount(drawn.astype(int), minlength=law.longest + 1)[1:]
    common = expected > 20
    z = (counts - expected)[common] / np.sqrt(expected * (1 - law.pmf))[common]
    assert np.abs(z).max() < 4.5
    # The same comparison fails for intervals that are 10 % longer.
    longer = np.bincount(np.ceil(1.1 * drawn).astype(int), minlength=law.longest + 1)[1 : law.longest + 1]
    assert np.abs((longer - expected)[common] / np.sqrt(expected)[common]).max() > 4.5


def test_renewal_ends_where_the_distribution_does():
    assert renewal(stats.uniform(0, 4)).beyond.tolist() == [1, 0.75, 0.5, 0.25, 0]
    assert renewal(stats.uniform(0, 4), name="mine").name == "mine"
    assert renewal(stats.gamma(2)).name == "gamma intervals"


def test_a_law_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        periodic(2).beyond[0] = 0


@pytest.mark.parametrize("period", [0, -1, 2.5])
def test_periods_are_whole_epochs(period):
    with pytest.raises(
        ValueError, match=f"`period` must be a whole number of epochs, at least 1, got {period}"
    ):
        periodic(period)


@pytest.mark.parametrize("rate", [0, -1, np.nan, np.inf])
def test_rates_are_positive(rate):
    with pytest.raises(ValueError, match="`rate` must be positive, in perturbations per epoch"):
        poisson(rate)


@pytest.mark.parametrize("beyond", [[1.0], [0.9, 0], [1, 0.5, 0.6], [1, -0.1], [1, np.nan], [[1, 0]], []])
def test_laws_start_at_one_and_never_rise(beyond):
    with pytest.raises(ValueError, match="`beyond` must hold"):
        IntervalLaw("broken", beyond)


def test_distributions_are_positive_and_not_too_long():
    with pytest.raises(ValueError, match=r"`distribution` must be positive, but gives Pr\(R <= 0\) = 0.5"):
        renewal(stats.norm())
    with pytest.raises(ValueError, match="`distribution` has intervals beyond .* truncate it or raise `cut`"):
        renewal(stats.pareto(1))
