"""What all event-driven processes have in common."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stochreset import Informed, Periodic, PlateauMixture, Poisson, simulate
from stochreset.kernels.streams import new_stream
from stochreset.plan import make_plan
from stochreset.processes.ctrw import CTRW
from stochreset.processes.lattice_walk import LatticeWalk
from stochreset.processes.levy_flight import LevyFlight
from stochreset.processes.markov_chain import MarkovChain
from stochreset.processes.plateaus import Plateaus
from stochreset.processes.run_and_tumble import RunAndTumble
from stochreset.processes.sphere import Sphere

MIXTURE = PlateauMixture(plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=3)
PROCESSES = {
    "lattice": LatticeWalk(right=0.5, target=3),
    "far lattice": LatticeWalk(right=0.45, target=-700),
    "chain": MarkovChain(rates=[[0, 1, 0], [1, 0, 0.5], [0, 0, 0]], start=0, targets=2),
    "run and tumble": RunAndTumble(speed=1.0, tumble_rate=2.0, start=0.0, target=1.0),
    "fast tumbles": RunAndTumble(speed=10.0, tumble_rate=200.0, start=0.0, target=5.0),
    "levy": LevyFlight(alpha=1.3, target=2.0),
    "ctrw": CTRW(exponent=0.7, target=2.0),
    "disc": Sphere(dimension=2, start=0.5, target=1.0),
    "outside": Sphere(dimension=3, start=2.0, target=1.0),
    "plateaus": Plateaus(model=MIXTURE, target=72.0),
}
HORIZONS = {"far lattice": 7010.5, "disc": 0.12, "plateaus": 40.5}


def times(name):
    """Times of a few runs, by whatever the kernels are: compiled, or plain Python."""
    horizon = HORIZONS.get(name, 6.5)
    plan = make_plan(PROCESSES[name], Informed(Poisson(0.5), above=-1e9), None, horizon, "auto", None)
    result, censored = np.empty(20), np.empty(20, np.bool_)
    with np.errstate(over="ignore", divide="ignore"):
        plan.kernel(128, 7)(0, result, censored, np.zeros(1, np.uint8))
    return [*result.tolist(), *censored.astype(float).tolist()]


@pytest.fixture(scope="module")
def plain():
    """Times of the same runs in a process in which numba compiles nothing."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
        "from tests.stochreset.processes.test_event_driven import PROCESSES, times\n"
        "for name in PROCESSES: print(name, *map(repr, times(name)), sep=';')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(";") for line in done.stdout.splitlines()]
    return {row[0]: [float(number) for number in row[1:]] for row in rows}


@pytest.mark.parametrize("name", PROCESSES)
def test_compiled_kernels_equal_plain_python(name, plain):
    np.testing.assert_allclose(times(name), plain[name], rtol=1e-9)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("protocol", [None, Poisson(0.5), Periodic(2.0)])
def test_runs_are_censored_at_the_horizon_and_none_is_lost(name, protocol):
    horizon = HORIZONS.get(name, 6.5)
    sample = simulate(PROCESSES[name], protocol, runs=1000, seed=1, horizon=horizon)
    assert len(sample) == 1000 and sample.n_censored > 0 and sample.steps > 0
    assert protocol is not None or sample.n_censored < 1000
    assert np.all(sample.times[sample.censored] == horizon)
    assert np.all((sample.times[sample.observed] > 0) & (sample.times[sample.observed] <= horizon))
    if PROCESSES[name].whole_steps:
        assert np.all(sample.times[sample.observed] % 1 == 0)


@pytest.mark.parametrize("name", PROCESSES)
def test_threads_do_not_matter(name):
    horizon = HORIZONS.get(name, 6.5)
    digests = {
        simulate(PROCESSES[name], Poisson(0.5), runs=1000, seed=1, horizon=horizon, threads=threads).digest()
        for threads in (1, 3)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("name", [name for name in PROCESSES if name != "plateaus"])
def test_a_run_without_end_stops_when_told(name):
    plan = make_plan(PROCESSES[name], None, None, 1e300, "auto", None)
    fill, stop = plan.kernel(128, 7), np.ones(1, np.uint8)
    fill(0, np.empty(1000), np.empty(1000, np.bool_), stop)
    assert stop[0] == 1 and new_stream(stop).stop[0] == 1
