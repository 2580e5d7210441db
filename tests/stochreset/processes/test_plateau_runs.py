import numpy as np
import pytest

from stochreset import PlateauMixture, Poisson, Reset, simulate
from stochreset.perturbations.new_cycle import NewCycle
from stochreset.processes.plateaus import Plateaus
from stochreset.protocols import Informed, Periodic

from ..statistics_of_passages import agrees, z_score
from .laws import geometric_mean, same_discrete_law

RUNS = 200_000
PLAIN = {"plateau_mean": 71.9, "plateau_spread": 0.5, "noise": 0.15, "depth": 30.0, "relaxation_time": 3.0}
MODELS = {
    "reset": PLAIN,
    "shrink": {**PLAIN, "depth_after": 3.0, "relaxation_time_after": 1.0, "memory": 0.6},
    "gain": {**PLAIN, "depth_after": 0.0, "memory": 0.9, "gain": 0.05},
    "frozen": {**PLAIN, "plateau_spread": 0.1, "memory": 1.0},
    "no rise": {**PLAIN, "depth": 0.0},
}


def runs(name, **changes):
    return Plateaus(model=PlateauMixture(**{**MODELS[name], **changes}), target=72.0)


@pytest.mark.parametrize("name", MODELS)
def test_new_cycles(name):
    sample = simulate(runs(name), Periodic(20), runs=RUNS, seed=1)
    exact = runs(name).mfpt_sharp(20)
    assert agrees(sample, exact) and not agrees(sample, 1.1 * exact)
    assert same_discrete_law(sample, runs(name).survival_sharp(np.arange(200), 20))
    assert not same_discrete_law(sample, runs(name, noise=0.2).survival_sharp(np.arange(200), 20))


@pytest.mark.parametrize("name", ["reset", "frozen", "no rise"])
def test_without_perturbation(name):
    sample = simulate(runs(name), runs=RUNS, seed=2, horizon=1000)
    assert same_discrete_law(sample, runs(name).survival(np.arange(1000)))
    assert not same_discrete_law(sample, runs(name, noise=0.2).survival(np.arange(1000)))
    assert np.all(sample.times[sample.censored] == 1000)


def test_mean_without_perturbation():
    frozen = runs("frozen")
    sample = simulate(frozen, runs=RUNS, seed=3)
    assert frozen.finite_mean and agrees(sample, frozen.mfpt()) and not agrees(sample, 1.1 * frozen.mfpt())
    assert runs("reset").mfpt() == np.inf and not runs("reset").finite_mean


def test_poisson_cycles_are_geometric():
    sample = simulate(runs("reset"), Poisson(0.05), runs=RUNS, seed=4)
    exact = geometric_mean(runs("reset").survival(np.arange(1500)), 0.05)
    assert agrees(sample, exact) and not agrees(sample, 1.1 * exact)


def test_epochs_go_on_unless_perturbed():
    sample = simulate(runs("reset"), Informed(Periodic(7), above=50.0), runs=RUNS, seed=5, horizon=300)
    assert same_discrete_law(sample, runs("reset").survival(np.arange(300)))


def test_informed_cycles_help():
    """New plateaus only for runs on low ones: better than for all."""
    informed = simulate(runs("reset"), Informed(Periodic(20), below=0.2), runs=RUNS, seed=6)
    assert z_score(informed, runs("reset").mfpt_sharp(20)) < -4.5


def test_the_default_perturbation_is_a_new_cycle_and_no_other_is_allowed():
    a = simulate(runs("reset"), Periodic(20), runs=100, seed=1)
    b = simulate(runs("reset"), Periodic(20), NewCycle(), runs=100, seed=1)
    assert np.array_equal(a.times, b.times)
    with pytest.raises(ValueError, match=r"`perturbation` must be NewCycle\(\) for Plateaus"):
        simulate(runs("reset"), Periodic(20), Reset(), runs=100, seed=1)


def test_spread_plateaus_need_a_horizon():
    """Without one, some times would be beyond floating point."""
    with pytest.raises(ValueError, match="`horizon` is needed: the mean first-passage time is infinite"):
        simulate(runs("reset", plateau_spread=3.0), runs=10, seed=1)


def test_errors():
    with pytest.raises(ValueError, match="PlateauMixture.simulate gives its metric"):
        runs("reset").threshold()
    with pytest.raises(ValueError, match="`model` must be a stochreset.PlateauMixture"):
        Plateaus(model=1.0, target=72.0)
    with pytest.raises(ValueError, match="`target` must be a finite number"):
        Plateaus(model=PlateauMixture(**PLAIN), target=np.nan)
    with pytest.raises(ValueError, match="`period` must be a whole number of steps"):
        runs("reset").mfpt_sharp(2.5)
