"""Diffusion with a reflecting wall against its two series in many digits."""

import mpmath
import numpy as np
import pytest

from theory.closed_forms import Interval


def log_tails(t, gap):
    """Logarithms of Pr(T <= t) and Pr(T > t) for width and diffusion 1, from the first terms of either series."""
    with mpmath.workdps(150):
        t, d = mpmath.mpf(t), mpmath.mpf(gap)
        if t < 1:
            root = 2 * mpmath.sqrt(t)
            images = [
                mpmath.erfc((2 * n + d) / root) + mpmath.erfc((2 * n + 2 - d) / root) for n in range(12)
            ]
            cdf = sum((-1) ** n * image for n, image in enumerate(images))
            survival = 1 - cdf
        else:
            k = [(n + mpmath.mpf(1) / 2) * mpmath.pi for n in range(40)]
            survival = sum(2 / q * mpmath.sin(q * d) * mpmath.exp(-q * q * t) for q in k)
            cdf = 1 - survival
        return float(mpmath.log(cdf)), float(mpmath.log(survival))


@pytest.mark.parametrize("gap", [1.0, 0.5, 0.125, 2.0**-20])
def test_both_tails_to_the_last_digits(gap):
    law = Interval(diffusion=0.5, start=3.0 - 3 * gap, target=3.0)
    wrong = Interval(diffusion=0.505, start=3.0 - 3 * gap, target=3.0)
    # Time in units of width^2 / diffusion; the series change at 0.25.
    for t in (4e-3 * gap**2, 0.01, 0.1, 0.249, 0.25, 0.251, 0.9, 3.0, 200.0):
        exact = log_tails(t, gap)
        found = float(law.log_cdf(18 * t)), float(law.log_survival(18 * t))
        for value, target in zip(found, exact, strict=True):
            assert value == pytest.approx(target, abs=2e-11 if gap < 1e-3 else 1e-12, rel=1e-15)
        assert abs(wrong.log_cdf(18 * t) - exact[0]) + abs(wrong.log_survival(18 * t) - exact[1]) > 1e-4


@pytest.mark.parametrize("start", [0.0, 0.3, 0.999999])
@pytest.mark.parametrize("s", [1e-200, 1e-9, 0.4, 3.0, 4.9e5, 1e12])
def test_transform_keeps_its_relative_accuracy(start, s):
    law = Interval(start=-start, target=-1.0)
    with mpmath.workdps(450):
        q = mpmath.sqrt(mpmath.mpf(s))
        exact = mpmath.log(mpmath.cosh(q * mpmath.mpf(start)) / mpmath.cosh(q))
        mean = (mpmath.exp(-exact) - 1) / mpmath.mpf(s)
        log_mean = mpmath.log(mean)
    # 1 - 0.999999 is what a float can say about the gap.
    digits = 1e-9 if start > 0.9 else 1e-13
    assert law.log_laplace(s) == pytest.approx(float(exact), rel=digits, abs=0)
    assert law.log_mfpt_poisson(s) == pytest.approx(float(log_mean), rel=digits)
    assert Interval(diffusion=1.01, start=start).log_laplace(s) != pytest.approx(
        float(exact), rel=1e-3, abs=0
    )


def test_moments_rate_and_the_side_of_the_wall():
    law = Interval(diffusion=2.0, start=1.5, target=-1.0, wall=2.0)
    mirrored = Interval(diffusion=2.0, start=-1.5, target=1.0, wall=-2.0)
    assert law.mfpt() == mirrored.mfpt() == (9 - 0.25) / 4
    assert law.second_moment() == pytest.approx(law.mfpt() ** 2 + (81 - 0.0625) / 24)
    assert law.decay_rate() == pytest.approx(2 * (np.pi / 6) ** 2)
    # The hazard of the quasi-steady state.
    assert law.density(30.0) / law.survival(30.0) == pytest.approx(law.decay_rate(), rel=1e-12)
    # CV = 1 at start / width = 1 / sqrt(5).
    assert Interval(start=0.4471).cv() < 1 < Interval(start=0.4473).cv()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"diffusion": 0.0}, "`diffusion` must be positive"),
        ({"start": 1.5}, "`start` must lie between `wall` and `target`, got 1.5 outside 0.0 to 1.0; move it"),
        ({"target": -1.0, "start": 0.5}, "`start` must lie between `wall` and `target`"),
        ({"wall": 1.0}, "`target` must differ from `wall`"),
        ({"start": 1.0}, "`start` must differ from `target`"),
        ({"wall": np.nan}, "`wall` must be a finite number"),
    ],
)
def test_errors(parameters, message):
    with pytest.raises(ValueError, match=message):
        Interval(**parameters)
