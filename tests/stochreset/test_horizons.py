"""Where a horizon may be left out, and where runs would go on for ever without."""

import math

import pytest
from scipy import stats

from stochreset import (
    CTRW,
    Brownian,
    Gamma,
    Informed,
    Kick,
    Langevin,
    LatticeWalk,
    LinearLogarithmic,
    MarkovChain,
    Once,
    OrnsteinUhlenbeck,
    PartialReset,
    Periodic,
    PlateauMixture,
    Poisson,
    Renewal,
    Reset,
    RunAndTumble,
    ShrinkPerturb,
    SwitchPotential,
    Uniform,
)
from stochreset.plan import make_plan
from stochreset.processes.plateaus import Plateaus

PLATEAUS = {"plateau_mean": 71.9, "plateau_spread": 0.5, "noise": 0.15, "depth": 30.0, "relaxation_time": 3.0}
TRAP = MarkovChain(rates=[[0, 1, 1], [0, 0, 0], [0, 0, 0]], targets=2)
AWAY = Brownian(drift=1.0, start=1.0, target=0.0)
BACK = Brownian(start=1.0, target=0.0)


def plateaus(**changes):
    return Plateaus(model=PlateauMixture(**{**PLATEAUS, **changes}), target=72.0)


def horizon(process, protocol=None, perturbation=None):
    return make_plan(process, protocol, perturbation, None, "auto", None).horizon


NEVER, LONG = "under this perturbation some runs never arrive", "the mean first-passage time is infinite"
ALONE = "without endless perturbation some runs of this process never arrive"
ENDLESS = {
    "walk, too short a period": ((LatticeWalk(target=5), Periodic(2)), NEVER),
    "walk, too short intervals": ((LatticeWalk(target=5), Uniform(0, 3.5)), NEVER),
    "walk, too short intervals of a law": ((LatticeWalk(target=5), Renewal(stats.uniform(0, 4))), NEVER),
    "walk, shrunk too often": ((LatticeWalk(target=5), Periodic(2), PartialReset(0.5)), NEVER),
    "walk, away only": ((LatticeWalk(right=0.0), Poisson(0.1)), NEVER),
    "walk, put back too far": ((LatticeWalk(target=5), Periodic(4), Reset(to=-1)), NEVER),
    "tumbling, too short a period": ((RunAndTumble(target=5), Periodic(2)), NEVER),
    "no hop in a period": ((CTRW(), Periodic(1)), NEVER),
    "frozen plateaus": ((plateaus(memory=1), Periodic(20)), NEVER),
    "falling plateaus": ((plateaus(gain=-1), Periodic(20)), NEVER),
    "plateaus without cycles": ((plateaus(plateau_spread=3),), LONG),
    "plateaus, good ones renewed": ((plateaus(), Informed(Periodic(7), above=50.0)), LONG),
    "reset into a trap": ((TRAP, Poisson(1), Reset(to=1)), NEVER),
    "informed, too near": ((AWAY, Informed(Poisson(1), below=0.5), Reset()), NEVER),
    "informed, runs get past": ((BACK, Informed(Poisson(1), below=0.5), Reset()), LONG),
    "drift away": ((Langevin(drift=lambda x: -1.0),), ALONE),
    "no drift": ((Langevin(drift=lambda x: 0.0),), LONG),
    "switched to a drift away": (
        (Langevin(drift=lambda x: -x, switched=lambda x: -1.0), Poisson(1), SwitchPotential()),
        NEVER,
    ),
    "kicks": ((Brownian(), Periodic(0.01), Kick(0.05)), LONG),
    "flat, not switched": ((LinearLogarithmic(slope=0.0),), LONG),
    "uphill, not switched": ((LinearLogarithmic(slope=-1.0),), ALONE),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_horizon_is_asked_for(case):
    arguments, message = ENDLESS[case]
    with pytest.raises(ValueError, match=f"`horizon` is needed: {message}"):
        horizon(*arguments)


ENDING = {
    "walk": (LatticeWalk(target=5), Periodic(5)),
    "walk, interval rounded up": (LatticeWalk(target=5), Periodic(4.5)),
    "walk, shrunk less": (LatticeWalk(target=5), Periodic(4), PartialReset(0.5)),
    "walk, thrown": (LatticeWalk(right=0.0), Periodic(2), ShrinkPerturb(0.5, 1.0)),
    "walk, put beyond the target": (LatticeWalk(target=5), Periodic(2), Reset(to=7)),
    "walk, put near the target": (LatticeWalk(target=5), Periodic(2), Reset(to=3)),
    "walk, put to a law": (LatticeWalk(target=5), Periodic(2), Reset(to=stats.uniform(0, 3))),
    "tumbling": (RunAndTumble(target=5), Periodic(5)),
    "tumbling, random intervals": (RunAndTumble(target=5), Gamma(2.0, 0.1)),
    "hops": (CTRW(), Periodic(1.1)),
    "new plateaus": (plateaus(), Periodic(20)),
    "rising plateaus": (plateaus(memory=1, gain=0.1), Periodic(20)),
    "quiet plateaus": (plateaus(memory=1, plateau_spread=0.1), Periodic(20)),
    "reset out of a trap": (TRAP, Poisson(1)),
    "away, reset": (AWAY, Poisson(1)),
    "informed, far out": (BACK, Informed(Poisson(1), above=1.0)),
    "informed by a function": (BACK, Informed(Poisson(1), when=lambda x: x > 1.0)),
    "drift back": (Langevin(drift=lambda x: 1.0),),
    "steep potential": (Langevin(potential=lambda x: 0.25 * x**4, target=1.5),),
    "logarithm of a positive number": (Langevin(potential=lambda x: math.log(x), target=1.0, start=0.5),),
    "drift away, reset": (Langevin(drift=lambda x: -1.0), Poisson(1)),
    "drift away, switched": (
        Langevin(drift=lambda x: -1.0, switched=lambda x: 1.0),
        Poisson(1),
        SwitchPotential(),
    ),
    "kicks in a trap": (OrnsteinUhlenbeck(), Periodic(0.01), Kick(0.05)),
    "flat, switched once": (LinearLogarithmic(slope=0.0), Once(1.0)),
    "uphill, switched": (LinearLogarithmic(slope=-1.0), Poisson(1.0)),
    "infinite mean by an exact method": (Brownian(),),
}


@pytest.mark.parametrize("case", ENDING)
def test_it_may_be_left_out(case):
    assert horizon(*ENDING[case]) == math.inf
