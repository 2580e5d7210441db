"""The speed-up of the confirmation: its value and error, and how often its interval holds the truth."""

import numpy as np
import pytest

from theory import PassageSample
from theory.search import speed_up

REPLICAS = 500
HORIZON = 200
# Two-sided at four of its own standard errors around 95 %.
LOW, HIGH = (0.95 + side * 4 * np.sqrt(0.95 * 0.05 / REPLICAS) for side in (-1, 1))


def complete(times):
    return PassageSample(np.array(times, dtype=float), np.zeros(len(times), dtype=bool))


def up_to(times, horizon=HORIZON):
    return PassageSample(np.minimum(times, horizon), times > horizon)


def coverage(perturbed, unperturbed, truth, replicas=REPLICAS, seed=0):
    rng = np.random.default_rng(seed)
    found = [
        speed_up(up_to(perturbed(rng)), up_to(unperturbed(rng)), HORIZON).speedup for _ in range(replicas)
    ]
    return np.mean([each.low <= truth <= each.high for each in found])


def gamma(mean, shape, runs):
    return lambda rng: rng.gamma(shape, mean / shape, runs)


def two_kinds(share, mean, runs):
    """So many of the runs arrive around ``mean``, the others never."""
    return lambda rng: np.where(rng.random(runs) < share, rng.gamma(8, mean / 8, runs), 10 * HORIZON)


def test_a_ratio_and_its_error_by_the_delta_method():
    rng = np.random.default_rng(1)
    kicked, free = rng.gamma(9, 20 / 9, 400), rng.gamma(9, 60 / 9, 400)
    found = speed_up(complete(kicked), complete(free), 1000)
    variance = sum(times.var(ddof=1) / times.size / times.mean() ** 2 for times in (kicked, free))
    assert found.mean.value == pytest.approx(kicked.mean())
    assert found.speedup.value == pytest.approx(free.mean() / kicked.mean())
    assert found.speedup.stderr == pytest.approx(found.speedup.value * np.sqrt(variance), rel=0.06)
    factor = np.exp(1.96 * np.sqrt(variance))
    assert found.speedup.low == pytest.approx(found.speedup.value / factor, rel=0.01)
    assert found.speedup.high == pytest.approx(found.speedup.value * factor, rel=0.01)
    assert (found.runs, found.censored) == ((400, 400), (0, 0))
    assert not found.mean.lower_bound


def test_where_none_arrived_the_interval_reaches_down_alone():
    found = speed_up(complete([10, 10]), up_to(np.full(8, 999.0)), HORIZON)
    assert found.unperturbed.value == 200 and found.unperturbed.lower_bound
    # Half a run of nine that arrives at any time, against eight that do not.
    assert found.unperturbed.high == 200 and 150 < found.unperturbed.low < 190
    assert found.speedup.high == pytest.approx(20) and found.speedup.low < 19
    assert found.censored == (0, 8)


def test_times_beyond_the_horizon_count_as_the_horizon():
    assert speed_up(complete([10, 20]), complete([150, 900]), 200).unperturbed.value == 175
    assert speed_up(complete([10, 20]), complete([150, 900]), 200).censored == (0, 1)


def test_a_run_that_diverged_never_arrives():
    diverged = PassageSample(np.array([10.0, 4.0]), np.array([False, True]))
    found = speed_up(diverged, complete([30, 50]), 100)
    assert (found.mean.value, found.censored, found.mean.lower_bound) == (55, (1, 0), True)


def test_equal_times_have_no_error():
    found = speed_up(complete([10, 10]), complete([30, 30]), 100).speedup
    assert (found.value, found.stderr, found.low, found.high) == pytest.approx((3, 0, 3, 3))


@pytest.mark.parametrize(("shape", "runs"), [(4, 16), (10, 16), (4, 40)])
def test_coverage_of_gamma_times(shape, runs):
    perturbed, free = gamma(20, shape, runs), gamma(60, shape, runs)
    share = coverage(perturbed, free, 3.0)
    assert 0.93 < share < 0.97 and LOW < share < HIGH
    assert coverage(perturbed, free, 3.0 * 1.25, replicas=200) < LOW


def test_coverage_of_runs_of_two_kinds():
    """Half arrive around epoch 40, the others never."""
    runs, truth = 24, (0.5 * 40 + 0.5 * HORIZON) / 20
    share = coverage(gamma(20, 10, runs), two_kinds(0.5, 40, runs), truth)
    assert 0.93 < share < 0.97
    assert coverage(gamma(20, 10, runs), two_kinds(0.5, 40, runs), 1.3 * truth, replicas=200) < LOW


@pytest.mark.parametrize("arriving", [0.0, 0.02, 0.05])
def test_where_almost_none_arrives_the_interval_errs_on_the_safe_side(arriving):
    """With 16 runs often none is seen to arrive; without the half run coverage would fall."""
    runs, truth = 16, (arriving * 40 + (1 - arriving) * HORIZON) / 20
    share = coverage(gamma(20, 10, runs), two_kinds(arriving, 40, runs), truth, replicas=500)
    assert share > 0.93
