"""The entry point: known answers, reproducibility, censoring, interruption, errors."""

import math
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from scipy import stats

from stochreset import (
    Brownian,
    DoubleWell,
    Gamma,
    Informed,
    Interval,
    Kick,
    Langevin,
    LevyFlight,
    LinearLogarithmic,
    Never,
    Once,
    OrnsteinUhlenbeck,
    PartialReset,
    Periodic,
    Poisson,
    Renewal,
    Reset,
    ShrinkPerturb,
    Sphere,
    SwitchPotential,
    Uniform,
    simulate,
)
from stochreset.engine import chunk_size, run_blocks
from stochreset.kernels.clocks import LONGEST
from theory import PassageSample, kaplan_meier, restricted_mean
from theory.numerical import AffineMap, FokkerPlanck

from .statistics_of_passages import agrees, same_law, same_sample_law

MILLION = 1_000_000
DRIFTED = Brownian(drift=1.0, diffusion=0.5)
FREE = Brownian(diffusion=0.5)
OU = OrnsteinUhlenbeck(target=1.5)


def test_a_sample_is_a_passage_sample_of_theory():
    sample = simulate(DRIFTED, runs=1000, seed=1, horizon=1.5)
    assert isinstance(sample, PassageSample)
    assert 0 < sample.n_censored < 1000 and sample.horizon == 1.5
    assert abs(kaplan_meier(sample).evaluate(1.0) - DRIFTED.survival(1.0)) < 0.08
    assert (sample.method, sample.dt, sample.expected_bias, sample.seed) == ("exact", None, "none", 1)
    assert sample.steps == 1000 and sample.seconds > 0


def test_exact_laws():
    sample = simulate(DRIFTED, runs=200_000, seed=2)
    assert same_law(sample.times, lambda t: 1 - DRIFTED.survival(t))
    slower = Brownian(drift=0.97, diffusion=0.5)
    assert not same_law(sample.times, lambda t: 1 - slower.survival(t))
    sharp = simulate(FREE, Periodic(0.5), runs=200_000, seed=2)
    assert same_law(sharp.times, lambda t: 1 - FREE.survival_sharp(t, 0.5))


def test_drift_away_from_the_target():
    away = Brownian(drift=-1.0, diffusion=0.5)
    sample = simulate(away, Poisson(2.0), runs=200_000, seed=1)
    assert agrees(sample, float(away.mfpt_poisson(2.0)))
    censored = simulate(away, runs=200_000, seed=1, horizon=50.0)
    arrived = 1 - censored.n_censored / 200_000
    assert abs(arrived - math.exp(-2)) < 5 * math.sqrt(math.exp(-2) / 200_000)
    with pytest.raises(ValueError, match="`horizon` is needed: without endless perturbation some runs"):
        simulate(away, runs=10, seed=1)


def test_informed_resetting():
    """Reset only while x > x0: mean 1.5 for D = r = x0 = 1."""
    process = Brownian(diffusion=1.0, start=1.0, target=0.0)
    sample = simulate(process, Informed(Poisson(1.0), above=1.0), Reset(), runs=MILLION, seed=1)
    assert agrees(sample, 1.5)
    always = simulate(process, Poisson(1.0), Reset(), runs=MILLION, seed=1)
    assert not agrees(always, 1.5)
    asked = simulate(process, Informed(Poisson(1.0), when=lambda x: x > 1.0), runs=100_000, seed=2)
    assert same_sample_law(asked.times, sample.times)


@pytest.mark.parametrize("protocol", [None, Poisson(0.7), Periodic(1.1)])
def test_ornstein_uhlenbeck_with_bridges(protocol):
    sample = simulate(OU, protocol, runs=200_000, seed=3)
    exact = {
        type(None): OU.mfpt,
        Poisson: lambda: OU.mfpt_poisson(0.7),
        Periodic: lambda: OU.mfpt_sharp(1.1),
    }[type(protocol)]()
    assert sample.method == "bridge"
    assert agrees(sample, float(exact))
    assert not agrees(sample, 1.02 * float(exact))


def test_interval_with_bridges():
    process = Interval(diffusion=1.0, start=0.2, target=1.0)
    assert agrees(simulate(process, runs=200_000, seed=3), process.mfpt())
    assert agrees(simulate(process, Poisson(1.0), runs=200_000, seed=3), float(process.mfpt_poisson(1.0)))


@pytest.mark.parametrize(
    ("perturbation", "affine"),
    [
        (PartialReset(0.5), AffineMap(0.5)),
        (ShrinkPerturb(0.4, 0.3), AffineMap(0.4, noise=0.3)),
        (Kick(noise=0.5), AffineMap(1.0, noise=0.5)),
    ],
)
def test_any_perturbation_against_the_numerical_solver(perturbation, affine):
    solver = FokkerPlanck(diffusion=1.0, drift=lambda x: -x, target=1.5, start=0.0, cells=600)
    kernel = solver.kernel(affine)
    periodic = simulate(OU, Periodic(0.8), perturbation, runs=200_000, seed=4)
    assert agrees(periodic, solver.chain.mfpt_periodic(0.8, kernel))
    poisson = simulate(OU, Poisson(1.3), perturbation, runs=200_000, seed=5)
    assert agrees(poisson, solver.chain.mfpt_poisson(1.3, kernel))


def test_double_well_against_the_numerical_solver():
    well = DoubleWell(barrier=1.0, diffusion=0.5)
    solver = FokkerPlanck(diffusion=0.5, potential=well.potential, target=1.0, start=-1.0, cells=800)
    assert agrees(simulate(well, runs=50_000, seed=1), solver.chain.mfpt())
    assert abs(well.mfpt() / solver.chain.mfpt() - 1) < 1e-4


@pytest.mark.parametrize(
    ("start", "target", "wall"),
    [(-1.0, 1.0, -2.5), (-3.0, -2.9, -3.5), (-4.0, -3.0, -4.3), (3.0, -1.0, 3.5), (1.0, -0.5, 2.5)],
)
def test_double_well_from_anywhere(start, target, wall):
    well = DoubleWell(start=start, target=target)

    def mean(cells):
        return FokkerPlanck(
            diffusion=0.3, drift=well.velocity, target=target, start=start, wall=wall, cells=cells
        ).chain.mfpt()

    exact = (4 * mean(2000) - mean(1000)) / 3
    assert well.mfpt() == pytest.approx(exact, rel=1e-5)


@pytest.mark.filterwarnings("error")
def test_double_well_at_extremes():
    assert DoubleWell(diffusion=1e-4).mfpt() == math.inf
    # Without noise, the time of the way down: the integral of dy / 4 y^3 far out.
    assert DoubleWell(start=-100.0, target=-99.0).mfpt() == pytest.approx((99**-2 - 100**-2) / 8, rel=2e-4)


def test_the_switch_from_a_linear_to_a_logarithmic_potential():
    process = LinearLogarithmic(slope=1.0, strength=2.0, diffusion=0.5, start=1.0)
    sample = simulate(process, Once(0.4), SwitchPotential(), runs=100_000, seed=1)
    assert agrees(sample, float(process.mfpt_once(0.4)))
    assert agrees(simulate(process, Never(), runs=100_000, seed=1), process.mfpt())


INTERVALS = {
    "renewal": (Renewal(stats.gamma(2.0, scale=0.2)), stats.gamma(2.0, scale=0.2)),
    "gamma": (Gamma(2.0, 0.2), stats.gamma(2.0, scale=0.2)),
    "gamma, shape below 1": (Gamma(0.5, 0.8), stats.gamma(0.5, scale=0.8)),
    "uniform": (Uniform(0.2, 1.0), stats.uniform(0.2, 0.8)),
}


@pytest.mark.parametrize("case", INTERVALS)
def test_intervals_of_any_law(case):
    protocol, law = INTERVALS[case]
    sample = simulate(FREE, protocol, Reset(), runs=200_000, seed=1)
    # Renewal theory: <T> = <min(T, R)> / Pr(T <= R), by quadrature over R.
    r = law.ppf((np.arange(4000) + 0.5) / 4000)
    exact = np.mean(FREE.restricted_mean(r)) / np.mean(1 - FREE.survival(r))
    assert agrees(sample, exact)
    assert not agrees(sample, 1.03 * exact)


def test_tabulated_laws_are_accurate():
    for law in (stats.gamma(2.0, scale=0.2), stats.weibull_min(0.7, scale=3), stats.lognorm(1.0)):
        table = Renewal(law).clock().table
        e = np.linspace(0, LONGEST, table.size)
        middle = (e[1:] + e[:-1])[40:-1] / 2
        between = (table[1:] + table[:-1])[40:-1] / 2
        assert np.abs(between / law.isf(np.exp(-middle)) - 1).max() < 1e-4


def test_resets_to_a_law():
    sample = simulate(FREE, Periodic(0.8), Reset(stats.norm(0, 0.2)), runs=100_000, seed=1)
    same = simulate(FREE, Periodic(0.8), ShrinkPerturb(0.0, 0.2), runs=100_000, seed=2)
    assert same_sample_law(sample.times, same.times)
    other = simulate(FREE, Periodic(0.8), Reset(stats.norm(-0.05, 0.2)), runs=100_000, seed=3)
    assert not same_sample_law(sample.times, other.times)


@pytest.mark.parametrize("method", ["exact", "bridge", "euler"])
def test_any_number_of_threads_gives_the_same_times(method):
    digests = {
        simulate(FREE, Poisson(2.0), runs=5000, seed=9, method=method, threads=n).digest() for n in (1, 2, 5)
    }
    assert len(digests) == 1
    assert simulate(FREE, Poisson(2.0), runs=5000, seed=10, method=method).digest() not in digests


def test_large_seeds():
    assert (
        simulate(DRIFTED, runs=100, seed=2**64 - 1).digest() != simulate(DRIFTED, runs=100, seed=0).digest()
    )


def test_a_run_is_censored_at_the_horizon_never_dropped():
    sample = simulate(FREE, runs=100_000, seed=1, horizon=2.0)
    assert np.all(sample.times[sample.censored] == 2.0) and np.all(sample.times[sample.observed] <= 2.0)
    share = float(FREE.survival(2.0))
    assert abs(sample.censored.mean() - share) < 5 * math.sqrt(share * (1 - share) / 100_000)
    assert abs(restricted_mean(sample).value - float(FREE.restricted_mean(2.0))) < 0.01


def test_the_bias_is_estimated_by_halving_the_step():
    sample = simulate(DRIFTED, runs=200_000, seed=1, method="euler", dt=0.01, estimate_bias=True)
    true = sample.times.mean() - 1.0
    assert sample.bias.value > 5 * sample.bias.stderr
    assert abs(sample.bias.value - true) < 5 * sample.bias.stderr
    shift = 0.5826 * math.sqrt(2 * 0.5 * 0.01)
    assert f"{shift:.3g}" in sample.expected_bias
    assert simulate(DRIFTED, runs=1000, seed=1, estimate_bias=True).bias is None


def test_the_bias_is_extrapolated_by_the_order_of_the_process():
    disc = Sphere(dimension=2, start=2.0)
    sample = simulate(disc, Poisson(1.0), runs=2000, seed=5, dt=0.02, estimate_bias=True)
    finer = simulate(disc, Poisson(1.0), runs=2000, seed=6, dt=0.01)
    horizon = min(sample.horizon, finer.horizon)
    difference = restricted_mean(sample, horizon).value - restricted_mean(finer, horizon).value
    assert sample.bias.value == pytest.approx(difference / (1 - 0.5**1.5))


def test_chunks_are_small_enough_to_share_out():
    assert [chunk_size(n) for n in (1, 2048, 10_000, 10**6)] == [128, 128, 512, 2048]


def test_blocks_are_each_done_once():
    done = []
    run_blocks(lambda first, last, stop: done.extend(range(first, last)), 1000, threads=3, largest=7)
    assert sorted(done) == list(range(1000))


def test_an_error_in_a_thread_is_raised():
    def work(first, last, stop):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        run_blocks(work, 10, threads=2, largest=1)


def test_ctrl_c_returns_promptly(tmp_path):
    """A double well that nobody leaves: every batch would take for ever."""
    script = textwrap.dedent("""
        from stochreset import DoubleWell, simulate
        simulate(DoubleWell(barrier=1.0, diffusion=0.5), runs=10, seed=1)
        print("ready", flush=True)
        try:
            simulate(DoubleWell(barrier=1.0, diffusion=0.01), runs=1000, seed=1)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """)
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "ready"
    time.sleep(1.5)
    began = time.perf_counter()
    os.kill(child.pid, signal.SIGINT)
    out, _ = child.communicate(timeout=30)
    assert out.strip() == "interrupted" and child.returncode == 0
    assert time.perf_counter() - began < 5


BAD = [
    (lambda: Brownian(diffusion=-1.0), "`diffusion` must be positive, got -1.0"),
    (lambda: Brownian(start=1.0, target=1.0), "`start` must differ from `target`"),
    (lambda: Brownian(drift=math.nan), "`drift` must be a finite number, got nan"),
    (lambda: Interval(start=2.0, target=1.0), "`start`"),
    (lambda: DoubleWell(barrier=0.0), "`barrier` must be positive"),
    (lambda: Periodic(0), "`period` must be the time between perturbations, a positive finite number, got 0"),
    (lambda: Poisson(math.nan), "`rate` must be .* got nan"),
    (lambda: Once("soon"), "`time` must be .* got 'soon'"),
    (lambda: Renewal(3.0), "`distribution` must be a frozen scipy.stats distribution"),
    (lambda: Renewal(stats.norm(1, 1)), r"`distribution` must be positive, but gives Pr\(R <= 0\)"),
    (lambda: Informed(Periodic(1.0)), "`above` and `below` must bound a range"),
    (lambda: Informed(Periodic(1.0), below=2, when=lambda x: True), "`when` replaces `above` and `below`"),
    (lambda: PartialReset(math.inf), "`factor` must be .* a finite number, got inf"),
    (lambda: ShrinkPerturb(0.5, -1), "`noise` must be .* not negative, got -1"),
    (lambda: Reset("home"), "`to` must be None .* got 'home'"),
    (lambda: simulate(DRIFTED, runs=0, seed=1), "`runs` must be a whole number, 1 or larger, got 0"),
    (lambda: simulate(DRIFTED, runs=10, seed=-1), "`seed` must be a whole number from 0"),
    (lambda: simulate(DRIFTED, runs=10, seed=1, threads=0), "`threads` must be a whole number"),
    (
        lambda: simulate(DRIFTED, runs=10, seed=1, horizon=0),
        "`horizon` must be a time .* a positive number, got 0",
    ),
    (lambda: simulate(DRIFTED, runs=10, seed=1, horizon="5"), "`horizon` must be a time .* got '5'"),
    (lambda: simulate(OU, runs=10, seed=1, dt="0.1"), "`dt` must be a time step, .* got '0.1'"),
    (lambda: Uniform(None, 1), "`shortest` must lie between 0 and `longest` 1, got None"),
    (lambda: Informed(Poisson(1.0), above="a"), "`above` must be a position, a number, got 'a'"),
    (lambda: PartialReset(10**400), "`factor` must be .* a finite number, got 1000"),
    (lambda: Periodic(10**400), "`period` must be .* a positive finite number, got 1000"),
    (lambda: simulate(DRIFTED, runs=10, seed=1, method="magic"), "`method` must be one of auto, exact"),
    (lambda: simulate(DRIFTED, runs=10, seed=1, dt=0.1), "`dt` 0.1 has no use in the exact method"),
    (
        lambda: simulate(OU, runs=10, seed=1, dt=-1.0),
        "`dt` must be a time step, a positive finite number, got -1.0",
    ),
    (lambda: simulate(OU, runs=10, seed=1, method="exact"), "cannot simulate OrnsteinUhlenbeck .* 'bridge'"),
    (lambda: simulate(DRIFTED, None, Reset(), runs=10, seed=1), "`perturbation` needs a `protocol`"),
    (lambda: simulate(DRIFTED, Periodic(1.0), "reset", runs=10, seed=1), "`perturbation` must be one of"),
    (lambda: simulate(DRIFTED, 3.0, runs=10, seed=1), "`protocol` must be one of stochreset.protocols"),
    (lambda: simulate("brownian", runs=10, seed=1), "`process` must be one of stochreset.processes"),
    (lambda: simulate(FREE, runs=10, seed=1, method="euler"), "mean first-passage time is infinite"),
    (lambda: simulate(LevyFlight(), runs=10, seed=1), "the longest runs would not end"),
    (lambda: Langevin(drift=lambda x: "left"), "`drift` must return a number, it returns unicode_type"),
    (lambda: Langevin(drift=lambda x: open(x)), "`drift` <lambda> cannot be compiled by numba"),
    (lambda: Langevin(drift=3.0), "`drift` must be a function of x, got 3.0"),
    (lambda: Langevin(), "`drift` or `potential` must be given"),
    (lambda: Langevin(drift=lambda x: -x, wall=2.0), "`wall` must lie on the side of `start`"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
