"""Coverage of the 95 % intervals, and level of the stationarity test, over 300 simulated studies each.

The toy is exactly cycle-renewal: hazard 0 for 5 epochs, then 0.01 per epoch; after each perturbation 0 for
3 epochs, 0.15 for 5, then 0.01. All means follow from products and sums of these hazards.
"""

import numpy as np
import pytest

from theory import (
    Ensemble,
    PassageSample,
    QuasiSteadyState,
    ValidRange,
    mean_passage_time,
    measure_response,
    predict,
    restricted_mean,
    test_stationarity,
)

REPLICAS = 300
MONTE_CARLO = np.sqrt(0.05 * 0.95 / REPLICAS)  # standard error of a coverage of 95 %
ALLOWED = 2.9 * MONTE_CARLO  # two-sided 5 % for all of the dozen comparisons below together
FREE = np.r_[np.zeros(5), np.full(395, 0.01)]
AFTER = np.r_[np.zeros(3), np.full(5, 0.15), np.full(400, 0.01)]
PERIOD, HORIZON = 20, FREE.size


def survival(hazard):
    return np.r_[1.0, np.cumprod(1 - hazard)]


def exact_tau(period):
    lived = survival(AFTER[:period])
    return lived[:-1].sum() / (1 - lived[-1])


def exact_mean(period):
    free = survival(FREE[:period])
    return free[:-1].sum() + free[-1] * exact_tau(period)


def sample(runs, period, rng, first_seed):
    epochs = np.arange(1, HORIZON + 1)
    hazard = FREE if period is None else np.where(epochs <= period, FREE, AFTER[(epochs - 1) % period])
    arrived = np.cumsum(rng.random((runs, HORIZON)) < hazard, axis=1) > 0
    name = None if period is None else "kick"
    seeds = np.arange(first_seed, first_seed + runs)
    return Ensemble(arrived.astype(float), seeds, perturbation=name, period=period)


def left_early(arrival, rng):
    """The same runs, each watched only up to a random epoch from 50 to 300."""
    watched = rng.integers(50, 300, len(arrival)).astype(float)
    gone = watched < arrival.times
    return PassageSample(np.minimum(arrival.times, watched), arrival.censored | gone)


def limits():
    reached = QuasiSteadyState("reached", 6, HORIZON, 0.1, "", np.array([6]), np.zeros(1), np.ones(1))
    return ValidRange(PERIOD, HORIZON, reached, 5, 9)


def intervals():
    """Interval and truth of each estimate in each study; several seconds, hence for one test alone."""
    rng = np.random.default_rng(1)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for replica in range(REPLICAS):
        free, kicked = sample(300, None, rng, 0), sample(150, PERIOD, rng, 1000)
        response = measure_response(free, kicked, 1, resamples=300, seed=replica)
        arrival = free.first_passage(1)
        estimates = {
            "tau": (response.tau_estimate, exact_tau(PERIOD)),
            "measured mean": (mean_passage_time(kicked.first_passage(1)), exact_mean(PERIOD)),
            "restricted mean": (restricted_mean(arrival, 200), survival(FREE)[:200].sum()),
            "censored mean": (restricted_mean(left_early(arrival, rng), 100), survival(FREE)[:100].sum()),
        }
        for point in predict(response, [10, 15, PERIOD], limits(), model="cycles"):
            estimates[f"predicted at {point.period}"] = point, exact_mean(point.period)
        (constant,) = predict(response, [PERIOD], limits(), model="constant")
        estimates["constant response"] = constant, exact_mean(PERIOD)
        for name, (estimate, truth) in estimates.items():
            found.setdefault(name, []).append((estimate.low, estimate.high, truth))
    return {name: np.array(rows) for name, rows in found.items()}


NAMES = {"tau", "measured mean", "restricted mean", "censored mean", "predicted at 10", "predicted at 15",
         "predicted at 20", "constant response"}  # fmt: skip


@pytest.mark.slow
def test_intervals_cover_the_truth_and_miss_one_that_is_off():
    found = intervals()
    assert found.keys() == NAMES
    for name, rows in found.items():
        low, high, truth = rows.T
        coverage = np.mean((low <= truth) & (truth <= high))
        assert coverage == pytest.approx(0.95, abs=ALLOWED), name
        wrong = 1.1 * truth
        assert np.mean((low <= wrong) & (wrong <= high)) < 0.95 - 5 * MONTE_CARLO, name


def stationary_runs(runs, epochs, rng):
    """Each run on its own plateau (nine tenths of the variance), fluctuating with correlation 0.5."""
    plateau, state = rng.standard_normal((2, runs))
    columns = []
    for _ in range(epochs):
        state = 0.5 * state + np.sqrt(0.75) * rng.standard_normal(runs)
        columns.append(np.round(72 + 0.5 * (np.sqrt(0.9) * plateau + np.sqrt(0.1) * state), 2))
    return np.stack(columns, axis=1)


def rejected(runs, shift, replicas, **settings):
    rng = np.random.default_rng(3)
    count = 0
    for replica in range(replicas):
        values = stationary_runs(runs, 5, rng)
        values[:, 0] -= shift
        count += test_stationarity(values, seed=replica, **settings).p_value <= 0.05
    return count / replicas


@pytest.mark.slow
@pytest.mark.parametrize("runs", [30, 100])
def test_relaxation_has_its_nominal_level(runs):
    assert rejected(runs, 0.0, REPLICAS) == pytest.approx(0.05, abs=ALLOWED)


@pytest.mark.slow
def test_relaxation_has_its_nominal_level_at_the_tolerated_shift():
    level = rejected(600, 0.25 * 0.5, REPLICAS // 2, tolerance=0.25)
    assert level == pytest.approx(0.05, abs=np.sqrt(2) * ALLOWED)


@pytest.mark.slow
def test_level_rises_with_a_shift():
    assert rejected(100, 0.15, 50) > 0.5
