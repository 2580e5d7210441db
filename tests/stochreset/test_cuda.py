"""The CUDA kernel without a GPU: its functions compiled for the CPU, and all of it in numba's simulator.

Both must give the same runs, so that what holds for many compiled ones holds for the kernel.

The simulator must be chosen before numba is imported: a fixture runs this file in a process of its own, which
simulates `CASES` and a few variants of the first. On a machine with a GPU the same cases run there, too.
"""

import importlib.util
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import stochreset as sr
from stochreset.cuda import GPU
from stochreset.plan import make_plan
from theory.numerical import AffineMap, FokkerPlanck

ALPHA = 1e-5
ROOT = Path(__file__).resolve().parents[2]
SEED = 20240
ORNSTEIN_UHLENBECK = sr.OrnsteinUhlenbeck(target=2.0)
SYMMETRIC = sr.Brownian(diffusion=0.5, target=1.0)
DRIFTING = sr.Brownian(drift=1.0, diffusion=0.5, target=1.0)
STEEPNESS = 2.0


def user_drift(x):
    return -STEEPNESS * math.sinh(x) / np.exp(abs(x))


USER = sr.Langevin(drift=user_drift, diffusion=0.5, start=0.5, target=1.0, wall=0.0)
CASES = {
    "bridge": ((ORNSTEIN_UHLENBECK,), {"dt": 0.2}, 300),
    "euler": ((DRIFTING,), {"dt": 0.1, "method": "euler"}, 1000),
    "poisson": ((SYMMETRIC, sr.Poisson(2.5), sr.Reset()), {"dt": 0.1}, 300),
    "partial": ((ORNSTEIN_UHLENBECK, sr.Periodic(0.85), sr.PartialReset(0.5)), {"dt": 0.2}, 200),
    "gamma": (
        (SYMMETRIC, sr.Gamma(0.7, 0.5), sr.Kick(noise=0.2, shift=0.1)),
        {"dt": 0.1, "horizon": 20},
        200,
    ),
    "table": (
        (
            DRIFTING,
            sr.Renewal(stats.weibull_min(0.7, scale=0.5)),
            sr.Reset(stats.uniform(-0.5, 1.0)),
        ),
        {"dt": 0.1},
        300,
    ),
    "user": ((USER, sr.Informed(sr.Uniform(0.1, 0.6), below=0.4), sr.Reset()), {"dt": 0.05}, 200),
    "horizon": ((SYMMETRIC,), {"dt": 0.1, "horizon": 0.75}, 400),
}


def sample_of(name, **changes):
    call, options, runs = CASES[name]
    return sr.simulate(*call, **{"runs": runs, "seed": SEED, "method": "bridge", **options, **changes})


# In the process of the simulator.


def run_cases(out):
    import warnings

    # In plain Python the generator's multiplications overflow aloud.
    warnings.filterwarnings("ignore", message="overflow encountered")
    found = {}
    for name in CASES:
        keep(found, name, sample_of(name, device="cuda"))
    keep(found, "again", sample_of("bridge", device="cuda", runs=40))
    keep(found, "other_seed", sample_of("bridge", device="cuda", runs=40, seed=SEED + 1))
    keep(found, "other_target", simulated_with_other_target())
    keep(found, "bias", sample_of("bridge", device="cuda", runs=40, estimate_bias=True))
    found["threads"] = times_in_short_launches()
    found["message"] = message_where_nothing_compiles()
    np.savez(out, **found)


def keep(found, name, sample):
    found[f"{name}_times"], found[f"{name}_censored"] = sample.times, sample.censored
    found[f"{name}_about"] = np.array([sample.method, sample.dt, sample.steps, sample.seconds])
    found[f"{name}_bias"] = np.nan if sample.bias is None else sample.bias.value


def simulated_with_other_target():
    return sr.simulate(sr.OrnsteinUhlenbeck(target=1.5), runs=300, seed=SEED, dt=0.2, device="cuda")


def times_in_short_launches():
    from stochreset import cuda

    cuda.MOST_ROUNDS, cuda.LARGEST_BATCH, cuda.FIRST_ROUNDS = 1, 16, 1
    (process,), options, _ = CASES["bridge"]
    plan = replace(sr.plan.make_plan(process, None, None, None, "bridge", 0.2), **options)
    return cuda.GPU(plan, threads=3).run(40, SEED, False)[0]


def message_where_nothing_compiles():
    from stochreset.kernels import cuda_kernel

    class Broken:
        def __getitem__(self, configuration):
            raise KeyError("<ufunc 'sign'>")

    cuda_kernel.build_kernel = lambda model: Broken()
    with pytest.raises(ValueError) as caught:
        sample_of("bridge", device="cuda")
    return str(caught.value)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    out = tmp_path_factory.mktemp("cuda") / "samples.npz"
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__, str(out)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(out) as archive:
        return dict(archive)


# Its functions compiled for the CPU: many runs.


@pytest.fixture(scope="module")
def compiled():
    from stochreset.kernels.bits import bits_float, float_bits
    from stochreset.kernels.compiling import called, kernel
    from stochreset.kernels.cuda_kernel import SUBSTITUTES, model_operations
    from stochreset.kernels.cuda_threads import CENSORED, FREE, GOES_ON, Model, new_threads, one_round
    from stochreset.kernels.cuda_translation import Translator

    rounds, as_they_are = {}, {float_bits: float_bits, bits_float: bits_float}

    def driver(one_round):
        @kernel
        def drive(model, threads, times, censored, seed):
            for run in range(times.size):
                taken, fate = run, GOES_ON
                while fate == GOES_ON:
                    fate, when = one_round(model, threads, 0, taken, 0, seed)
                    taken = FREE
                times[run], censored[run] = when, fate == CENSORED

        return drive.uncached

    def sample(name, runs, **changes):
        call, options, _ = CASES[name]
        options = {"protocol": None, "perturbation": None, "horizon": None, "method": "bridge", **options}
        names = ("process", "protocol", "perturbation")
        plan = sr.plan.make_plan(**{**options, **dict(zip(names, call, strict=False)), **changes})
        model = Model(*plan.stepped(), *plan.arguments(), float(plan.horizon))
        kinds = model_operations(model)
        key = tuple(kinds.values())
        if key not in rounds:
            rounds[key] = driver(Translator(called, {**SUBSTITUTES, **kinds}, as_they_are)(one_round))
        times, censored = np.empty(runs), np.empty(runs, np.bool_)
        rounds[key](model, new_threads(1), times, censored, np.uint64(SEED))
        return SimpleNamespace(times=times, censored=censored)

    return sample


def score(times, expected):
    """How many standard errors the mean is off."""
    return (times.mean() - expected) / (times.std() / math.sqrt(times.size))


def exact(name):
    if name == "partial":
        solver = FokkerPlanck(diffusion=1.0, drift=lambda x: -x, target=2.0, start=0.0, cells=400)
        return solver.chain.mfpt_periodic(0.85, solver.kernel(AffineMap(0.5)))
    return SYMMETRIC.mfpt_poisson(2.5) if name == "poisson" else ORNSTEIN_UHLENBECK.mfpt()


@pytest.mark.parametrize("name", [name for name in CASES if name != "user"])
def test_the_threads_follow_the_law_of_the_cpu_kernel(compiled, name):
    ours, theirs = compiled(name, 20_000), sample_of(name, runs=20_000)
    assert stats.ks_2samp(ours.times, theirs.times).pvalue > ALPHA
    assert abs(ours.censored.mean() - theirs.censored.mean()) < 0.025


def test_a_drift_ten_per_cent_off_fails(compiled):
    off = compiled("euler", 20_000, process=sr.Brownian(drift=1.1, diffusion=0.5))
    assert stats.ks_2samp(off.times, sample_of("euler", runs=20_000).times).pvalue < ALPHA


@pytest.mark.parametrize("name", ["poisson", "partial"])
def test_the_threads_have_the_exact_mean(compiled, name):
    times, expected = compiled(name, 20_000).times, exact(name)
    assert abs(score(times, expected)) < 5
    assert abs(score(times, 1.1 * expected)) > 5


def test_compiled_threads_are_those_of_the_simulator(compiled, simulated):
    for name in ("bridge", "poisson", "partial"):
        few = compiled(name, 30).times
        np.testing.assert_allclose(simulated[f"{name}_times"][:30], few, rtol=1e-6)


# In the simulator.


@pytest.mark.parametrize("name", CASES)
def test_simulated_kernel_follows_the_law_of_the_cpu_kernel(simulated, name):
    theirs = sample_of(name, runs=20_000)
    assert stats.ks_2samp(simulated[f"{name}_times"], theirs.times).pvalue > ALPHA


def test_another_target_in_the_simulator_fails(simulated):
    theirs = sample_of("bridge", runs=20_000)
    assert stats.ks_2samp(simulated["other_target_times"], theirs.times).pvalue < ALPHA


@pytest.mark.parametrize("name", ["bridge", "poisson", "partial"])
def test_simulated_mean_is_exact(simulated, name):
    expected = exact(name)
    assert abs(score(simulated[f"{name}_times"], expected)) < 5
    assert abs(score(simulated[f"{name}_times"], 1.6 * expected)) > 5


def test_euler_sees_the_target_displaced(simulated):
    # Wald's identity: the mean is the mean position at arrival, 0.5826 sigma sqrt(dt) + drift dt / 4 beyond
    # the target (Siegmund, Sequential Analysis, chapter 10), over the drift.
    times, dt = simulated["euler_times"], 0.1
    assert abs(score(times, 1 + 0.5826 * math.sqrt(dt) + dt / 4)) < 5
    assert abs(score(times, 1.0)) > 5
    np.testing.assert_allclose(times / dt, np.round(times / dt), atol=1e-9)


def test_runs_are_censored_at_the_horizon(simulated):
    times, censored = simulated["horizon_times"], simulated["horizon_censored"]
    survival = float(SYMMETRIC.survival(0.75))
    assert (times[censored] == 0.75).all() and (times[~censored] < 0.75).all()
    error = math.sqrt(survival * (1 - survival) / times.size)
    assert abs(censored.mean() - survival) < 5 * error
    assert abs(censored.mean() - 0.5 * survival) > 5 * error


def test_times_depend_on_the_seed_only(simulated):
    times = simulated["bridge_times"][:40]
    assert (simulated["again_times"] == times).all()
    assert (simulated["threads"] == times).all()
    assert not (simulated["other_seed_times"] == times).any()


def test_the_sample_says_how_it_was_made(simulated):
    for name, (_, options, runs) in CASES.items():
        method, dt, steps, seconds = simulated[f"{name}_about"]
        assert method == options.get("method", "bridge")
        assert float(dt) == options["dt"] and float(seconds) > 0
        times = simulated[f"{name}_times"]
        assert times.size == runs and not simulated[f"{name}_censored"][times < times.max()].any()
        assert int(steps) >= times.sum() / options["dt"] - runs
    method, _, steps, _ = simulated["euler_about"]
    assert int(steps) == round(simulated["euler_times"].sum() / 0.1)
    assert np.isfinite(simulated["bias_bias"])


def test_what_cuda_cannot_compile_is_said(simulated):
    assert "`device` 'cuda' cannot compile a function of x" in str(simulated["message"])
    assert "<ufunc 'sign'>" in str(simulated["message"])


# Its parts.


def test_generator_is_that_of_the_cpu():
    from stochreset.kernels.cuda_numbers import draw
    from stochreset.kernels.cuda_translation import Translator
    from stochreset.kernels.streams import fill_words, seed_lanes

    plain = Translator(lambda function: function, {}, {})

    words = np.zeros(104, np.uint64)
    with np.errstate(over="ignore"):
        plain(seed_lanes)(words, 1, np.uint64(5))
        numbers, found = tuple(words[:4]), []
        plain(fill_words)(words, 1, 100)
        for _ in range(100):
            word, *numbers = draw(*numbers)
            found.append(word)
    assert (np.array(found) == words[4:]).all()


def test_halves_of_a_word_lose_nothing():
    from stochreset.kernels.cuda_numbers import halves

    assert halves(np.uint64(0)) == (-(2**31), -(2**31))
    assert halves(np.uint64(2**64 - 1)) == (2**31 - 1, 2**31 - 1)
    assert halves(np.uint64(3 * 2**32 + 7)) == (7 - 2**31, 3 - 2**31)


def test_translation_binds_names_anew():
    from numba import njit

    from stochreset.kernels.cuda_translation import Translator

    @njit
    def inner(x):
        return math.sqrt(x)

    def other(x):
        return -x

    @njit
    def outer(x):
        return inner(x) + np.exp(x)

    def plain(function):
        return function

    assert Translator(plain, {}, {})(outer)(4.0) == 2.0 + np.exp(4.0)
    assert Translator(plain, {inner: other}, {})(outer)(4.0) == np.exp(4.0) - 4.0
    substitute = SimpleNamespace(exp=lambda x: 0.0)
    assert Translator(plain, {inner: other}, {np: substitute})(outer)(4.0) == -4.0
    assert outer(4.0) == 2.0 + np.exp(4.0)


def test_unknown_device():
    with pytest.raises(ValueError, match="`device` must be one of cpu, cuda, got 'gpu'"):
        sample_of("bridge", device="gpu")


def test_exact_method_is_for_the_cpu():
    with pytest.raises(ValueError, match="`method` 'exact' does not run on `device` 'cuda'.*method='bridge'"):
        sample_of("poisson", device="cuda", method="exact")


def test_other_processes_are_for_the_cpu():
    process = sr.MarkovChain(rates=[[0, 1], [0, 0]], start=0, targets=1)
    with pytest.raises(ValueError, match="`device` 'cuda' simulates one-dimensional.*not MarkovChain"):
        sr.simulate(process, runs=10, seed=1, device="cuda")


# On a GPU, and for one.


def usable():
    from stochreset.cuda import check_gpu

    try:
        check_gpu()
    except RuntimeError as problem:
        return str(problem)
    return ""


@pytest.mark.skipif(not usable(), reason="there is a GPU")
def test_without_a_gpu_the_error_says_what_is_missing():
    with pytest.raises(RuntimeError, match="`device` 'cuda' needs an NVIDIA GPU.*found numba .*device='cpu'"):
        sample_of("bridge", device="cuda")


def test_packages_that_do_not_fit_are_named(monkeypatch):
    import numba.cuda

    class Broken:
        def __init__(self, *_):
            raise AttributeError("module 'numpy' has no attribute 'row_stack'")

    monkeypatch.setattr(numba.cuda, "to_device", lambda array: array)
    monkeypatch.setattr("stochreset.kernels.cuda_kernel.build_kernel", lambda model: None)
    monkeypatch.setattr("stochreset.cuda._Batch", Broken)
    plan = make_plan(sr.OrnsteinUhlenbeck(target=2.0), None, None, None, "bridge", 0.1)
    with pytest.raises(
        RuntimeError, match=r"fit each other; .*numba .* and numpy .*row_stack.*stochreset\[cuda\]"
    ):
        GPU(plan)


on_a_gpu = [pytest.mark.gpu, pytest.mark.skipif(bool(usable()), reason=usable() or "there is a GPU")]


@pytest.mark.parametrize("name", [pytest.param(name, marks=on_a_gpu) for name in CASES])
def test_gpu_follows_the_law_of_the_cpu_kernel(name):
    ours, theirs = sample_of(name, runs=200_000, device="cuda"), sample_of(name, runs=200_000)
    assert stats.ks_2samp(ours.times, theirs.times).pvalue > ALPHA
    assert abs(ours.steps / theirs.steps - 1) < 0.05


@pytest.mark.gpu
@pytest.mark.skipif(bool(usable()), reason=usable() or "there is a GPU")
def test_gpu_times_depend_on_the_seed_only():
    times = sample_of("bridge", runs=50_000, device="cuda").times
    assert (sample_of("bridge", runs=50_000, device="cuda").times == times).all()
    assert (sample_of("bridge", runs=20_000, device="cuda").times == times[:20_000]).all()
    assert not (sample_of("bridge", runs=20_000, device="cuda", seed=1).times == times[:20_000]).any()


PTX = """
from types import SimpleNamespace
import numpy as np
import numba.cuda.dispatcher
from numba import cuda, typeof
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(9, 0))
from stochreset.kernels.cuda_kernel import build_kernel
from stochreset.kernels.cuda_threads import Model, new_threads
from stochreset.plan import make_plan
from test_cuda import CASES
call, options, _ = CASES["user"]
plan = make_plan(*call, None, "bridge", options["dt"])
model = Model(*plan.stepped(), *plan.arguments(), float(plan.horizon))
arrays = new_threads(2), np.zeros(2, np.int64), np.zeros(3), np.zeros(3, np.bool_)
kinds = [typeof(each) for each in (model, *arrays, 0, np.uint64(3), 5)]
ptx, _ = cuda.compile_ptx(build_kernel(model).py_func, tuple(kinds), cc=(9, 0))
print(ptx)
"""


@pytest.mark.skipif(not importlib.util.find_spec("numba_cuda"), reason="numba-cuda is not installed")
def test_kernel_compiles_for_a_gpu():
    paths = f"{ROOT}{os.pathsep}{Path(__file__).parent}"
    command = [sys.executable, "-c", PTX]
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if "NVVM" in done.stderr or "nvvm" in done.stderr:
        pytest.skip("NVIDIA's compiler NVVM is not installed")
    assert done.returncode == 0, done.stderr
    assert ".target sm_90" in done.stdout and "fma.rn.f64" in done.stdout


if __name__ == "__main__":
    run_cases(sys.argv[1])
