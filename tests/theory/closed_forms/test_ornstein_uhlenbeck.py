"""The Ornstein-Uhlenbeck process against Kummer functions in many digits and against its closed case."""

import mpmath
import numpy as np
import pytest
from scipy import special

from theory.closed_forms import Brownian, OrnsteinUhlenbeck, parabolic


def growing(order, y):
    """exp(y^2/4) D_{-order}(-y) up to a constant, by Kummer functions; call it with digits to spare."""
    even = mpmath.hyp1f1(order / 2, 0.5, y**2 / 2) * mpmath.rgamma((1 + order) / 2)
    odd = mpmath.hyp1f1((1 + order) / 2, 1.5, y**2 / 2) * mpmath.rgamma(order / 2)
    return even + mpmath.sqrt(2) * y * odd


def log_ratio(order, low, high, digits=150):
    with mpmath.workdps(digits):
        order = mpmath.mpmathify(order)
        return mpmath.log(growing(order, mpmath.mpf(low)) / growing(order, mpmath.mpf(high)))


LEVELS = [(0.0, 1.0), (-1.0, -0.999), (-6.0, -5.0), (-3.0, 4.0), (0.0, 8.0), (2.0, 2.5), (-9.0, -1.9)]


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("rate", [1e-200, 1e-14, 1e-3, 0.5, 30.0, 49.0, 51.0, 300.0])
def test_transform_at_real_rates(levels, rate):
    low, high = levels
    law = OrnsteinUhlenbeck(theta=2.0, diffusion=0.5, start=-low / 2 + 1, target=-high / 2 + 1, centre=1.0)
    exact = float(log_ratio(mpmath.mpf(rate), low, high, 500 if rate < 1e-100 else 150))
    # The levels are rounded when they are scaled: that is what the difference of two near levels shows.
    assert law.log_laplace(2 * rate) == pytest.approx(exact, rel=1e-12, abs=0)
    wrong = OrnsteinUhlenbeck(
        theta=2.0, diffusion=0.505, start=-low / 2 + 1, target=-high / 2 + 1, centre=1.0
    )
    assert wrong.log_laplace(2 * rate) != pytest.approx(exact, rel=1e-4, abs=0)


@pytest.mark.parametrize("levels", LEVELS)
def test_transform_at_complex_rates(levels):
    orders = np.array([1 + 5j, -3 + 4j, 49j, 51j, -50 + 100j, -150 + 160j, -185 + 85j, -0.3 + 0.1j])
    found = parabolic.log_ratio(orders, *levels)
    for value, order in zip(found, orders, strict=True):
        exact = log_ratio(mpmath.mpc(complex(order)), *levels)
        assert abs(mpmath.exp(mpmath.mpc(complex(value)) - exact) - 1) < 1e-11


def test_far_rates_and_levels():
    law = OrnsteinUhlenbeck(start=0.0, target=2.0)
    exact = log_ratio(mpmath.mpf(122_500), 0, 2, 700)
    assert exact < -698
    assert law.log_laplace(122_500.0) == pytest.approx(float(exact), rel=1e-13)
    # Close to the target at a high rate it is free diffusion.
    free = Brownian(start=0.0, target=1e-4)
    near = OrnsteinUhlenbeck(start=0.0, target=1e-4)
    assert near.log_mfpt_poisson(4.9e13) == pytest.approx(float(free.log_mfpt_poisson(4.9e13)), rel=1e-9)
    # Far downhill the passage takes ln(y0 / yL), the time of the deterministic relaxation.
    downhill = OrnsteinUhlenbeck(start=-3e3, target=-3e2)
    assert downhill.mfpt() == pytest.approx(np.log(10), rel=1e-4)
    assert downhill.log_laplace(1.0) == pytest.approx(-np.log(10), rel=1e-4)


# Closed case: with the target at the centre, Pr(T <= t) = erfc(|y0| / sqrt(2 (exp(2t) - 1))).
@pytest.mark.parametrize("level", [0.05, 1.0, 5.0, 20.0])
def test_survival_to_the_centre(level):
    law = OrnsteinUhlenbeck(theta=1.0, diffusion=2.0, start=3 + level * np.sqrt(2), target=3.0, centre=3.0)
    t = np.concatenate([level**2 * np.geomspace(3e-4, 0.05, 6), np.geomspace(0.05, 20, 8), [200.0, 1e5]])
    grown = np.where(t < 300, np.expm1(2 * np.minimum(t, 300.0)), np.inf)
    x = level / np.sqrt(2 * grown)
    exact = np.log(np.where(x < 1, special.erfc(np.minimum(x, 1)), special.erfcx(x)))
    exact -= np.where(x < 1, 0, x**2)
    np.testing.assert_allclose(law.log_cdf(t), exact, rtol=1e-11, atol=1e-11)
    with np.errstate(divide="ignore"):
        survival = np.where(x > 0, np.log(special.erf(x)), np.log(level * np.sqrt(2 / np.pi)) - t)
    np.testing.assert_allclose(law.log_survival(t), survival, rtol=1e-11, atol=1e-11)
    with np.errstate(invalid="ignore"):
        density = np.exp(-(x**2)) * 2 / np.sqrt(np.pi) * x * np.where(t < 300, 1 + 1 / grown, 1)
    np.testing.assert_allclose(law.density(t), density, rtol=1e-10, atol=1e-290)
    wrong = OrnsteinUhlenbeck(theta=1.0, diffusion=2.02, start=3 + level * np.sqrt(2), target=3.0, centre=3.0)
    assert np.abs(wrong.log_cdf(t[:-2]) - exact[:-2]).max() > 1e-3


@pytest.mark.parametrize("y", [-10.0, -3.0, -1.0, -0.1, 0.0, 0.3, 1.0, 3.0, 12.0])
def test_quasi_steady_rate_is_the_lowest_root(y):
    law = OrnsteinUhlenbeck(theta=3.0, start=(y - 2) / np.sqrt(3), target=y / np.sqrt(3))
    rate = law.decay_rate() / 3
    with mpmath.workdps(500 if abs(y) > 9 else 60):
        around = [growing(-mpmath.mpf(rate) * (1 + e), mpmath.mpf(law._levels()[1])) for e in (-1e-11, 1e-11)]
        below = [
            growing(-mpmath.mpf(rate) * k / 20, mpmath.mpf(law._levels()[1])) for k in (2, 6, 10, 14, 18)
        ]
    # It changes sign there, and nowhere below.
    assert around[0] * around[1] < 0
    assert all(value * around[0] > 0 for value in below)


def test_hazard_tends_to_the_quasi_steady_rate():
    law = OrnsteinUhlenbeck(start=-0.5, target=0.8)
    assert law.density(25.0) / law.survival(25.0) == pytest.approx(law.decay_rate(), rel=1e-11)
    assert OrnsteinUhlenbeck(start=0.0, target=39.0).decay_rate() == 0.0


@pytest.mark.parametrize("levels", [(0.0, 1.0), (-3.0, 3.0), (-5.0, -4.0), (5.0, 5.5)])
def test_moments(levels):
    low, high = levels
    law = OrnsteinUhlenbeck(theta=0.5, diffusion=0.5, start=low, target=high)

    def alpha(y):
        return mpmath.sqrt(mpmath.pi / 2) * mpmath.exp(y * y / 2) * mpmath.erfc(-y / mpmath.sqrt(2))

    points = [mpmath.mpf(low) + (mpmath.mpf(high) - low) * k / 4 for k in range(5)]
    exact = mpmath.quad(alpha, points)
    assert law.mfpt() == pytest.approx(2 * float(exact), rel=1e-13)
    # The variance as the second derivative of ln T~ at s = 0, with digits to spare.
    h = mpmath.mpf("1e-25")
    with mpmath.workdps(160):
        shift = [mpmath.log(growing(o, mpmath.mpf(low)) / growing(o, mpmath.mpf(high))) for o in (h, 2 * h)]
        exact = (shift[1] - 2 * shift[0]) / h**2
    assert law.second_moment() - law.mfpt() ** 2 == pytest.approx(4 * float(exact), rel=1e-10)


def test_moments_beyond_the_largest_float():
    law = OrnsteinUhlenbeck(start=0.0, target=28.0)
    assert np.isfinite(law.mfpt()) and law.second_moment() == np.inf
    assert law.cv() == pytest.approx(1, abs=1e-10) and law.mfpt() * law.decay_rate() == pytest.approx(
        1, rel=1e-10
    )
    beyond = OrnsteinUhlenbeck(start=0.0, target=39.0)
    assert beyond.mfpt() == np.inf and beyond.cv() == pytest.approx(1)
    assert np.isfinite(beyond.log_mfpt_poisson(1.0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"theta": 0.0}, "`theta` must be positive, got 0.0"),
        ({"diffusion": -2.0}, "`diffusion` must be positive, got -2.0"),
        ({"start": 1.0}, "`start` must differ from `target`"),
        ({"centre": np.inf}, "`centre` must be a finite number, got inf"),
        ({"start": True}, "`start` must be a finite number, got True"),
    ],
)
def test_errors(parameters, message):
    with pytest.raises(ValueError, match=message):
        OrnsteinUhlenbeck(**parameters)
