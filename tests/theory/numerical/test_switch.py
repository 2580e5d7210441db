"""A switch of the potential against the solution of its differential equations."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import invgauss

from theory.numerical import AffineMap, FokkerPlanck, SwitchPotential, richardson

D, V, B, START, TARGET = 1.0, 1.0, 9.0, 1.5, 0.5


def linear(cells=400, target=0.0, start=1.0, wall=None):
    return FokkerPlanck(
        potential=lambda x: V * x, diffusion=D, target=target, start=start, cells=cells, wall=wall
    )


def logarithmic(strength=B, target=TARGET, wall=None):
    return FokkerPlanck(
        potential=lambda x: strength * np.log(x),
        diffusion=D,
        target=target,
        start=START,
        cells=400,
        wall=wall,
    )


def exact_poisson(rate, strength=B):
    """Solves D m'' - V m' - r m = -1 - r c (x^2 - a^2), with c (x^2 - a^2) the mean in the logarithm."""
    c = 1 / (2 * (strength - D))
    slope = -2 * V * c / rate
    constant = (1 + 2 * D * c - V * slope) / rate - c * TARGET**2
    alpha = (np.sqrt(V**2 + 4 * D * rate) - V) / (2 * D)
    at = [c * x**2 + slope * x + constant for x in (START, TARGET)]
    return at[0] - at[1] * np.exp(-alpha * (START - TARGET))


def test_mean_in_the_logarithmic_potential():
    value = richardson(logarithmic(wall=20.0).with_cells(1600), lambda p: p.chain.mfpt()).value
    assert value == pytest.approx((START**2 - TARGET**2) / (2 * (B - D)), rel=1e-6)


def test_a_force_that_diverges_at_the_target_costs_accuracy():
    problem, exact = logarithmic(target=0.0, wall=20.0), START**2 / (2 * (B - D))
    errors = [abs(problem.with_cells(n).chain.mfpt() / exact - 1) for n in (400, 1600)]
    assert 1.5 < np.log2(errors[0] / errors[1]) / 2 < 2 and errors[1] < 1e-3


@pytest.mark.parametrize("rate", [0.3, 3.0])
def test_linear_to_logarithmic_at_poisson_rate(rate):
    before = linear(1200, TARGET, START, 26.0)
    result = richardson(before, lambda p: SwitchPotential(p, logarithmic()).mfpt_poisson(rate))
    assert result.value == pytest.approx(exact_poisson(rate), rel=1e-6)
    assert result.order == pytest.approx(2, abs=0.2)
    assert result.value != pytest.approx(exact_poisson(1.01 * rate), rel=1e-4)
    assert result.value != pytest.approx(exact_poisson(rate, 1.01 * B), rel=1e-5)


def test_switch_at_a_fixed_time_between_slopes():
    # After the switch to slope 4 the mean is x / 4; <x> before it is linear in time minus what is absorbed.
    steep = FokkerPlanck(potential=lambda x: 4 * x, diffusion=D, target=0.0, start=1.0)
    law = invgauss(mu=1 / 0.5, scale=0.5)
    time = 0.6

    def position(x):
        image = np.exp(-((x - 1.0 + V * time) ** 2) / (4 * D * time)) - np.exp(V / D) * np.exp(
            -((x + 1.0 + V * time) ** 2) / (4 * D * time)
        )
        return x * image / np.sqrt(4 * np.pi * D * time)

    far = quad(position, 0, 12, epsabs=1e-13)[0]
    exact = quad(law.sf, 0, time, epsabs=1e-13)[0] + far / 4
    result = richardson(linear(400, wall=11.0), lambda p: SwitchPotential(p, steep).mfpt_once(time))
    assert result.value == pytest.approx(exact, rel=1e-6)
    tau = richardson(linear(400, wall=11.0), lambda p: SwitchPotential(p, steep).tau(time))
    assert tau.value == pytest.approx(far / 4 / law.sf(time), rel=1e-6)


def test_limits():
    problem = linear(wall=20.0)
    switch = SwitchPotential(problem, logarithmic(target=0.0))
    assert switch.mfpt_poisson(0.0) == problem.chain.mfpt()
    assert switch.mfpt_poisson(1e-10) == pytest.approx(problem.chain.mfpt(), rel=1e-8)
    assert switch.mfpt_once(1e3) == pytest.approx(problem.chain.mfpt(), rel=1e-9)
    same = SwitchPotential(problem, linear())
    assert same.mfpt_once(0.4) == pytest.approx(problem.chain.mfpt(), rel=1e-12)
    assert same.mfpt_poisson(2.0) == pytest.approx(problem.chain.mfpt(), rel=1e-12)
    kicked = SwitchPotential(problem, linear(), AffineMap(0.5))
    assert kicked.mfpt_once(0.4) == pytest.approx(
        problem.chain.mfpt_once(0.4, problem.kernel(AffineMap(0.5))), rel=1e-12
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: SwitchPotential(
                linear(), FokkerPlanck(potential=lambda x: -x, diffusion=1.0, target=2.0, start=1.0, wall=0.0)
            ),
            "`after` must have its target on the same side",
        ),
        (
            lambda: SwitchPotential(
                linear(), FokkerPlanck(potential=lambda x: x, diffusion=1.0, target=-1.0, start=1.0)
            ),
            "`after` must have the target of `before`, 0.0, got -1.0",
        ),
        (
            lambda: SwitchPotential(linear(), linear()).mfpt_poisson(-1),
            "`rate` must be a non-negative number",
        ),
        (
            lambda: SwitchPotential(linear(), linear()).mfpt_once(np.nan),
            "`time` must be a non-negative number",
        ),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
