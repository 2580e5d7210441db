"""Drift and diffusion against the closed forms in many digits."""

import mpmath
import numpy as np
import pytest

from theory.closed_forms import Brownian

CASES = [
    (0.0, 1.0, 1.0),
    (1.0, 1.0, 1.0),
    (-1.0, 0.5, 2.0),
    (30.0, 1.0, 1.0),
    (-30.0, 1.0, 1.0),
    (1e-6, 1.0, 1.0),
]


def tails(t, drift, diffusion, distance):
    """Pr(T <= t) and Pr(T > t) with 400 digits, so that neither cancels."""
    with mpmath.workdps(400):
        t, v, d, x = map(mpmath.mpf, (t, drift, diffusion, distance))
        root = 2 * mpmath.sqrt(d * t)
        cdf = (mpmath.erfc((x - v * t) / root) + mpmath.exp(v * x / d) * mpmath.erfc((x + v * t) / root)) / 2
        return mpmath.log(cdf), mpmath.log(1 - cdf)


@pytest.mark.parametrize("case", CASES)
def test_both_tails_to_the_last_digits(case):
    drift, diffusion, distance = case
    law = Brownian(drift=drift, diffusion=diffusion, target=distance)
    for t in (3e-4, 0.01, 0.3, 1.0, 7.0, 1e3):
        log_cdf, log_survival = tails(t, *case)
        # Absolute errors of logarithms: relative ones of the probabilities.
        assert law.log_cdf(t) == pytest.approx(float(log_cdf), abs=1e-12, rel=4e-16)
        if log_survival > -800:
            assert law.log_survival(t) == pytest.approx(float(log_survival), abs=1e-12, rel=4e-16)
        wrong = Brownian(drift=drift, diffusion=1.01 * diffusion, target=distance)
        assert (
            abs(wrong.log_cdf(t) - float(log_cdf)) + abs(wrong.log_survival(t) - float(log_survival)) > 1e-4
        )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("rate", [1e-200, 1e-12, 0.3, 40.0, 4.9e5])
def test_resetting_follows_evans_and_majumdar(case, rate):
    drift, diffusion, distance = case
    with mpmath.workdps(450):
        v, d, r, x = map(mpmath.mpf, (drift, diffusion, rate, distance))
        alpha = (mpmath.sqrt(v**2 + 4 * d * r) - v) / (2 * d)
        exact = (mpmath.exp(alpha * x) - 1) / r
        # alpha itself loses digits where drift and rate are far apart, in floats; not here.
        log_exact = float(mpmath.log(exact))
    law = Brownian(drift=drift, diffusion=diffusion, start=0.5, target=0.5 - distance)
    mirrored = Brownian(drift=-drift, diffusion=diffusion, start=0.5, target=0.5 - distance)
    assert mirrored.log_mfpt_poisson(rate) == pytest.approx(log_exact, rel=1e-13)
    if log_exact < 700:
        assert mirrored.mfpt_poisson(rate) == pytest.approx(float(exact), rel=2e-13, abs=0)
    if abs(drift) > 0.1:
        assert law.log_mfpt_poisson(rate) != pytest.approx(log_exact, rel=1e-6, abs=1e-9)


def test_best_rate_and_period_of_free_diffusion():
    law = Brownian(diffusion=2.0, start=1.0, target=4.0)
    # y = L sqrt(r/D) obeys y/2 = 1 - exp(-y).
    y = mpmath.findroot(lambda y: y / 2 - 1 + mpmath.exp(-y), 1.6)
    assert float(y) == pytest.approx(1.5936, abs=5e-5)
    assert 3 * np.sqrt(law.optimal_rate() / 2) == pytest.approx(float(y), rel=1e-9)
    # <T_P> = int_0^P erf(L / sqrt(4Dt)) dt / erfc(L / sqrt(4DP)).
    period = law.optimal_period()
    z = mpmath.mpf(3) / mpmath.sqrt(8 * period)
    mean = mpmath.quad(lambda t: mpmath.erf(3 / mpmath.sqrt(8 * t)), [0, period / 9, period]) / mpmath.erfc(z)
    assert law.mfpt_sharp(period) == pytest.approx(float(mean), rel=1e-12)


def test_moments_and_whether_resetting_helps():
    law = Brownian(drift=-2.0, diffusion=3.0, start=1.0, target=-4.0)
    assert law.mfpt() == 2.5
    assert law.second_moment() == pytest.approx(2.5**2 + 2 * 3 * 5 / 2**3)
    # CV^2 = 2D / (vL), so that the Peclet number vL/2D decides.
    assert law.cv() ** 2 == pytest.approx(0.6) and not law.resetting_helps() and law.optimal_rate() == 0
    slower = Brownian(drift=-0.5, diffusion=3.0, start=1.0, target=-4.0)
    assert slower.cv() > 1 and slower.resetting_helps() and slower.optimal_rate() > 0
    away = Brownian(drift=1.0, diffusion=3.0, start=1.0, target=-4.0)
    assert away.mfpt() == away.second_moment() == away.cv() == np.inf and away.resetting_helps()
    assert away.laplace(0.0) == pytest.approx(np.exp(-5 / 3)) and np.isfinite(away.optimal_rate())
    assert away.survival(1e9) == pytest.approx(1 - np.exp(-5 / 3), rel=1e-12)


def test_restricted_mean_where_the_target_can_be_missed():
    law = Brownian(drift=-1.0)
    missed = 1 - np.exp(-1)
    # <min(T, P)> -> P (1 - p) + p <T | T < inf>, the latter that of the drift towards the target.
    assert law.restricted_mean(1e6) == pytest.approx(missed * 1e6 + np.exp(-1), rel=1e-14)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"diffusion": -1.0}, "`diffusion` must be positive, got -1.0"),
        ({"diffusion": np.inf}, "`diffusion` must be a finite number, got inf"),
        ({"start": 1.0}, "`start` must differ from `target`, got 1.0 for both; move one"),
        ({"drift": np.nan}, "`drift` must be a finite number, got nan"),
        ({"target": "1"}, "`target` must be a finite number, got '1'"),
    ],
)
def test_errors(parameters, message):
    with pytest.raises(ValueError, match=message):
        Brownian(**parameters)
