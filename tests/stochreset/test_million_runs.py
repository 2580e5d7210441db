"""Means of a million runs against the exact answer, wherever the method is exact."""

import pytest

from stochreset import (
    CTRW,
    Brownian,
    LatticeWalk,
    MarkovChain,
    Once,
    PartialReset,
    Periodic,
    PlateauMixture,
    Plateaus,
    Poisson,
    Reset,
    RunAndTumble,
    Sphere,
    simulate,
)
from stochreset.exact_answers import exact_mean
from stochreset.models import MODELS

from .statistics_of_passages import z_score

RUNS = 1_000_000
FARTHEST = 4.0

DRIFTED = Brownian(drift=1.0, diffusion=0.5)
FREE = Brownian(diffusion=0.5)
LATTICE = LatticeWalk(target=4)
CHAIN = MarkovChain(rates=[[0, 1, 0.2, 0], [1, 0, 0.5, 0], [0.3, 0, 0, 1], [0, 0, 0, 0]], start=0, targets=3)
TUMBLING = RunAndTumble(speed=1.0, tumble_rate=2.0, target=-1.0)
OUTSIDE, INSIDE = Sphere(dimension=3, start=2.0), Sphere(dimension=3, start=0.5)
# Levels that differ less than the metric fluctuates: otherwise the mean without new cycles is infinite.
ALIKE = PlateauMixture(plateau_mean=71.9, plateau_spread=0.1, noise=0.3, depth=30, relaxation_time=3)
UNLIKE = PlateauMixture(plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=3)

CASES = {
    "brownian": (DRIFTED,),
    "brownian, poisson": (FREE, Poisson(2.5)),
    "brownian, periodic": (FREE, Periodic(0.5)),
    "brownian, horizon": (FREE, None, None, 5.0),
    "brownian away, poisson": (Brownian(drift=-1.0, diffusion=0.5), Poisson(2.0)),
    "brownian, once": (DRIFTED, Once(0.7)),
    "brownian, partly, poisson": (FREE, Poisson(1.0), PartialReset(0.5)),
    "brownian, partly, periodic": (DRIFTED, Periodic(0.8), PartialReset(0.5)),
    "lattice": (LatticeWalk(right=0.6, target=4),),
    "lattice, poisson": (LATTICE, Poisson(0.05)),
    "lattice, periodic": (LATTICE, Periodic(14)),
    "lattice, horizon": (LATTICE, None, None, 50.0),
    "chain": (CHAIN,),
    "chain, poisson": (CHAIN, Poisson(0.3)),
    "chain, periodic": (CHAIN, Periodic(3.0)),
    "chain, to another state": (CHAIN, Poisson(0.3), Reset(to=2)),
    "chain, horizon": (CHAIN, None, None, 4.0),
    # Without perturbation the means of these are infinite.
    "run and tumble, poisson": (TUMBLING, Poisson(0.5)),
    "run and tumble, periodic": (TUMBLING, Periodic(3.0)),
    "run and tumble, horizon": (TUMBLING, None, None, 10.0),
    "ctrw, poisson": (CTRW(exponent=0.7, target=2.0), Poisson(0.1)),  # no other mean is known
    "outside a ball, poisson": (OUTSIDE, Poisson(1.0)),
    "outside a ball, periodic": (OUTSIDE, Periodic(1.0)),
    "outside a ball, horizon": (OUTSIDE, None, None, 5.0),
    # By steps, which are exact in three dimensions.
    "in a ball": (INSIDE,),
    "in a ball, poisson": (INSIDE, Poisson(3.0)),
    "in a ball, periodic": (INSIDE, Periodic(0.1)),
    "plateaus": (Plateaus(model=ALIKE, target=72.3),),
    "plateaus, periodic": (Plateaus(model=UNLIKE, target=72.0), Periodic(20)),
}
UNKNOWN = {"levy"}
"""Models with an exact method and no exact mean at all."""


@pytest.mark.parametrize("name", CASES)
def test_the_mean_of_a_million_runs_is_exact_and_one_percent_off_is_not(name):
    process, protocol, perturbation, horizon = (*CASES[name], None, None, None)[:4]
    exact = exact_mean(process, protocol, perturbation, horizon)
    # At a horizon the times are min(T, horizon), of which the mean is known too.
    sample = simulate(process, protocol, perturbation, runs=RUNS, seed=20, horizon=horizon)
    assert len(sample) == RUNS and sample.expected_bias == "none"
    assert abs(z_score(sample, exact.value)) < FARTHEST
    for factor in (0.99, 1.01):
        assert abs(z_score(sample, factor * exact.value)) > FARTHEST


def test_no_exact_method_is_left_out():
    tested = {type(case[0]) for case in CASES.values()}
    for name, model in MODELS.items():
        process = model.build()
        exact = "exact" in process.methods(forgets=True, informed=False)
        assert (type(process) in tested) == (exact and name not in UNKNOWN), name
    process = MODELS["levy"].build()
    assert all(exact_mean(process, protocol) is None for protocol in (None, Poisson(0.1), Periodic(5)))
