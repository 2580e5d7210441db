"""Diffusion to a sphere against Bessel functions in many digits and against series."""

import mpmath
import numpy as np
import pytest
from scipy import special

from theory.closed_forms import Brownian, Interval, Sphere
from theory.closed_forms.bessel import first_zero


def log_laplace(dimension, start, target, s):
    with mpmath.workdps(40):
        order, q = mpmath.mpf(dimension) / 2 - 1, mpmath.sqrt(mpmath.mpf(s))
        rho, radius = mpmath.mpf(start), mpmath.mpf(target)
        if start > target:
            ratio = mpmath.besselk(order, q * rho) / mpmath.besselk(order, q * radius)
            return mpmath.log((radius / rho) ** order * ratio)
        inner = mpmath.hyp0f1(order + 1, (q * rho) ** 2 / 4)
        return mpmath.log(inner / mpmath.hyp0f1(order + 1, (q * radius) ** 2 / 4))


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 7, 100, 200])
@pytest.mark.parametrize("start", [2.0, 50.0, 1.0001, 0.0, 0.5, 0.9999])
def test_transform_keeps_its_relative_accuracy(dimension, start):
    law = Sphere(dimension=dimension, start=start, target=1.0)
    for s in (1e-12, 1e-3, 1.0, 300.0, (700 / abs(start - 1)) ** 2):
        exact = log_laplace(dimension, start, 1.0, s)
        assert law.log_laplace(s) == pytest.approx(float(exact), rel=1e-11, abs=0)
        wrong = Sphere(
            dimension=dimension, start=1.01 * start if start else 0.1, target=1.0 if start else 1.02
        )
        assert wrong.log_laplace(s) != pytest.approx(float(exact), rel=1e-4, abs=0)


def test_scaling_with_the_diffusion_coefficient():
    law, unit = Sphere(dimension=2, diffusion=3.0, start=4.0, target=2.0), Sphere(dimension=2)
    np.testing.assert_allclose(
        law.survival([0.1, 1.0, 100.0]), unit.survival(np.array([0.1, 1, 100]) * 3 / 4)
    )
    assert law.optimal_rate() == pytest.approx(unit.optimal_rate() * 3 / 4, rel=1e-6)


def test_dimensions_one_and_three_are_known():
    t = np.geomspace(1e-3, 1e9, 30)
    line, outside = Brownian(start=2.0, target=1.0), Sphere(dimension=1, start=2.0)
    np.testing.assert_allclose(outside.log_cdf(t), line.log_cdf(t), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(outside.log_survival(t), line.log_survival(t), rtol=1e-13, atol=1e-15)
    wall, inside = Interval(start=0.3), Sphere(dimension=1, start=0.3)
    t = np.geomspace(1e-3, 100, 30)
    np.testing.assert_allclose(inside.log_survival(t), wall.log_survival(t), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(inside.log_cdf(t), wall.log_cdf(t), rtol=1e-11, atol=1e-12)
    assert inside.mfpt() == wall.mfpt() and inside.second_moment() == pytest.approx(wall.second_moment())
    ball = Sphere(dimension=3, start=4.0, target=1.0)
    assert ball.survival(2.0) == pytest.approx(1 - special.erfc(3 / np.sqrt(8)) / 4, rel=1e-14)
    # Evans and Majumdar 2014: <T_r> = (rho/R exp[(rho - R) sqrt(r/D)] - 1) / r in three dimensions.
    assert ball.mfpt_poisson(0.2) == pytest.approx((4 * np.exp(3 * np.sqrt(0.2)) - 1) / 0.2, rel=1e-13)


@pytest.mark.parametrize("start", [0.0, 0.5, 0.99])
def test_survival_in_the_disc_is_the_bessel_series(start):
    law = Sphere(dimension=2, start=start, target=1.0)
    j = special.jn_zeros(0, 60)
    t = np.array([0.01, 0.1, 0.5, 2.0, 20.0, 200.0])
    modes = 2 * special.j0(j * start) / (j * special.j1(j))
    series = np.exp(-np.outer(t, j**2 - j[0] ** 2)) @ modes
    np.testing.assert_allclose(law.log_survival(t), np.log(series) - j[0] ** 2 * t, rtol=1e-11, atol=1e-11)
    assert law.decay_rate() == pytest.approx(j[0] ** 2, rel=1e-15)


@pytest.mark.parametrize("t", [0.05, 1.0, 50.0])
def test_survival_outside_the_disc_is_the_integral_of_nicholson(t):
    law = Sphere(dimension=2, start=2.0, target=1.0)

    def integrand(x):
        j, y = mpmath.besselj(0, x), mpmath.bessely(0, x)
        gap = mpmath.bessely(0, 2 * x) * j - mpmath.besselj(0, 2 * x) * y
        return -2 / mpmath.pi * mpmath.exp(-x * x * t) * gap / (j * j + y * y) / x

    # In ln(x): the integral converges only logarithmically at 0.
    top = mpmath.log(8 / mpmath.sqrt(t))
    edges = [top - 40, top - 20, top - 10, *[top - k for k in range(6, -1, -1)]]
    value = mpmath.quad(lambda u: integrand(mpmath.exp(u)) * mpmath.exp(u), edges)
    # Below, Y0(2x)J0 - J0(2x)Y0 -> (2/pi) ln 2 and J^2 + Y^2 -> 1 + (2/pi)^2 [ln(x/2) + gamma]^2.
    depth = (edges[0] - mpmath.log(2) + mpmath.euler) * 2 / mpmath.pi
    rest = mpmath.log(2) * 2 / mpmath.pi * (mpmath.atan(depth) + mpmath.pi / 2)
    assert law.survival(t) == pytest.approx(abs(float(value)) + float(rest), rel=1e-9)


def test_moments_from_inside():
    law = Sphere(dimension=5, diffusion=2.0, start=1.0, target=3.0)
    assert law.mfpt() == pytest.approx((9 - 1) / 20)
    assert law.second_moment() == pytest.approx(law.mfpt() ** 2 + (81 - 1) / (2 * 4 * 25 * 7))
    assert Sphere(dimension=5).mfpt() == Sphere(dimension=5).second_moment() == np.inf
    assert Sphere(dimension=5).laplace(0.0) == pytest.approx(2.0**-3)


def test_first_zeros():
    for order in (-0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 9.0, 49.0, 99.0):
        exact = np.pi / 2 if order < 0 else float(mpmath.besseljzero(order, 1))
        assert first_zero(order) == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dimension": 0}, "`dimension` must lie between 1 and 200, got 0"),
        ({"dimension": 2.5}, "`dimension` must be a whole number, got 2.5"),
        ({"start": -1.0}, "`start` must not be negative, got -1.0"),
        ({"start": 1.0}, "`start` must differ from `target`"),
        ({"target": 0.0}, "`target` must be positive"),
        ({"diffusion": np.nan}, "`diffusion` must be a finite number"),
    ],
)
def test_errors(parameters, message):
    with pytest.raises(ValueError, match=message):
        Sphere(**parameters)
