"""What must hold for every law: the parts agree with each other, also at the ends of every range."""

import numpy as np
import pytest
from scipy import optimize

from theory.closed_forms import Brownian, FirstPassageLaw, Interval, OrnsteinUhlenbeck, RunAndTumble, Sphere

LAWS = {
    "free": Brownian(diffusion=0.5, start=1.0, target=-1.0),
    "towards": Brownian(drift=0.7, target=2.0),
    "away": Brownian(drift=-0.4, target=1.0),
    "interval": Interval(diffusion=2.0, start=0.3, target=1.0),
    "interval near": Interval(start=-0.9, target=-1.0, wall=0.5),
    "harmonic": OrnsteinUhlenbeck(theta=2.0, diffusion=0.5, start=0.2, target=0.9),
    "harmonic high": OrnsteinUhlenbeck(start=3.0, target=-2.5),
    "disc": Sphere(dimension=2, start=0.4, target=1.0),
    "outside disc": Sphere(dimension=2, start=2.0, target=1.0),
    "outside ball": Sphere(dimension=3, start=1.5, target=1.0),
}
FINITE = [name for name, law in LAWS.items() if np.isfinite(law.mfpt())]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)

every_law = pytest.mark.parametrize("name", LAWS)


def scale(law):
    return law._reach() ** 2


def integral(function, low, high):
    """Integral by Gauss-Legendre quadrature on panels of equal ratio."""
    edges = np.geomspace(low, high, 2 + int(1.6 * np.log(high / low)))
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half * (NODES + 1)).ravel()
    return float(function(x) @ (half * WEIGHTS).ravel())


@every_law
def test_survival_is_one_less_the_integral_of_the_density(name):
    law = LAWS[name]
    for low, high in ((0.02, 0.1), (0.1, 1.0), (1.0, 20.0)):
        low, high = low * scale(law), high * scale(law)
        lost = law.survival(low) - law.survival(high)
        gained = np.exp(law.log_cdf(high)) - np.exp(law.log_cdf(low))
        exact = integral(law.density, low, high)
        assert (lost if law.survival(high) < 0.5 else gained) == pytest.approx(exact, rel=1e-10, abs=0)


def other(law):
    """Return the same law with a diffusion coefficient 1 % larger."""
    changed = {field: getattr(law, field) for field in law.__dataclass_fields__}
    return type(law)(**(changed | {"diffusion": 1.01 * law.diffusion}))


@every_law
def test_transform_is_the_integral_of_the_density(name):
    law = LAWS[name]
    for s in np.array([0.1, 1.0, 10.0]) / scale(law):
        exact = integral(lambda t, s=s: np.exp(-s * t) * law.density(t), 3e-4 * scale(law), 50 / s)
        assert law.laplace(s) == pytest.approx(exact, rel=1e-11, abs=0)
        assert other(law).laplace(s) != pytest.approx(exact, rel=1e-5, abs=0)


@every_law
def test_restricted_mean_is_the_integral_of_the_survival(name):
    law = LAWS[name]
    for period in np.array([0.03, 1.0, 1e3]) * scale(law):
        exact = integral(law.survival, 1e-3 * period, period)
        early = integral(lambda t: np.exp(law.log_cdf(t)), 1e-9 * period, 1e-3 * period)
        assert law.restricted_mean(period) == pytest.approx(exact + 1e-3 * period - early, rel=1e-11, abs=0)
    assert law.restricted_mean(np.inf) == law.mfpt()


@every_law
def test_closed_forms_agree_with_the_inversion_in_both_tails(name):
    law = LAWS[name]
    t = scale(law) * np.geomspace(1e-3, 300, 30)
    for own, inverted in zip(law._log_tails(t), FirstPassageLaw._log_tails(law, t), strict=True):
        # In logarithms, of which the largest are near -1000: relative errors of the probabilities.
        np.testing.assert_allclose(inverted, own, rtol=1e-11, atol=1e-11)
    density = FirstPassageLaw._density(law, t)
    # Where the target can be missed the edge is not used, and the far density is lost.
    np.testing.assert_allclose(density[:26], law._density(t)[:26], rtol=1e-9, atol=1e-290)
    wrong = other(law)._log_tails(t)[0]
    assert np.abs(wrong - law._log_tails(t)[0]).max() > 1e-3


@pytest.mark.parametrize("name", FINITE)
def test_moments_are_the_derivatives_of_the_transform(name):
    law = LAWS[name]
    mean, second = law.mfpt(), law.second_moment()
    s = np.array([1e-4, 2e-4]) / (second / mean)
    # By Richardson's extrapolation: ln T~ = -s mean + s^2 var / 2 - O(s^3).
    slope = -law.log_laplace(s) / s
    assert 2 * slope[0] - slope[1] == pytest.approx(mean, rel=1e-7)
    assert (slope[0] - slope[1]) / (s[1] - s[0]) == pytest.approx((second - mean**2) / 2, rel=3e-3, abs=1e-9)
    assert law.mfpt_poisson(1e-15 / mean) == pytest.approx(mean, rel=1e-12)
    assert law.mfpt_sharp(1e4 * mean) == pytest.approx(mean, rel=1e-12)
    assert law.cv() ** 2 == pytest.approx(second / mean**2 - 1, rel=1e-12)


@every_law
def test_sharp_resetting_is_the_integral_of_its_survival(name):
    law = LAWS[name]
    period = 0.7 * scale(law)
    alive = float(law.survival(period))
    cycles = int(np.log(1e-14) / np.log(alive)) + 1
    if cycles < 400:
        steps = integral(lambda u: law.survival_sharp(u + 3 * period, period), 1e-6 * period, period)
        assert steps == pytest.approx(alive**3 * law.restricted_mean(period), rel=1e-5)
        assert steps / alive**3 / (1 - alive) == pytest.approx(law.mfpt_sharp(period), rel=1e-5)
    edge = law.survival_sharp(np.array([0.0, period, 2 * period, 2.5 * period]), period)
    np.testing.assert_allclose(edge, [1, alive, alive**2, alive**2 * law.survival(period / 2)], rtol=1e-12)


@every_law
def test_the_best_rate_and_period_are_minima(name):
    law = LAWS[name]
    rate, period = law.optimal_rate(), law.optimal_period()
    if rate > 0:
        near = law.mfpt_poisson(rate * np.array([0.99, 1.0, 1.01]))
        assert near[1] < min(near[0], near[2], law.mfpt())
        found = optimize.minimize_scalar(
            law.log_mfpt_poisson, bounds=(0.5 * rate, 2 * rate), method="bounded"
        )
        assert found.x == pytest.approx(rate, rel=1e-4)
    else:
        rates = np.geomspace(1e-9, 1e4, 60) / scale(law)
        assert (law.mfpt_poisson(rates) > law.mfpt() * (1 - 1e-12)).all() and not law.resetting_helps()
    if np.isfinite(period):
        near = law.mfpt_sharp(period * np.array([0.99, 1.0, 1.01]))
        assert near[1] < min(near[0], near[2], law.mfpt())
        # No other renewal law beats the best sharp period.
        assert rate == 0 or near[1] < law.mfpt_poisson(rate)
    else:
        periods = np.geomspace(1e-2, 1e5, 60) * scale(law)
        assert (law.mfpt_sharp(periods) > law.mfpt() * (1 - 1e-9)).all()


@every_law
def test_the_ends_of_every_range(name):
    law = LAWS[name]
    unit = scale(law)
    far = law.log_mfpt_poisson((np.array([1.0, 10.0, 700.0, 1e5]) / law._reach()) ** 2)
    assert np.isfinite(far).all() and (np.diff(far) > 0).all()
    # In the leading order ln T~ = -reach sqrt(s).
    assert far[2] == pytest.approx(700 - np.log((700 / law._reach()) ** 2), rel=0.02)
    assert np.isfinite(law.mfpt_poisson(1e-300 / unit)) or not np.isfinite(law.mfpt())
    short = np.array([1e-12, 1e-5, 1e-3]) * unit
    assert np.isfinite(law.log_mfpt_sharp(short)).all() and law.mfpt_sharp(short[0]) == np.inf
    assert law.log_mfpt_sharp(short) == pytest.approx(0.25 * unit / short, rel=0.1)
    assert np.isfinite(law.log_mfpt_sharp(np.array([1e6, 1e12]) * unit)).all()
    assert law.survival(0.0) == 1 and law.density(0.0) == 0 and law.restricted_mean(0.0) == 0
    assert law.survival(np.inf) == pytest.approx(1 - law.laplace(0.0), abs=1e-15)
    assert law.survival(1e-9 * unit) == 1 and law.log_cdf(1e-9 * unit) < -1e8
    assert 0 <= law.survival(1e9 * unit) < 1 and law.density(1e9 * unit) >= 0


@every_law
def test_shapes_and_read_only_parameters(name):
    law = LAWS[name]
    t = np.array([[0.1, 1.0, 2.0], [3.0, 4.0, np.inf]]) * scale(law)
    for method in ("log_survival", "log_cdf", "density", "restricted_mean"):
        values = getattr(law, method)(t)
        assert values.shape == t.shape
        assert isinstance(getattr(law, method)(float(t[0, 1])), float)
        assert getattr(law, method)(t[0, 1]) == pytest.approx(values[0, 1], rel=1e-11)
    for method in ("laplace", "log_laplace", "mfpt_poisson", "log_mfpt_poisson"):
        assert getattr(law, method)(t[:, :2]).shape == (2, 2)
        assert isinstance(getattr(law, method)(1.0), float)
    with pytest.raises(AttributeError):
        law.diffusion = 2.0


@pytest.mark.parametrize(
    ("method", "argument", "message"),
    [
        ("survival", -1.0, "`t` must not be negative, got -1.0"),
        ("density", np.nan, "`t` must not be negative, got nan"),
        ("laplace", -0.5, "`s` must not be negative, got -0.5"),
        ("laplace", np.inf, "`s` must be finite, got inf"),
        ("restricted_mean", -1.0, "`period` must not be negative"),
        ("mfpt_poisson", 0.0, "`rate` must be positive, got 0.0"),
        ("mfpt_poisson", [1.0, np.nan], "`rate` must be positive, got nan"),
        ("log_mfpt_poisson", np.inf, "`rate` must be finite"),
        ("mfpt_sharp", 0.0, "`period` must be positive, got 0.0"),
        ("log_mfpt_sharp", -2.0, "`period` must be positive, got -2.0"),
    ],
)
def test_errors_of_the_functions(method, argument, message):
    with pytest.raises(ValueError, match=message):
        getattr(LAWS["free"], method)(argument)


def test_error_of_the_sharp_survival():
    with pytest.raises(ValueError, match="`period` must be positive"):
        LAWS["free"].survival_sharp(1.0, 0.0)


@pytest.mark.parametrize("period", [0.1, 0.3, 0.7])
def test_at_multiples_of_the_period_the_cycle_is_complete(period):
    # Of this law a part arrives at one instant, so that one cycle more or less is seen.
    law = RunAndTumble(speed=1 / period, tumble_rate=1, target=1)
    cycles = np.arange(1, 40)
    np.testing.assert_allclose(
        law.survival_sharp(cycles * period, period), law.survival(period) ** cycles, rtol=1e-12
    )
    assert law.survival(period) < law.survival(0.999 * period) - 0.1


@every_law
def test_sharp_survival_at_the_ends(name):
    law = LAWS[name]
    assert law.survival_sharp(np.inf, scale(law)) == 0
    assert law.survival_sharp([0.5, 2.0], np.inf).tolist() == law.survival([0.5, 2.0]).tolist()
    mixed = law.survival_sharp([1.0, np.inf, 0.0], scale(law))
    assert mixed[0] == law.survival_sharp(1.0, scale(law)) and mixed[1:].tolist() == [0, 1]
