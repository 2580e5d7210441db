"""Closed forms and the numerical solver, which share nothing, agree to 1e-6."""

import numpy as np
import pytest

from theory import closed_forms
from theory.numerical import AffineMap, FokkerPlanck, MarkovChain, richardson

AGREE = 1e-6
CASES = {
    "brownian": (
        closed_forms.Brownian(drift=1.0, diffusion=0.5),
        dict(drift=lambda x: np.ones_like(x), diffusion=0.5, start=0.0, target=1.0, wall=-12.0, cells=1600),
    ),
    "interval": (
        closed_forms.Interval(diffusion=1.0, start=0.3, target=1.0),
        dict(drift=lambda x: np.zeros_like(x), diffusion=1.0, start=0.3, target=1.0, wall=0.0, cells=200),
    ),
    "ornstein-uhlenbeck": (
        closed_forms.OrnsteinUhlenbeck(target=1.5),
        dict(drift=lambda x: -x, diffusion=1.0, start=0.0, target=1.5, cells=800),
    ),
}


def pairs(law, affine):
    """Closed form and solver for each quantity, as (exact, function of a problem)."""
    return {
        "mean": (law.mfpt(), lambda p: p.chain.mfpt()),
        "second moment": (law.second_moment(), lambda p: p.chain.second_moment()),
        "poisson": (law.mfpt_poisson(0.7), lambda p: p.chain.mfpt_poisson(0.7, p.kernel(affine))),
        "sharp": (law.mfpt_sharp(0.9), lambda p: p.chain.mfpt_periodic(0.9, p.kernel(affine))),
        "survival": (law.survival(0.8), lambda p: float(p.chain.survival(0.8))),
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("quantity", ["mean", "second moment", "poisson", "sharp", "survival"])
def test_closed_form_and_solver_agree(case, quantity):
    law, settings = CASES[case]
    exact, function = pairs(law, AffineMap(0.0, shift=law.start))[quantity]
    found = richardson(FokkerPlanck(**settings), function).value
    assert found == pytest.approx(float(exact), rel=AGREE)
    assert found != pytest.approx(1.001 * float(exact), rel=AGREE)


def test_the_rates_of_the_quasi_steady_state_agree():
    for case in ("interval", "ornstein-uhlenbeck"):
        law, settings = CASES[case]
        found = richardson(FokkerPlanck(**settings), lambda p: p.chain.quasi_steady_state().rate).value
        assert found == pytest.approx(law.decay_rate(), rel=AGREE)


def test_the_run_and_tumble_law_is_that_of_a_chain():
    """Not a diffusion: a fine chain of positions and directions converges to it linearly in the spacing."""
    law = closed_forms.RunAndTumble(target=1.0)
    values = []
    for cells in (100, 200):
        size, step = 6 * cells, 1.0 / cells  # positions from -5 to 1, a wall far behind
        rates = np.zeros((2 * size + 1, 2 * size + 1))
        for at in range(size):
            rates[at, at + 1 if at + 1 < size else 2 * size] = (
                1 / step
            )  # to the right, the last to the target
            rates[at, size + at] = rates[size + at, at] = 1.0
            if at:
                rates[size + at, size + at - 1] = 1 / step
        start = 5 * cells
        halves = [MarkovChain(rates, first, 2 * size).chain for first in (start, size + start)]
        laplace = np.mean([float(chain.laplace(2.0)) for chain in halves])
        values.append((1 - laplace) / (2 * laplace))  # resetting redraws the direction
    extrapolated = 2 * values[1] - values[0]
    assert extrapolated == pytest.approx(float(law.mfpt_poisson(2.0)), rel=5e-3)
