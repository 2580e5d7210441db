"""What ``stochreset simulate`` prints, in this process and as an installed program."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stochreset import Brownian, Poisson
from stochreset import simulate as simulate_sample
from stochreset import simulation as simulation_module
from stochreset.cli import documents
from theory import PassageSample, mean_passage_time

from .commands import FAST

KEYS = set(
    """model parameters protocol perturbation method dt expected_bias runs seed horizon mfpt stderr low high
    lower_bound censored exact exact_source z seconds steps bias digest""".split()
)


def test_document_is_that_of_the_python_sample(document):
    found = document(*FAST, "--seed", 3)
    sample = simulate_sample(Brownian(diffusion=0.5), Poisson(2.5), runs=2000, seed=3)
    assert found.keys() == KEYS
    assert found["digest"] == sample.digest()
    assert found["mfpt"] == pytest.approx(sample.times.mean(), rel=1e-12)
    assert found["stderr"] == pytest.approx(sample.times.std(ddof=1) / math.sqrt(2000), rel=1e-12)
    assert found["low"] < found["mfpt"] < found["high"]
    assert (found["model"], found["method"], found["dt"], found["bias"]) == ("brownian", "exact", None, None)
    assert (found["runs"], found["seed"], found["horizon"], found["censored"]) == (2000, 3, None, 0)
    assert found["parameters"] == {"drift": 0.0, "diffusion": 0.5, "start": 0.0, "target": 1.0}
    assert found["protocol"] == {"name": "poisson", "rate": 2.5}
    assert found["perturbation"] == {"name": "reset", "to": None}
    assert found["steps"] > 2000 and found["seconds"] > 0 and found["lower_bound"] is False


def test_mean_agrees_with_the_closed_form(document):
    found = document(*FAST[:-2])
    # Evans and Majumdar, Phys. Rev. Lett. 106, 160601 (2011): (exp(L sqrt(r / D)) - 1) / r.
    exact = math.expm1(math.sqrt(2.5 / 0.5)) / 2.5
    assert (found["runs"], found["seed"]) == (10_000, 0)
    assert found["exact"] == pytest.approx(exact, rel=1e-9) and found["exact_source"] == "closed form"
    assert found["z"] == pytest.approx((found["mfpt"] - exact) / found["stderr"], rel=1e-6)
    assert abs(found["z"]) < 5
    assert abs(found["mfpt"] - 1.1 * exact) > 5 * found["stderr"]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_digest_is_the_same_for_any_number_of_threads(document, threads):
    digest = simulate_sample(Brownian(diffusion=0.5), Poisson(2.5), runs=2000, seed=0, threads=1).digest()
    assert document(*FAST, "--threads", threads)["digest"] == digest


def test_seed_changes_the_digest(document):
    assert document(*FAST)["digest"] != document(*FAST, "--seed", 2**64 - 1)["digest"]


def test_lines_for_people(run):
    code, out, err = run(*FAST)
    assert (code, err) == (0, "")
    lines = dict(line.split(":", 1) for line in out.splitlines())
    assert lines.keys() == {
        "brownian", "protocol", "perturbation", "method", "mean", "exact", "censored", "speed", "digest",
    }  # fmt: skip
    assert "diffusion 0.5" in lines["brownian"] and "poisson, rate 2.5" in lines["protocol"]
    assert "exact; expected bias: none" in lines["method"]
    assert re.search(r"[\d.]+ ± [\d.]+ \[[\d.]+, [\d.]+\] from 2000 runs, seed 0", lines["mean"])
    assert "(closed form), z = " in lines["exact"] and "0 of 2000" in lines["censored"]


def test_censored_runs_give_a_restricted_mean(run, document):
    arguments = ("simulate", "brownian", "--horizon", 2, "--runs", 2000)
    found = document(*arguments)
    assert 0 < found["censored"] < 2000 and found["lower_bound"] is True and found["horizon"] == 2
    assert found["exact"] == pytest.approx(float(Brownian().restricted_mean(2.0)), rel=1e-9)
    assert abs(found["z"]) < 5
    out = run(*arguments)[1]
    assert "restricted mean:" in out and "a lower bound of the mean: some runs are censored" in out


def test_mean_is_that_of_the_theory():
    times = np.array([1.0, 3.0, 5.0, 0.5, 5.0])
    sample = PassageSample(times, times == 5.0)
    found, expected = documents.sample_mean(sample), mean_passage_time(sample)
    assert (found.value, found.stderr) == pytest.approx((expected.value, expected.stderr))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.lower_bound is expected.lower_bound is True


def test_single_run_has_no_error(document):
    found = document(*FAST[:-1], 1)
    assert found["stderr"] is found["low"] is found["z"] is None and found["mfpt"] > 0


def test_mean_that_may_be_infinite_is_not_an_exact_number(run, document):
    arguments = ("simulate", "interval", "--poisson", 1, "--perturbation", "kick:0.3", "--runs", 20)
    found = document(*arguments)
    assert found["exact"] is found["exact_source"] is found["z"] is None
    assert re.search(r"^exact: +not known, or infinite$", run(*arguments)[1], re.MULTILINE)


@pytest.mark.parametrize("model", ["brownian", "lattice", "run-and-tumble", "ctrw", "plateaus"])
@pytest.mark.parametrize("protocol", [(), ("--once", 3)])
def test_infinite_mean_needs_a_horizon(failure, run, monkeypatch, model, protocol):
    with monkeypatch.context() as patch:
        patch.setattr(simulation_module, "simulate", lambda *_, **__: pytest.fail("simulated"))
        line = failure("simulate", model, *protocol)
    assert "`--horizon` is needed: the mean first-passage time is infinite" in line
    assert run("simulate", model, *protocol, "--horizon", 5, "--runs", 10)[0] == 0


def test_euler_shows_and_estimates_its_bias(document):
    found = document(*FAST, "--method", "euler", "--dt", 0.02, "--estimate-bias")
    assert (found["method"], found["dt"]) == ("euler", 0.02)
    assert "farther" in found["expected_bias"]
    assert found["bias"].keys() == {"value", "stderr", "low", "high"}
    assert found["bias"]["value"] > 0 and found["z"] > 5


@pytest.mark.parametrize(
    ("texts", "protocol", "perturbation"),
    [
        ("--poisson 0.4", {"name": "poisson", "rate": 0.4}, {"name": "reset", "to": None}),
        ("--period 2 --perturbation reset", {"name": "periodic", "period": 2}, {"name": "reset", "to": None}),
        ("--once 2 --perturbation reset:-1", {"name": "once", "time": 2}, {"name": "reset", "to": -1}),
        ("--period 2 --perturbation partial:0.5", None, {"name": "partial", "factor": 0.5}),
        ("--period 2 --perturbation shrink:.5:1", None, {"name": "shrink", "shrink": 0.5, "noise": 1}),
        ("--period 2 --perturbation kick:0.1", None, {"name": "kick", "noise": 0.1, "shift": 0.0}),
        ("--period 2 --perturbation kick:0:-1", None, {"name": "kick", "noise": 0, "shift": -1}),
    ],
)
def test_protocols_and_perturbations(document, texts, protocol, perturbation):
    found = document("simulate", "brownian", "--set", "drift=2", "--runs", 200, *texts.split())
    assert found["protocol"] == (protocol or {"name": "periodic", "period": 2})
    assert found["perturbation"] == perturbation


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from stochreset.cli.entry import _run; _run(['simulate', '--help']); "
        "print({'numba', 'numpy', 'scipy', 'h5py', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--perturbation" in done.stdout and done.stdout.endswith("set()\n")


def test_installed_program():
    program = Path(sys.executable).with_name("stochreset")
    if not program.exists():
        pytest.skip("the package is not installed with its program")
    command = [program, *FAST, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout).keys() == KEYS
    help_text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=120).stdout
    assert "simulate" in help_text and "models" in help_text
