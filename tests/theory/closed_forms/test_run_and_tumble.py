"""Run-and-tumble motion against the integral over the cut, quadrature of the density and the backward equations."""

import mpmath
import numpy as np
import pytest
from scipy import integrate, linalg

from theory.closed_forms import Brownian, RunAndTumble

CASES = [(1.0, 1.0, 1.0), (2.0, 0.3, -1.0), (0.5, 4.0, 2.0), (1.0, 0.01, 3.0), (3.0, 30.0, 5.0)]


def made(case):
    speed, rate, target = case
    return RunAndTumble(speed=speed, tumble_rate=rate, target=target)


def over_the_cut(case, t):
    """Survival and its logarithm's error-free digits, from the discontinuity of T~ on -2g < s < 0, s = -2g sin^2."""
    speed, rate, target = case
    with mpmath.workdps(40):
        g, a, t = mpmath.mpf(rate), abs(mpmath.mpf(target)) / speed, mpmath.mpf(t)
        # Periodic and entire: the midpoint rule converges faster than geometrically.
        points = 400 + int(20 * g * a) + int(8 * mpmath.sqrt(g * t)) + int(min(4 * g * t, 2000))
        total = mpmath.mpf(0)
        for k in range(points):
            f = mpmath.pi * (k + mpmath.mpf("0.5")) / (2 * points)
            sine = mpmath.sin(f)
            phase = mpmath.sin(f + g * a * mpmath.sin(2 * f))
            total += mpmath.exp(-2 * g * t * sine**2) * mpmath.cos(f) ** 2 * phase / sine
        survival = total / points
        return float(mpmath.log(1 - survival)), float(mpmath.log(survival))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("factor", [1.0 + 1e-9, 1.01, 1.5, 1.999, 2.0, 5.0, 40.0])
def test_tails_against_the_integral_over_the_cut(case, factor):
    law = made(case)
    t = factor * abs(law.target) / law.speed
    log_cdf, log_survival = over_the_cut(case, t)
    assert law.log_cdf(t) == pytest.approx(log_cdf, abs=1e-11)
    assert law.log_survival(t) == pytest.approx(log_survival, abs=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_tails_show_a_wrong_rate(case):
    speed, rate, target = case
    log_survival = over_the_cut(case, 5 * abs(target) / speed)[1]
    wrong = made((speed, 1.01 * rate, target)).log_survival(5 * abs(target) / speed)
    assert wrong != pytest.approx(log_survival, abs=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_density_and_restricted_mean_by_quadrature(case):
    law = made(case)
    first = abs(law.target) / law.speed
    for end in (1.3 * first, 2.0 * first, 9.0 * first):
        arrived = integrate.quad(law.density, first, end, epsabs=0, epsrel=1e-11, limit=400)[0]
        assert law.ballistic() + arrived == pytest.approx(np.exp(law.log_cdf(end)), rel=1e-9)
        lived = integrate.quad(law.survival, first, end, epsabs=0, epsrel=1e-11, limit=400)[0]
        assert law.restricted_mean(end) == pytest.approx(first + lived, rel=1e-10)
        mean = (first + lived) / (law.ballistic() + arrived)
        assert law.mfpt_sharp(end) == pytest.approx(mean, rel=1e-8)
        wrong = made((1.01 * case[0], *case[1:]))
        assert wrong.mfpt_sharp(end) != pytest.approx(mean, rel=1e-3)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("rate", [0.02, 0.4, 3.0])
def test_laplace_transform_by_quadrature(case, rate):
    law = made(case)
    first = abs(law.target) / law.speed
    atom = law.ballistic() * np.exp(-rate * first)
    end = first + 60 / rate
    pieces = [first, *np.geomspace(first * 1.05, end, 12)] if end > 1.05 * first else [first, end]
    rest = sum(
        integrate.quad(lambda t: law.density(t) * np.exp(-rate * t), a, b, epsabs=0, epsrel=1e-11)[0]
        for a, b in zip(pieces[:-1], pieces[1:], strict=True)
    )
    assert law.laplace(rate) == pytest.approx(atom + rest, rel=1e-9)
    mean = (1 - atom - rest) / (rate * (atom + rest))
    assert law.mfpt_poisson(rate) == pytest.approx(mean, rel=1e-8)
    assert made((case[0], 1.01 * case[1], case[2])).mfpt_poisson(rate) != pytest.approx(mean, rel=1e-6)


def test_laplace_transform_against_the_backward_equations():
    speed, g, s, length, far = 1.3, 0.7, 0.2, 1.5, 30.0
    # d(T+, T-)/dL as a matrix; T+(0) = 1, and the growing solution is absent far away.
    flow = np.array([[-(s + g), g], [-g, s + g]]) / speed
    whole = linalg.expm(flow * far)
    away = -whole[1, 0] / whole[1, 1]
    expected = (linalg.expm(flow * length) @ [1.0, away]).mean()
    law = RunAndTumble(speed=speed, tumble_rate=g, target=length)
    assert law.laplace(s) == pytest.approx(expected, rel=1e-7)
    assert RunAndTumble(speed=1.01 * speed, tumble_rate=g, target=length).laplace(s) != pytest.approx(
        expected, rel=1e-3
    )


def test_atom_and_limits():
    law = RunAndTumble(speed=2.0, tumble_rate=0.5, start=3.0, target=1.0)
    atom = np.exp(-0.5) / 2
    assert law.ballistic() == pytest.approx(atom)
    assert law.survival([0.0, 0.5, 0.9999999]).tolist() == [1, 1, 1]
    assert law.survival(1.0) == pytest.approx(1 - atom) == pytest.approx(law.survival(1 + 1e-12))
    assert law.density([0.3, 0.99]).tolist() == [0, 0]
    assert law.density(1.0) == pytest.approx(atom * 0.5 * 1.5 / 2)
    assert law.restricted_mean([0.7, 1.0]) == pytest.approx([0.7, 1.0])
    assert law.mfpt_sharp(0.9) == np.inf and law.mfpt_sharp(1.0) == pytest.approx(1 / atom)
    assert law.mfpt() == law.second_moment() == np.inf and law.cv() == np.inf and law.resetting_helps()
    assert law.survival(np.inf) == 0 and isinstance(law.survival(2.0), float)
    # At late times (1 + 2 g a) / sqrt(2 pi g t).
    assert law.survival(1e12) == pytest.approx(2 / np.sqrt(2 * np.pi * 0.5e12), rel=1e-9)
    assert law.restricted_mean(1e12) == pytest.approx(4 * np.sqrt(1e12 / (np.pi)), rel=1e-5)


def test_straight_runs_and_the_limit_of_diffusion():
    straight = RunAndTumble(speed=2.0, tumble_rate=0.0, target=2.0)
    np.testing.assert_allclose(straight.survival([0.5, 1.0, 1.5, 9.0]), [1, 0.5, 0.5, 0.5], rtol=1e-12)
    assert straight.laplace([0.0, 1.0]) == pytest.approx([0.5, np.exp(-1) / 2])
    assert straight.restricted_mean(3.0) == pytest.approx(2.0)
    assert straight.optimal_period() == 1.0 and straight.mfpt_sharp(1.0) == pytest.approx(2.0)
    fast = RunAndTumble(speed=1e3, tumble_rate=5e5, target=1.0)
    line = Brownian(diffusion=1.0, target=1.0)
    np.testing.assert_allclose(
        fast.survival([0.02, 0.1, 1, 10]), line.survival([0.02, 0.1, 1, 10]), rtol=5e-3
    )
    assert fast.optimal_rate() == pytest.approx(line.optimal_rate(), rel=5e-3)
    assert fast.optimal_period() == pytest.approx(line.optimal_period(), rel=5e-3)


@pytest.mark.parametrize("case", CASES)
def test_best_rate_and_period(case):
    law = made(case)
    first = abs(law.target) / law.speed
    periods = np.append(first, first + law._reach() ** 2 * np.geomspace(1e-6, 1e3, 1500))
    assert law.mfpt_sharp(law.optimal_period()) <= law.mfpt_sharp(periods).min() * (1 + 1e-9)
    rates = np.geomspace(1e-4, 1e3, 1500) / law._reach() ** 2
    assert law.mfpt_poisson(law.optimal_rate()) <= law.mfpt_poisson(rates).min() * (1 + 1e-9)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: RunAndTumble(speed=0.0), "`speed` must be positive, got 0.0"),
        (lambda: RunAndTumble(tumble_rate=-1.0), "`tumble_rate` must not be negative, got -1.0"),
        (lambda: RunAndTumble(tumble_rate=np.inf), "`tumble_rate` must be a finite number"),
        (lambda: RunAndTumble(target=0.0), "`start` must differ from `target`"),
        (lambda: RunAndTumble().survival(-1.0), "`t` must not be negative"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
