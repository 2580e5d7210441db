"""The switched potential against quadrature over the killed Gaussian, over time and in 40 digits."""

import mpmath
import numpy as np
import pytest
from scipy import integrate, special, stats

from theory.closed_forms import Brownian, LinearLogarithmic

CASES = [
    dict(slope=1.0, strength=2.0, diffusion=1.0, start=1.0),
    dict(slope=1.0, strength=2.0, diffusion=0.5, start=3.0),
    dict(slope=0.2, strength=0.3, diffusion=0.1, start=0.7),
    dict(slope=4.0, strength=9.0, diffusion=0.4, start=2.0),
]
SLOPELESS = [dict(CASES[0], slope=0.0), dict(CASES[1], slope=-0.5)]


def made(case, **changes):
    return LinearLogarithmic(**{**case, **changes})


def killed(case, power, t):
    """Integral of x^power over the Gaussian less its image, in 40 digits."""
    with mpmath.workdps(40):
        v, d, x0, t = (mpmath.mpf(value) for value in (case["slope"], case["diffusion"], case["start"], t))

        def integrand(x):
            gauss = mpmath.exp(-((x - x0 + v * t) ** 2) / (4 * d * t))
            mirror = mpmath.exp(v * x0 / d - (x + x0 + v * t) ** 2 / (4 * d * t))
            return x**power * (gauss - mirror) / mpmath.sqrt(4 * mpmath.pi * d * t)

        middle, width = max(x0 - v * t, mpmath.mpf(0)), mpmath.sqrt(2 * d * t)
        ends = [mpmath.mpf(0), *(middle + k * width for k in (-8, -4, 0, 4, 8, 14) if middle + k * width > 0)]
        return float(mpmath.quad(integrand, ends))


@pytest.mark.parametrize("case", CASES + SLOPELESS)
@pytest.mark.parametrize("t", [0.01, 0.3, 2.0, 15.0])
def test_squared_position_in_forty_digits(case, t):
    expected = killed(case, 2, t)
    assert made(case).squared_position(t) == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert killed(case, 0, t) == pytest.approx(made(case).survival(t), rel=1e-10, abs=1e-14)
    for name in ("start", "slope"):
        wrong = made(case, **{name: 1.01 * case[name]}).squared_position(t)
        assert case[name] == 0 or wrong != pytest.approx(expected, rel=1e-6, abs=0)


@pytest.mark.parametrize("case", CASES)
def test_mean_with_one_switch_by_quadrature(case):
    law, gap = made(case), 2 * (case["strength"] - case["diffusion"])
    for time in np.array([0.05, 0.4, 1.5]) * law.mfpt():
        before = integrate.quad(law.survival, 0, time, epsrel=1e-11, epsabs=0)[0]
        expected = before + killed(case, 2, time) / gap
        assert law.mfpt_once(time) == pytest.approx(expected, rel=1e-9)
        assert law.mfpt_sharp(time) == law.mfpt_once(time)
        assert made(case, strength=1.01 * case["strength"]).mfpt_once(time) != pytest.approx(
            expected, rel=1e-8
        )
    assert law.mfpt_once(0.0) == pytest.approx(case["start"] ** 2 / gap) == law.residual(case["start"])
    assert law.mfpt_once(np.inf) == pytest.approx(law.mfpt()) == pytest.approx(law.mfpt_once(1e6))
    assert law.log_mfpt_sharp(0.4) == pytest.approx(np.log(law.mfpt_once(0.4)))


def averaged(law, rate):
    """Mean of `mfpt_once` over exponential times of the switch."""
    return integrate.quad(
        lambda u: np.exp(-u) * law.mfpt_once(u / rate),
        0,
        60,
        points=[0.01, 0.1, 1, 5],
        limit=400,
        epsrel=1e-10,
    )[0]


@pytest.mark.parametrize("case", CASES + SLOPELESS)
@pytest.mark.parametrize("rate", [0.1, 1.0, 20.0])
def test_poisson_switch_by_quadrature(case, rate):
    law = made(case)
    expected = averaged(law, rate)
    assert law.mfpt_poisson(rate) == pytest.approx(expected, rel=1e-8)
    assert law.log_mfpt_poisson(rate) == pytest.approx(np.log(expected), abs=1e-8)
    assert made(case, start=1.01 * case["start"]).mfpt_poisson(rate) != pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_linear_response_against_finite_differences(case):
    law = made(case)
    step = 1e-4 / law.mfpt()
    low, high = law.mfpt_poisson(step), law.mfpt_poisson(2 * step)
    slope = (4 * low - high - 3 * law.mfpt()) / (2 * step)
    assert law.linear_response() == pytest.approx(slope, rel=1e-4, abs=1e-5 * law.second_moment())
    wrong = made(case, slope=1.01 * case["slope"]).linear_response()
    assert wrong != pytest.approx(slope, rel=1e-3)
    assert law.resetting_helps() == (law.mfpt_poisson(step) < law.mfpt())
    pieces = [0.0, *(law.mfpt() * np.array([0.3, 1, 2, 5, 15, 60, 300]))]
    occupied = sum(
        integrate.quad(law.squared_position, a, b, epsrel=1e-11, limit=200)[0]
        for a, b in zip(pieces[:-1], pieces[1:], strict=True)
    )
    residual = law.residual(np.sqrt(occupied / law.mfpt()))
    assert law.mean_residual() == pytest.approx(residual, rel=1e-7)


def test_no_cancellation_at_small_rates():
    law = made(CASES[0])
    expected = law.mfpt() + 1e-9 * law.linear_response()
    assert law.mfpt_poisson(1e-9) == pytest.approx(expected, rel=1e-14)
    with mpmath.workdps(60):
        v, d, x, r = mpmath.mpf(1), mpmath.mpf(1), mpmath.mpf(1), mpmath.mpf(10) ** -6
        alpha = (mpmath.sqrt(v**2 + 4 * d * r) - v) / (2 * d)
        alive = (1 - mpmath.exp(-alpha * x)) / r
        first = (x - v * alive) / r
        exact = alive + (x**2 + 2 * d * alive - 2 * v * first) / (2 * (2 - d))
    assert law.mfpt_poisson(1e-6) == pytest.approx(float(exact), rel=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_survival_with_the_switch(case):
    law, period = made(case), 0.3
    assert law.survival_sharp(0.2, period) == law.survival(0.2)
    assert law.survival_sharp(period + 1e-9, period) == pytest.approx(law.survival(period), abs=1e-7)
    later, _ = integrate.quad(lambda t: law.survival_sharp(t, period), period, 5 * period + 5, limit=400)
    tail, _ = integrate.quad(lambda t: law.survival_sharp(t, period), 5 * period + 5, np.inf, limit=400)
    assert law.restricted_mean(period) + later + tail == pytest.approx(law.mfpt_once(period), rel=1e-6)
    assert made(case, strength=1.01 * case["strength"]).mfpt_once(period) != pytest.approx(
        law.restricted_mean(period) + later + tail, rel=1e-5
    )


@pytest.mark.parametrize("diffusion", [1e-3, 1e-5, 1e-8])
def test_survival_with_the_switch_where_the_gaussian_is_narrow(diffusion):
    law, period = LinearLogarithmic(slope=1, strength=2, diffusion=diffusion, start=1), 0.3
    # All are at about 0.7 then; from there x^2 falls by 4 t on average, so that they arrive about t = 0.49 / 4.
    middle, variance = 0.7, 2 * diffusion * period
    x = middle + np.sqrt(variance) * np.linspace(-9, 9, 20_001)
    density = stats.norm.pdf(x, middle, np.sqrt(variance)) * -np.expm1(-x / (diffusion * period))
    for t in 0.1225 * np.array([0.5, 0.98, 1, 1.02]):
        left = special.gammainc((1 + 2 / diffusion) / 2, x**2 / (4 * diffusion * t))
        exact = integrate.trapezoid(density * left, x)
        assert law.survival_sharp(period + t, period) == pytest.approx(exact, abs=1e-8)


def test_survival_with_a_switch_at_once():
    law = LinearLogarithmic(slope=0, strength=2, diffusion=1, start=1)
    exact = special.gammainc((1 + 2) / 2, 1 / (4 * 0.5))
    assert law.survival_sharp(0.5, 1e-8) == pytest.approx(exact, abs=1e-6)


def test_before_the_switch_as_diffusion_in_a_linear_potential():
    law = made(CASES[1])
    line = Brownian(drift=-1.0, diffusion=0.5, start=3.0, target=0.0)
    for name in ("survival", "log_cdf", "density", "restricted_mean", "laplace"):
        np.testing.assert_allclose(getattr(law, name)([0.2, 1.0, 7.0]), getattr(line, name)([0.2, 1.0, 7.0]))
    assert (law.mfpt(), law.second_moment(), law.decay_rate()) == (3, line.second_moment(), line.decay_rate())
    assert law.target == 0.0


@pytest.mark.parametrize("case", CASES + SLOPELESS)
def test_best_switch(case):
    law = made(case)
    for best, mean in ((law.optimal_rate(), law.mfpt_poisson), (law.optimal_period(), law.mfpt_once)):
        grid = mean(np.geomspace(1e-5, 1e5, 1000))
        assert (mean(best) if best > 0 or mean == law.mfpt_once else law.mfpt()) <= grid.min() * (1 + 1e-9)
    # Where the linear force is the weaker one at the start, waiting does not pay.
    assert made(CASES[0]).optimal_period() == 0 and made(CASES[0]).optimal_rate() == np.inf


def test_without_a_slope():
    law = made(SLOPELESS[0])
    assert law.mfpt() == law.mean_residual() == np.inf and law.resetting_helps()
    assert np.isfinite(law.mfpt_once(3.0))


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: made(CASES[0], strength=1.0),
            "`strength` must be above `diffusion` = 1.0 .*got 1.0; raise it",
        ),
        (lambda: made(CASES[0], start=-1.0), "`start` must be positive, got -1.0"),
        (lambda: made(CASES[0], diffusion=0.0), "`diffusion` must be positive"),
        (lambda: made(CASES[0], slope=np.nan), "`slope` must be a finite number"),
        (lambda: made(CASES[0]).mfpt_once(-1.0), "`time` must not be negative"),
        (lambda: made(CASES[0]).mfpt_sharp(0.0), "`period` must be positive"),
        (lambda: made(CASES[0]).mfpt_poisson(0.0), "`rate` must be positive"),
        (lambda: made(CASES[0]).residual(-1.0), "`x` must not be negative"),
        (
            lambda: made(SLOPELESS[0]).linear_response(),
            "`slope` must be positive for a linear response, got 0.0",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
