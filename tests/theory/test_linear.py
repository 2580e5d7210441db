"""Linear response to rare perturbation: known distributions, and the slope of the exact formula."""

import numpy as np
import pytest

from theory import CensoredSampleError, Estimate, PassageSample, linear_response

from .problems import complete

RUNS = 20_000
HYPEREXPONENTIAL = (0.2, 10.0, 1.0)  # share, and the two means


def draw(name, seed=0):
    rng = np.random.default_rng(seed)
    if name == "exponential":
        return rng.exponential(size=RUNS)
    if name == "gamma":
        return rng.gamma(4.0, size=RUNS)
    if name == "lognormal":
        return rng.lognormal(sigma=1.5, size=RUNS)
    share, slow, quick = HYPEREXPONENTIAL
    return rng.exponential(np.where(rng.random(RUNS) < share, slow, quick))


@pytest.mark.parametrize(
    ("name", "helps"), [("exponential", None), ("gamma", False), ("lognormal", True), ("hyper", True)]
)
def test_full_resetting_helps_above_cv_one(name, helps):
    assert linear_response(complete(draw(name))).helps is helps


@pytest.mark.parametrize(
    ("name", "mean", "second"), [("exponential", 1, 2), ("gamma", 4, 20), ("hyper", 2.8, 41.6)]
)
def test_against_exact_moments(name, mean, second):
    result = linear_response(complete(draw(name, seed=1)))
    slope, critical = mean**2 - second / 2, second / (2 * mean)
    assert abs(result.slope.value - slope) < 4 * result.slope.stderr
    assert abs(result.critical_tau.value - critical) < 4 * result.critical_tau.stderr
    assert abs(result.critical_tau.value - 0.9 * critical) > 4 * result.critical_tau.stderr
    if slope:
        assert abs(result.slope.value - slope - 0.1 * second / 2) > 4 * result.slope.stderr


@pytest.mark.parametrize("tau", [None, 0.5, 3.0])
def test_slope_is_the_derivative_of_the_exact_formula(tau):
    times = draw("gamma", seed=2)[:200]
    residual = times.mean() if tau is None else tau

    def mean(rate):
        transform = np.mean(np.exp(-rate * times))
        return (1 - transform) / rate + (1 - transform) * residual

    # Derivative at rate 0 from two small rates, by extrapolation.
    first, second = ((mean(rate) - times.mean()) / rate for rate in (1e-4, 2e-4))
    slope = linear_response(complete(times), tau).slope.value
    assert slope == pytest.approx(2 * first - second, rel=1e-4)


def test_errors_against_simulation():
    rng, replicas = np.random.default_rng(3), 2500
    for tau, spread in ((None, 0.0), (2.0, 0.3)):
        found = []
        for _ in range(replicas):
            measured = None if tau is None else Estimate(rng.normal(tau, spread), spread, 0.0, 9.0)
            found.append(linear_response(complete(rng.gamma(4.0, size=300)), measured))
        for name in ("slope", "critical_tau"):
            values = [getattr(r, name).value for r in found]
            ratio = np.mean([getattr(r, name).stderr for r in found]) / np.std(values)
            tolerance = 4 / np.sqrt(2 * replicas)
            assert abs(ratio - 1) < tolerance
            assert abs(1.1 * ratio - 1) > tolerance and abs(0.9 * ratio - 1) > tolerance


def test_short_residuals_help_and_long_ones_do_not():
    sample = complete(draw("exponential", seed=4))
    assert linear_response(sample, tau=0.9).helps is True
    assert linear_response(sample, tau=1.1).helps is False
    assert linear_response(sample, tau=Estimate(0.9, 0.5, 0.3, 2.7)).helps is None


def test_censored_samples_are_refused():
    with pytest.raises(CensoredSampleError, match="1 of 2 runs censored"):
        linear_response(PassageSample([1, 2], [False, True]))
    with pytest.raises(ValueError, match="at least 2 runs"):
        linear_response(complete([1]))


def test_what_is_not_known_is_not_shown():
    sample = complete(draw("lognormal"))
    unknown = Estimate(1.0, float("nan"), float("nan"), float("nan"))
    assert linear_response(sample, 1.0).helps is True and linear_response(sample, unknown).helps is None
    # With a lower bound of the residual time the slope may be larger, but not smaller.
    for tau, helps in ((1.0, None), (50.0, False)):
        found = linear_response(sample, Estimate(tau, 0.01, tau, tau, lower_bound=True))
        assert found.helps is helps and found.slope.lower_bound
    assert not linear_response(sample, 1.0).slope.lower_bound
