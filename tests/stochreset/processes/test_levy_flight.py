import numpy as np
import pytest
from scipy import stats

from stochreset import Periodic, Poisson, simulate
from stochreset.processes.levy_flight import LevyFlight

from ..statistics_of_passages import agrees
from .laws import geometric_mean, same_discrete_law, sharp_mean

RUNS = 100_000


def boundary_survival(steps):
    """Pr(T > n) from next to the target, binom(2n, n) / 4^n for any symmetric continuous law of jumps."""
    n = np.arange(1, steps + 1)
    return np.cumprod(np.r_[1.0, (2 * n - 1) / (2 * n)])


def survival(law, distance, steps, farthest=60.0, points=600):
    """Pr(T > n) of a walk with jumps of a symmetric law, by Gauss-Legendre nodes up to ``farthest``.

    Who gets farther is taken to survive.
    """
    u, w = np.polynomial.legendre.leggauss(points)
    half = (u + 1) / 2
    y, weight = farthest * half**2, farthest * half * w  # dense next to the target
    transfer = law.pdf(y[:, None] - y) * weight
    ahead, result = law.cdf(y), [1.0, law.cdf(distance)]
    for _ in range(steps - 1):
        result.append((law.pdf(distance - y) * weight) @ ahead + law.sf(farthest - distance))
        ahead = transfer @ ahead + law.sf(farthest - y)
    return np.array(result)


@pytest.mark.parametrize("alpha", [2.0, 1.5, 1.0, 0.5])
def test_next_to_the_target_all_flights_survive_alike(alpha):
    flight, s = LevyFlight(alpha=alpha, target=-1e-9), boundary_survival(400)
    sample = simulate(flight, runs=RUNS, seed=1, horizon=50)
    assert same_discrete_law(sample, s[:50])
    assert not same_discrete_law(sample, boundary_survival(51)[1:])
    assert np.all(sample.times[sample.censored] == 50)
    sharp = simulate(flight, Periodic(10), runs=RUNS, seed=2)
    assert agrees(sharp, sharp_mean(s, 10)) and not agrees(sharp, 1.1 * sharp_mean(s, 10))
    poisson = simulate(flight, Poisson(0.1), runs=RUNS, seed=3)
    assert agrees(poisson, geometric_mean(s, 0.1)) and not agrees(poisson, 1.1 * geometric_mean(s, 0.1))


@pytest.mark.parametrize(
    "alpha, law", [(1.0, stats.cauchy(scale=0.7)), (2.0, stats.norm(scale=0.7 * np.sqrt(2)))]
)
def test_flight_over_a_distance(alpha, law):
    s = survival(law, 3.0, 12)
    sample = simulate(LevyFlight(alpha=alpha, scale=0.7, target=3.0), runs=RUNS, seed=4, horizon=12)
    assert same_discrete_law(sample, s)
    wider = simulate(LevyFlight(alpha=alpha, scale=0.77, target=3.0), runs=RUNS, seed=4, horizon=12)
    assert not same_discrete_law(wider, s)


@pytest.mark.parametrize("alpha", [0.5, 1.5])
def test_first_jump_is_stable(alpha):
    distance = 2.0
    tail = stats.levy_stable(alpha, 0.0).sf(distance)
    sample = simulate(LevyFlight(alpha=alpha, target=distance), runs=10**6, seed=5, horizon=1)
    error = np.sqrt(tail * (1 - tail) / 10**6)
    assert abs(sample.observed.mean() - tail) < 4.5 * error
    assert abs(sample.observed.mean() - 1.1 * tail) > 4.5 * error


def test_mean_is_infinite():
    assert LevyFlight().arrives and not LevyFlight().finite_mean and LevyFlight().mfpt() == np.inf


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"alpha": 2.5}, "`alpha` must be a stability index above 0 and at most 2"),
        ({"alpha": 0.0}, "`alpha` must be a stability index"),
        ({"alpha": 0.05}, "`alpha` must be at least 0.1, got 0.05; the jumps of smaller indices do not fit"),
        ({"scale": -1.0}, "`scale` must be positive"),
        ({"target": 0.0}, "`start` must differ from `target`"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        LevyFlight(**arguments)
