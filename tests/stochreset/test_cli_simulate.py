import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from stochreset import (
    Brownian,
    DoubleWell,
    Interval,
    Kick,
    Once,
    PartialReset,
    Periodic,
    Poisson,
    Reset,
    ShrinkPerturb,
    SwitchPotential,
)
from stochreset import simulate as simulate_sample
from stochreset import simulation as simulation_module
from stochreset.cli import documents, main
from stochreset.exact_answers import _finite_volumes, exact_mean
from stochreset.models import MODELS
from stochreset.sample_file import SampleFileError, read_sample, write_sample
from theory import PassageSample, mean_passage_time

FAST = ("simulate", "brownian", "--set", "diffusion=0.5", "--poisson", "2.5", "--runs", "2000")
KEYS = set(
    """model parameters protocol perturbation method dt expected_bias runs seed horizon mfpt stderr low high
    lower_bound censored exact exact_source z seconds steps bias digest""".split()
)


@pytest.fixture
def run(capsys):
    """Run the command line in this process: exit code, standard output and standard error."""

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


@pytest.fixture
def document(run):
    """Run a command with ``--json`` that must succeed in silence, and parse what it prints."""

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    def call(*arguments):
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (0, "")
        assert out.startswith("{\n") and out.endswith("\n}\n")
        return json.loads(out, parse_constant=refuse)

    return call


@pytest.fixture
def failure(run):
    """Run a command that must end with exit code 2 and one line on standard error, and return the line."""

    def call(*arguments):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("stochreset: ") and err.endswith("\n") and err.count("\n") == 1
        return err

    return call


# What is printed


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


def test_infinite_mean_is_not_an_exact_number(document):
    found = document("simulate", "brownian", "--runs", 100)
    assert found["exact"] is found["exact_source"] is found["z"] is None
    assert (found["protocol"], found["perturbation"]) == ({"name": "never"}, None)


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


# Exact answers


@pytest.mark.parametrize(
    "process", [Brownian(drift=0.5), Interval(start=0.3), Brownian(start=2.0, drift=-1.0)]
)
@pytest.mark.parametrize("protocol", [Poisson(1.0), Periodic(0.7), Once(0.7)])
def test_finite_volumes_agree_with_closed_forms(process, protocol):
    exact = exact_mean(process, protocol)
    assert exact is not None and exact.source == "closed form"
    found = _finite_volumes(process, protocol, Reset(), math.inf)
    assert found == pytest.approx(exact.value, rel=1e-4)


@pytest.mark.parametrize(
    ("process", "protocol", "perturbation"),
    [
        (Brownian(diffusion=0.5, start=-1.0), Periodic(0.5), PartialReset(0.5)),
        (DoubleWell(), Poisson(0.1), ShrinkPerturb(0.5, 0.3)),
        (DoubleWell(), Once(1.0), Kick(0.5)),
        (DoubleWell(), None, None),
        (Interval(), Poisson(1.0), PartialReset(0.5)),
    ],
)
def test_numerical_answers_agree_with_simulation(process, protocol, perturbation):
    exact = exact_mean(process, protocol, perturbation)
    assert exact is not None
    sample = simulate_sample(process, protocol, perturbation, runs=4000, seed=5)
    stderr = sample.times.std() / math.sqrt(4000)
    assert abs(sample.times.mean() - exact.value) < 5 * stderr
    assert abs(sample.times.mean() - 1.12 * exact.value) > 5 * stderr


@pytest.mark.parametrize(
    ("process", "protocol", "perturbation", "horizon"),
    [
        (Brownian(), None, None, None),  # infinite
        (Brownian(), Once(1.0), None, None),  # infinite
        (Brownian(), Poisson(1.0), Kick(0.3), None),  # infinite
        (Brownian(), Poisson(1.0), None, 3.0),  # not implemented
        (Interval(), Poisson(1.0), Kick(0.5), None),  # kicked through the wall
    ],
)
def test_no_exact_answer(process, protocol, perturbation, horizon):
    assert exact_mean(process, protocol, perturbation, horizon) is None


# Models


def exists(model):
    """Models of the registry whose class is there; all of them in a complete package."""
    if find_spec(model.home.partition(":")[0]) is None:
        return False
    try:
        model.build()
    except AttributeError as problem:
        return "closed_forms" not in str(problem)
    return True


def built(name):
    if not exists(MODELS[name]):
        pytest.skip(f"{name} is not there yet")
    return MODELS[name]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_simulates_with_its_defaults(document, name):
    built(name)
    found = document("simulate", name, "--horizon", 30, "--runs", 300)
    assert 0 < found["mfpt"] <= 30 and found["runs"] == 300
    assert found["z"] is None or abs(found["z"]) < 5


@pytest.mark.parametrize("protocol", [("--period", 20), ("--poisson", 0.1)])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_agrees_with_what_it_knows_of_perturbation(document, name, protocol):
    built(name)
    found = document("simulate", name, *protocol, "--runs", 1000)
    assert found["censored"] == 0 and found["perturbation"] is not None
    assert found["z"] is None or abs(found["z"]) < 5


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_the_fields_of_the_class(name):
    model = built(name)
    process = model.build()
    names = [each.name for kind in model._classes() for each in fields(kind) if each.init]
    parts = [model.part[0]] if model.part else []
    optional = ["labels"]  # of a Markov chain: names for messages
    assert [each.name for each in model.parameters()] == [n for n in names if n not in parts + optional]
    assert set(model.units) == {each.name for each in model.parameters()}
    assert all(each.unit for each in model.parameters())
    assert model.values(process).keys() == set(model.units)


def test_list_of_models(document, run):
    if not all(map(exists, MODELS.values())):
        pytest.skip("some models are not there yet")
    found = document("models")["models"]
    assert [each["name"] for each in found] == list(MODELS)
    brownian = found[0]
    assert brownian["parameters"][1] == {"name": "diffusion", "default": 1.0, "unit": "length^2/time"}
    assert brownian["methods"] == ["exact", "bridge", "euler"]
    code, out, err = run("models")
    assert (code, err) == (0, "")
    assert all(f"{name}: " in out for name in MODELS)


def test_values_that_are_no_numbers(document):
    built("markov")
    found = document(
        "simulate", "markov", "--set", "rates=[[0, 1], [1, 0]]", "--set", "targets=1", "--runs", 500
    )
    assert found["parameters"]["rates"][0] == [0, 1]
    assert found["exact"] == pytest.approx(1.0) and found["exact_source"] == "numerical"


# Files


def test_file_holds_the_sample_and_the_document(document, tmp_path):
    path = tmp_path / "sample.h5"
    found = document(*FAST, "--out", path)
    sample = read_sample(path)
    assert sample.digest() == found["digest"]
    assert (sample.method, sample.dt, sample.bias) == ("exact", None, None)
    assert (sample.seed, sample.steps, sample.seconds) == (0, found["steps"], found["seconds"])
    with h5py.File(path) as file:
        assert set(file) == {"times", "censored"}
        attributes = dict(file.attrs)
    for key, value in found.items():
        if value is None:
            assert key not in attributes
        elif isinstance(value, dict):
            assert json.loads(attributes[key]) == value
        else:
            assert attributes[key] == value


def test_file_of_a_biased_sample(tmp_path):
    sample = simulate_sample(
        Brownian(drift=1.0),
        Poisson(1.0),
        runs=200,
        seed=2**64 - 1,
        method="euler",
        dt=0.1,
        estimate_bias=True,
    )
    write_sample(tmp_path / "sample.h5", sample)
    again = read_sample(tmp_path / "sample.h5")
    assert (again.bias, again.dt, again.seed) == (sample.bias, 0.1, 2**64 - 1)
    assert np.array_equal(again.times, sample.times) and np.array_equal(again.censored, sample.censored)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_previous_file_survives_an_error(failure, monkeypatch, tmp_path, step):
    path = tmp_path / "sample.h5"
    path.write_text("mine")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, step, fail)
    assert "disk full" in failure(*FAST, "--out", path)
    assert path.read_text() == "mine" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nowhere/sample.h5", "nowhere does not exist; create it first"),
        ("", "is a folder; give the name of a file in it"),
        ("file/sample.h5", "does not exist; create it first"),
        ("/proc/sample.h5", "cannot be written"),
    ],
)
def test_bad_place_is_found_before_the_simulation(failure, monkeypatch, tmp_path, place, said):
    def never(*_, **__):
        raise AssertionError("simulated")

    monkeypatch.setattr(simulation_module, "simulate", never)
    (tmp_path / "file").touch()
    line = failure(*FAST, "--out", tmp_path / place)
    assert "`--out`" in line and said in line


def test_files_that_are_no_samples(document, tmp_path):
    path = tmp_path / "sample.h5"
    with pytest.raises(FileNotFoundError, match="there is no sample file"):
        read_sample(path)
    path.write_text("text")
    with pytest.raises(SampleFileError, match="is not a readable HDF5 file"):
        read_sample(path)
    with h5py.File(path, "w") as file:
        file["times"] = [1.0]
    with pytest.raises(SampleFileError, match="but not a sample"):
        read_sample(path)
    document(*FAST, "--out", path)
    with h5py.File(path, "r+") as file:
        file["times"][7] = 1.0
    with pytest.raises(SampleFileError, match="`/times` does not fit its checksum"):
        read_sample(path)
    with h5py.File(path, "r+") as file:
        del file["times"]
    with pytest.raises(SampleFileError, match="no dataset `times`, it may be damaged"):
        read_sample(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 3
    with pytest.raises(SampleFileError, match="upgrade stochreset"):
        read_sample(path)


# Errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("simulate", "MODEL"),
        ("models brownian", "brownian"),
        ("simulate brownain", "'brownain' is not known; did you mean brownian? The models are: brownian, "),
        ("simulate double_well", "did you mean double-well?"),
        ("simulate langevin", "The models are:"),
        ("simulate double-well --method exact", "`--method` 'exact' cannot simulate DoubleWell"),
    ],
)
def test_bad_commands(failure, arguments, said):
    assert said in failure(*arguments.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--poisson 1 --period 2", "`--poisson` and `--period` exclude each other"),
        ("--perturbation reset", "give `--poisson RATE`, `--period P` or `--once T`"),
        ("--period 0", "`--period` must be a positive finite number, got 0; leave it out"),
        ("--poisson -1", "`--poisson` must be a positive finite number, got -1"),
        ("--once nan", "`--once` must be a positive finite number, got nan"),
        ("--horizon nan", "`--horizon` must be a positive finite number, got nan"),
        ("--horizon inf", "leave it out to follow all runs to arrival"),
        ("--dt 0 --method euler", "`--dt` must be a positive finite number, got 0"),
        ("--dt 0.1", "`--dt` 0.1 has no use in the exact method"),
        ("--period soon", "--period"),
        ("--method best", "--method"),
        ("--method euler", "`--horizon` is needed"),
        ("--set drift=-1", "`--horizon` is needed"),
        ("--runs 0", "--runs"),
        ("--runs 1000000000", "--runs"),
        ("--seed -1", "--seed"),
        ("--threads 0", "--threads"),
        ("--set diffusion=-1", "`--set` for brownian: `diffusion` must be positive, got -1"),
        ("--set diffusion", "must look like NAME=VALUE, got 'diffusion'; brownian has: drift"),
        ("--set difusion=1", "did you mean diffusion? brownian has: drift, diffusion"),
        ("--set start=1", "`start` must differ from `target`"),
        ("--set drift=nan", "drift must be a number, not NaN, got 'nan'; its default is 0.0"),
        ("--set drift=NaN", "drift must be a number, not NaN, got 'NaN'"),
        ("--set drift=fast", "drift must be a number, got 'fast'"),
        ("--set drift=[1]", "drift must be a number, got '[1]'"),
        ("--set drift=true", "drift must be a number, got 'true'"),
        ("--set drift=null", "drift must be a number, got 'null'"),
        ("--set drift=inf", "`drift` must be a finite number, got inf"),
        ("--set drift=1 --set drift=2", "gives drift twice"),
        ("--period 1 --perturbation melt", "`--perturbation` must be reset[:X], partial:C"),
        ("--period 1 --perturbation partial", "`--perturbation` must be"),
        ("--period 1 --perturbation partial:x", "got 'partial:x'"),
        ("--period 1 --perturbation partial:nan", "'partial:nan': `factor` must be"),
        ("--period 1 --perturbation shrink:1:-1", "'shrink:1:-1': `noise` must be"),
        ("--period 1 --perturbation kick:1:2:3", "`--perturbation` must be"),
        ("--period 1 --perturbation switch", "needs a process with a second potential"),
    ],
)
def test_bad_values(failure, arguments, said):
    assert said in failure("simulate", "brownian", *arguments.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "simulate ornstein-uhlenbeck --method exact",
            "`--method` 'exact' cannot simulate OrnsteinUhlenbeck",
        ),
        ("simulate markov --set rates=[[0,NaN],[1,0]]", "rates must be a number, not NaN"),
        ("simulate markov --set rates=3", "`rates` must be a square matrix"),
        ("simulate plateaus --set noise=0", "`noise` must be positive, got 0"),
    ],
)
def test_bad_values_of_other_models(failure, arguments, said):
    command = arguments.split()
    built(command[1])
    assert said in failure(*command)


def test_switch_is_made():
    from stochreset.cli.settings import parse_perturbation

    assert parse_perturbation("switch", Poisson(1.0)) == SwitchPotential()


def test_ctrl_c_ends_promptly(run):
    arguments = ("simulate", "brownian", "--poisson", 1, "--method", "euler", "--runs")
    run(*arguments, 1, "--dt", 0.1)  # compiled
    sent = []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(1.0, interrupt).start()
    code, out, err = run(*arguments, 10_000_000, "--dt", 1e-7)
    assert time.monotonic() - sent[0] < 2
    assert (code, out, err) == (130, "", "")


# The program


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
