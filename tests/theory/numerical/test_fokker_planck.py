"""Langevin motion on a grid against closed forms, and the order in which it approaches them."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from theory.numerical import AffineMap, FokkerPlanck, informed, richardson

LEVEL = 1e-6
"""Relative accuracy of an extrapolated result."""


def free(x):
    return 0 * x


def brownian(v=1.0, d=0.5, target=1.0, cells=240, wall=-11.0):
    return FokkerPlanck(
        drift=lambda x: 0 * x + v, diffusion=d, target=target, start=0.0, cells=cells, wall=wall
    )


def inverse_gaussian(v=1.0, d=0.5, length=1.0):
    shape = length**2 / (2 * d)
    return stats.invgauss(mu=length / v / shape, scale=shape)


def poisson_mean(rate, v=1.0, d=0.5, length=1.0):
    alpha = (np.sqrt(v**2 + 4 * d * rate) - v) / (2 * d)
    return (np.exp(alpha * length) - 1) / rate


def sharp_mean(law, period):
    return quad(law.sf, 0, period, epsabs=1e-13)[0] / law.cdf(period)


RESET = AffineMap(0.0, 0.0)
BOX = FokkerPlanck(drift=free, diffusion=1.0, target=1.0, start=0.37, wall=0.0, cells=128)
OU = FokkerPlanck(drift=lambda x: -x, diffusion=1.0, target=2.0, start=0.0, cells=300)


def ou_mean(target):
    """(1/D) int_0^target e^{x^2/2} int_{-inf}^x e^{-z^2/2}, by quadrature."""
    return quad(
        lambda x: np.exp(x**2 / 2) * np.sqrt(2 * np.pi) * stats.norm.cdf(x),
        0,
        target,
        epsrel=1e-13,
        limit=200,
    )[0]


@pytest.mark.parametrize("rate", [0.2, 2.0])
def test_brownian_motion_with_drift_under_poisson_resetting(rate):
    result = richardson(brownian(), lambda p: p.chain.mfpt_poisson(rate, p.kernel(RESET)))
    assert result.value == pytest.approx(poisson_mean(rate), rel=LEVEL)
    assert result.order == pytest.approx(2, abs=0.1)
    assert abs(result.value - poisson_mean(rate)) < result.error < 1e-3
    assert result.value != pytest.approx(poisson_mean(1.01 * rate), rel=2e-5)
    assert result.value != pytest.approx(poisson_mean(rate, d=0.505), rel=1e-4)


@pytest.mark.parametrize("period", [0.7, 2.0])
def test_brownian_motion_with_drift_under_sharp_resetting(period):
    law = inverse_gaussian()
    result = richardson(brownian(), lambda p: p.chain.mfpt_periodic(period, p.kernel(RESET)))
    assert result.value == pytest.approx(sharp_mean(law, period), rel=LEVEL)
    assert result.value != pytest.approx(sharp_mean(law, 1.01 * period), rel=1e-4)


def test_inverse_gaussian_law():
    law, problem = inverse_gaussian(), brownian()
    assert richardson(problem, lambda p: p.chain.mfpt()).value == pytest.approx(1.0, rel=LEVEL)
    second = richardson(problem, lambda p: p.chain.second_moment())
    assert second.value == pytest.approx(law.var() + 1, rel=LEVEL)
    for t in (0.3, 1.0, 4.0):
        assert richardson(problem, lambda p, t=t: p.chain.survival(t)).value == pytest.approx(
            law.sf(t), abs=LEVEL
        )
        assert richardson(problem, lambda p, t=t: p.chain.density(t)).value == pytest.approx(
            law.pdf(t), abs=5e-6
        )


def test_a_drift_of_a_hundred_peclet():
    # The stationary weights span e^100: no eigenvector survives that.
    law = inverse_gaussian(d=0.01)
    problem = brownian(d=0.01, cells=300, wall=-0.2)
    assert richardson(problem, lambda p: p.chain.survival(1.1)).value == pytest.approx(law.sf(1.1), rel=1e-4)


@pytest.mark.parametrize("start", [0.05, 0.37, 0.9])
def test_reflecting_interval(start):
    problem = FokkerPlanck(drift=free, diffusion=1.0, target=1.0, start=start, wall=0.0, cells=128)
    transform = np.cosh(start * np.sqrt(2)) / np.cosh(np.sqrt(2))
    for quantity, exact in (
        (lambda p: p.chain.laplace(2.0), transform),
        (lambda p: p.chain.mfpt_poisson(2.0, p.kernel(AffineMap(0.0, start))), (1 / transform - 1) / 2),
        (lambda p: p.chain.mfpt(), (1 - start**2) / 2),
        (lambda p: p.chain.second_moment(), (5 - 6 * start**2 + start**4) / 12),
    ):
        assert richardson(problem, quantity).value == pytest.approx(exact, rel=1e-7)


def box_survival(t, start):
    k = (np.arange(200) + 0.5) * np.pi
    return float(np.sum(2 * (-1.0) ** np.arange(200) / k * np.cos(k * start) * np.exp(-(k**2) * t)))


TILTED = FokkerPlanck(drift=lambda x: 0 * x - 1, diffusion=1.0, target=1.0, start=0.37, wall=0.0)
CONVERGING = {
    "mean": (lambda p: TILTED.with_cells(p.cells).chain.mfpt(), np.e - np.exp(0.37) - 1 + 0.37),
    "second moment": (lambda p: p.chain.second_moment(), (5 - 6 * 0.37**2 + 0.37**4) / 12),
    "survival": (lambda p: p.chain.survival(0.2), box_survival(0.2, 0.37)),
    "rate": (lambda p: p.chain.quasi_steady_state().rate, np.pi**2 / 4),
    "relaxation": (lambda p: p.chain.quasi_steady_state().relaxation_time, 1 / (2 * np.pi**2)),
    "poisson": (
        lambda p: p.chain.mfpt_poisson(2.0, p.kernel(AffineMap(0.0, 0.37))),
        (np.cosh(np.sqrt(2)) / np.cosh(0.37 * np.sqrt(2)) - 1) / 2,
    ),
    "periodic": (
        lambda p: p.chain.mfpt_periodic(0.2, p.kernel(AffineMap(0.0, 0.37))),
        quad(box_survival, 0, 0.2, args=(0.37,), epsabs=1e-12)[0] / (1 - box_survival(0.2, 0.37)),
    ),
}


@pytest.mark.parametrize("name", CONVERGING)
def test_convergence_is_of_second_order(name):
    quantity, exact = CONVERGING[name]
    errors = [abs(quantity(BOX.with_cells(n)) - exact) for n in (32, 64, 128)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 2, atol=0.05)


@pytest.mark.parametrize(
    "perturbation", [AffineMap(0.4, 0.1, 0.2), AffineMap(0.63, 0.0), AffineMap(1.0, 0.3)]
)
def test_maps_converge_in_second_order(perturbation):
    for quantity in (
        lambda p: p.chain.mfpt_poisson(2.0, p.kernel(perturbation)),
        lambda p: p.chain.mfpt_periodic(0.2, p.kernel(perturbation)),
    ):
        exact = richardson(BOX.with_cells(256), quantity).value
        errors = [abs(quantity(BOX.with_cells(n)) - exact) for n in (16, 256)]
        assert np.log2(errors[0] / errors[1]) / 4 == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("perturbation", [AffineMap(0.5), AffineMap(0.7, -0.3)])
def test_maps_without_noise_extrapolate(perturbation):
    """Wherever the images lie in their cells, if not at an end: where shares follow, the order wanders to 2.6."""
    problem = brownian(v=0.0, wall=-12.5)
    found = [
        richardson(problem.with_cells(n), lambda p: p.chain.mfpt_poisson(1.0, p.kernel(perturbation)))
        for n in (240, 400)
    ]
    assert [result.order for result in found] == pytest.approx([2, 2], abs=0.05)
    assert found[0].value == pytest.approx(found[1].value, rel=3e-6)


def test_the_start_is_of_second_order_anywhere_in_its_cell():
    for start in np.linspace(0.3, 0.35, 7):
        problem = FokkerPlanck(drift=free, diffusion=1.0, target=1.0, start=start, wall=0.0, cells=40)
        assert problem.chain.mfpt() == pytest.approx((1 - start**2) / 2, abs=0.3 * (1 / 40) ** 2)


def test_ornstein_uhlenbeck_mean():
    result = richardson(OU, lambda p: p.chain.mfpt())
    assert result.value == pytest.approx(ou_mean(2.0), rel=LEVEL)
    assert result.value != pytest.approx(ou_mean(2.0 * 1.01), rel=1e-3)
    potential = FokkerPlanck(potential=lambda x: x**2 / 2, diffusion=1.0, target=2.0, start=0.0, cells=300)
    assert potential.wall == pytest.approx(OU.wall)
    assert potential.chain.mfpt() == pytest.approx(OU.chain.mfpt(), rel=1e-11)
    mirrored = FokkerPlanck(drift=lambda x: -x, diffusion=1.0, target=-2.0, start=0.0, cells=300)
    assert mirrored.chain.mfpt() == pytest.approx(OU.chain.mfpt(), rel=1e-11)


def test_a_passage_of_1e12_relaxation_times():
    deep = FokkerPlanck(drift=lambda x: -x, diffusion=1.0, target=7.6, start=0.0, cells=400)
    result = richardson(deep, lambda p: p.chain.mfpt())
    assert result.value == pytest.approx(ou_mean(7.6), rel=1e-5) and result.value > 1e12
    mean, identity = deep.chain.mfpt(), np.eye(400)
    assert deep.chain.mfpt_periodic(1.0, identity) == pytest.approx(mean, rel=1e-10)
    assert deep.chain.mfpt_poisson(1.0, identity) == pytest.approx(mean, rel=1e-10)
    mode = deep.chain.quasi_steady_state()
    assert mode.rate * mean == pytest.approx(1, rel=1e-8)
    assert mode.relaxation_time == pytest.approx(1, rel=1e-3)
    # In a quasi-steady state perturbing by K every P leaves both scales apart: k is per period.
    kick = deep.kernel(AffineMap(1.0, 0.0, 0.3))
    sharp, slow = deep.chain.mfpt_periodic(50.0, kick), deep.chain.mfpt_poisson(1 / 50, kick)
    assert 1e-3 * mean < sharp < mean and sharp == pytest.approx(slow, rel=0.1)


@pytest.mark.parametrize("period", [0.002, 0.02])
def test_many_short_cycles_against_a_barrier(period):
    # One cycle in 1e12 or fewer completes: eigenvectors alone lose that.
    problem = FokkerPlanck(
        potential=lambda x: 1.3 * x + 0.024 * x**2, diffusion=0.2, target=2.0, start=0.5, wall=-2.5, cells=80
    )
    mean, exact, spectral = (
        dataclasses.replace(problem, method=method).chain.mfpt_periodic(
            period, problem.kernel(AffineMap(0.98))
        )
        for method in ("auto", "doubling", "spectral")
    )
    assert mean == pytest.approx(exact, rel=1e-9)
    assert spectral != pytest.approx(exact, rel=1e-3)


def test_shrink_and_perturb_that_leaves_the_stationary_law_alone():
    # scale s and noise sqrt(1 - s^2) keep N(0, 1): the perturbed law far below the target is that of OU.
    problem = FokkerPlanck(drift=lambda x: -x, diffusion=1.0, target=6.0, start=0.0, cells=400)
    kernel = problem.kernel(AffineMap(0.6, 0.0, 0.8))
    wide = stats.norm.pdf(problem.grid.centres)
    np.testing.assert_allclose((wide @ kernel.matrix)[40:-40], wide[40:-40], rtol=5e-3)


def test_informed_resetting():
    only_far = informed(AffineMap(0.0, 1.0), lambda x: x > 1.0)
    problem = FokkerPlanck(drift=free, diffusion=1.0, target=0.0, start=1.0, wall=20.0, cells=400)
    result = richardson(problem, lambda p: p.chain.mfpt_poisson(1.0, p.kernel(only_far)))
    assert result.value == pytest.approx(1.5, rel=LEVEL)
    assert problem.chain.mfpt_poisson(1.01, problem.kernel(only_far)) != pytest.approx(1.5, rel=1e-3)


def test_two_targets():
    problem = FokkerPlanck(drift=free, diffusion=0.5, target=(-1.0, 2.0), start=0.25, cells=128)
    assert richardson(problem, lambda p: p.chain.mfpt()).value == pytest.approx(1.25 * 1.75, rel=1e-8)


def test_start_from_a_law():
    problem = FokkerPlanck(
        drift=free, diffusion=1.0, target=1.0, start=stats.uniform(0.2, 0.5), wall=0.0, cells=128
    )
    exact = 0.5 - (0.7**3 - 0.2**3) / 3 / 0.5 / 2
    assert richardson(problem, lambda p: p.chain.mfpt()).value == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("problem", [brownian(wall=None), OU], ids=["drift", "well"])
def test_the_natural_wall_is_far_enough(problem):
    # More cells of the same size beyond it change nothing, fewer do.
    mean, h = problem.chain.mfpt(), problem.grid.spacing
    further, nearer = (
        dataclasses.replace(problem, wall=problem.wall - n * h, cells=problem.cells + n)
        for n in (50, -problem.cells // 3)
    )
    assert further.chain.mfpt() == pytest.approx(mean, rel=1e-12)
    assert abs(nearer.chain.mfpt() / mean - 1) > 1e-10


def test_the_natural_wall_cuts_off_the_stated_share_of_time():
    # A distance y behind the start, q = (1 - exp(-v L / D)) exp(-v y / D) / v; divided by <T> = L / v = 1.
    share = 0.5 * (1 - np.exp(-2.0)) * np.exp(2 * brownian(wall=None).wall)
    assert share == pytest.approx(1e-13, rel=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drift": free}, "`wall` must be given here"),
        ({"potential": free}, "`potential` or `drift` must be given, and not both"),
        ({"diffusion": 0.0}, "`diffusion` must be a positive number"),
        ({"cells": 3}, "`cells` must be a whole number of at least 8, got 3"),
        ({"target": (1.0, 0.0)}, "`target` must be one finite end, or two in ascending order"),
        ({"target": (-1.0, 1.0), "wall": 3.0}, "`wall` must be None between two targets"),
        ({"target": (1.0, 2.0)}, "`start` must lie between the target"),
        ({"target": 0.0}, "`start` must lie on one side of the target"),
        ({"wall": -1.0, "start": 0.9999}, "`cells` must leave more than half a cell between the start"),
        ({"wall": 0.5}, "`start` must lie between the target 1.0 and the wall 0.5"),
        ({"start": np.nan}, "`start` must be finite"),
        ({"drift": lambda x: x * np.nan, "wall": -1.0}, "`potential` or `drift` must be a number everywhere"),
        ({"drift": lambda x: x[:3], "wall": -1.0}, "`drift` must map an array to one value each"),
    ],
)
def test_errors_say_what_to_do(change, message):
    given = {"drift": lambda x: 1 + 0 * x, "diffusion": 1.0, "target": 1.0, "start": 0.0} | change
    with pytest.raises(ValueError, match=message):
        FokkerPlanck(**given).chain.mfpt()


def test_richardson_needs_an_even_grid():
    with pytest.raises(ValueError, match="`problem` must have an even number of at least 16 cells, got 9"):
        richardson(BOX.with_cells(9), lambda p: p.chain.mfpt())
