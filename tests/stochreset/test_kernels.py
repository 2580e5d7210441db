"""The fast kernel against the plain one, compiled kernels against the same functions as plain Python."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stochreset import (
    Brownian,
    DoubleWell,
    Gamma,
    Informed,
    Kick,
    Langevin,
    Once,
    OrnsteinUhlenbeck,
    PartialReset,
    Periodic,
    Poisson,
    Reset,
    ShrinkPerturb,
    SwitchPotential,
    simulate,
)
from stochreset.kernels.events import simulate_events
from stochreset.kernels.streams import new_stream
from stochreset.plan import cached_if_possible, make_plan

from . import plain_python
from .statistics_of_passages import agrees, same_sample_law

OU = OrnsteinUhlenbeck(target=1.5)
DRIFTED = Brownian(drift=1.0, diffusion=0.5)
FREE = Brownian(diffusion=0.5)


def plain(process, protocol, perturbation, runs, seed, method, dt, horizon=None):
    """Times of the scalar stepping kernel, which has nothing of the lanes in it."""
    plan = make_plan(process, protocol, perturbation, horizon, method, dt)
    parameters, arguments = plan.stepped(), plan.arguments()
    run = cached_if_possible(simulate_events, parameters.process, arguments[1])
    times, censored, stream = np.empty(runs), np.empty(runs, np.bool_), new_stream()
    run(parameters, *arguments, False, False, plan.horizon, np.uint64(seed), 1024, 0, times, censored, stream)
    return times, censored


CASES = {
    "euler": (DRIFTED, None, None, "euler", 0.01),
    "bridge": (OU, None, None, "bridge", 0.2),
    "periodic, shorter than a step": (OU, Periodic(0.13), PartialReset(0.5), "bridge", 0.2),
    "periodic, of a step": (OU, Periodic(0.25), Reset(), "bridge", 0.25),
    "poisson": (FREE, Poisson(2.5), Reset(), "bridge", 0.3),
    "gamma, shrink and perturb": (FREE, Gamma(2.0, 0.3), ShrinkPerturb(0.5, 0.4), "euler", 0.05),
    "kicks beyond the target": (OU, Periodic(0.7), Kick(noise=1.0), "bridge", 0.1),
    "informed": (OU, Informed(Periodic(0.4), below=0.0), Reset(), "bridge", 0.15),
    "once": (DRIFTED, Once(0.33), Kick(shift=-1.0), "bridge", 0.1),
}


@pytest.mark.parametrize("case", CASES)
def test_lanes_have_the_law_of_the_plain_kernel(case):
    process, protocol, perturbation, method, dt = CASES[case]
    fast = simulate(process, protocol, perturbation, runs=20_000, seed=3, method=method, dt=dt)
    slow, _ = plain(process, protocol, perturbation, 20_000, 4, method, dt)
    assert same_sample_law(fast.times, slow)
    assert not same_sample_law(fast.times, 1.1 * slow)


@pytest.mark.parametrize("horizon", [0.5, 1.0, 3.21])
def test_lanes_censor_as_the_plain_kernel_does(horizon):
    fast = simulate(OU, Periodic(0.5), runs=20_000, seed=3, method="bridge", dt=0.2, horizon=horizon)
    slow, censored = plain(OU, Periodic(0.5), None, 20_000, 4, "bridge", 0.2, horizon)
    assert np.all(fast.times[fast.censored] == horizon) and np.all(fast.times <= horizon)
    share, other = fast.censored.mean(), censored.mean()
    assert abs(share - other) < 5 * math.sqrt(2 * share * (1 - share) / 20_000)
    assert same_sample_law(fast.times[fast.observed], slow[~censored])


@pytest.fixture(scope="module")
def without_compilation():
    """The cases of plain_python, in a process in which nothing is compiled."""
    script = Path(__file__).with_name("plain_python.py")
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def compiled():
    return plain_python.run_cases()


@pytest.mark.parametrize("case", plain_python.CASES)
def test_compiled_kernels_equal_plain_python(case, compiled, without_compilation):
    times, censored, steps = compiled[case]
    plain_times, plain_censored, plain_steps = without_compilation[case]
    # The lanes draw single-precision numbers, whose last bit depends on fused multiply-add.
    np.testing.assert_allclose(times, plain_times, rtol=2e-6 if "lanes" in case else 1e-9)
    assert censored == plain_censored and steps == plain_steps
    assert 0 < sum(censored) < 150


def test_exact_with_and_without_the_state_agree():
    """Full resets need no state: the shortcut against the bridges that other perturbations use."""
    shortcut = simulate(FREE, Poisson(2.5), Reset(), runs=100_000, seed=1)
    bridges = simulate(FREE, Poisson(2.5), PartialReset(0.0), runs=100_000, seed=2)
    informed = simulate(FREE, Informed(Poisson(2.5), above=-100.0), Reset(), runs=100_000, seed=3)
    assert same_sample_law(shortcut.times, bridges.times)
    assert same_sample_law(shortcut.times, informed.times)


def test_bridges_are_exact_for_brownian_motion_at_any_step():
    for dt in (0.05, 1.0, 20.0):
        sample = simulate(DRIFTED, runs=100_000, seed=2, method="bridge", dt=dt)
        assert agrees(sample, 1.0)
    late = simulate(DRIFTED, runs=100_000, seed=2, method="euler", dt=0.05)
    assert not agrees(late, 1.0)


def test_user_drift_is_the_built_in_one():
    well = DoubleWell(barrier=1.0, diffusion=0.5)
    user = Langevin(drift=lambda x: 4.0 * x * (1.0 - x * x), diffusion=0.5, start=-1.0, target=1.0)
    energy = Langevin(potential=lambda x: (x * x - 1.0) ** 2, diffusion=0.5, start=-1.0, target=1.0)
    times = [simulate(p, runs=3000, seed=8, method="bridge", dt=0.05).times for p in (well, user, energy)]
    np.testing.assert_allclose(times[1], times[0], rtol=1e-9)
    np.testing.assert_allclose(times[2], times[0], rtol=1e-3)


def test_mirrored_processes_arrive_alike():
    left = OrnsteinUhlenbeck(start=0.0, target=-1.5)
    a = simulate(left, Periodic(0.5), Kick(shift=-0.2), runs=20_000, seed=1)
    b = simulate(OU, Periodic(0.5), Kick(shift=0.2), runs=20_000, seed=2)
    assert same_sample_law(a.times, b.times)


def test_user_drift_that_is_switched():
    process = Langevin(
        drift=lambda x: 0.0, switched=lambda x: 4.0, diffusion=0.5, start=0.0, target=1.0, scale=0.5
    )
    before = simulate(process, Once(1e-6), SwitchPotential(), runs=50_000, seed=1)
    assert agrees(before, 0.25)
    with pytest.raises(ValueError, match="needs a process with a second potential"):
        simulate(DRIFTED, Once(1.0), SwitchPotential(), runs=10, seed=1)


def test_each_user_function_gets_its_own_kernel():
    """numba tells named tuples apart by name: two drifts must not end up in one kernel."""
    for speed in (1.0, 2.0):
        process = Langevin(drift=lambda x, speed=speed: speed, diffusion=0.5, start=0.0, target=1.0)
        assert agrees(simulate(process, runs=20_000, seed=1), 1 / speed)
    # From start 0 to target 1 in steps of the protocol: never, or always, put back.
    times = [
        simulate(DRIFTED, Informed(Periodic(0.5), when=when), Reset(), runs=20_000, seed=1).times.mean()
        for when in (lambda x: x < 100.0, lambda x: x > 100.0)
    ]
    assert times[0] == pytest.approx(float(DRIFTED.mfpt_sharp(0.5)), rel=0.03)
    assert times[1] == pytest.approx(1.0, rel=0.03)
