"""Commands and values that ``stochreset simulate`` refuses, and Ctrl-C."""

import os
import signal
import threading
import time

import pytest

from stochreset import Poisson, SwitchPotential

from .commands import built


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
        (
            "--horizon 1 --estimate-bias",
            "`--estimate-bias` has no use in the exact method, which has no time step; leave it out, or choose "
            "`--method bridge` or `--method euler`",
        ),
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
        ("simulate markov --estimate-bias", "which has no time step; leave it out\n"),
        ("simulate plateaus --set noise=0", "`noise` must be positive, got 0"),
    ],
)
def test_bad_values_of_other_models(failure, arguments, said):
    command = arguments.split()
    built(command[1])
    assert said in failure(*command)


MANY = "1" + 401 * "0"
DEEP = 5000 * "["


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("brownian", "--set", f"target={MANY}"), "`target` must be a finite number, got inf"),
        (("brownian", "--set", f"target={MANY * 20}"), "`target` must be a finite number, got inf"),
        (("brownian", "--set", f"drift={DEEP}"), "drift must be a number, got '[[["),
        (("markov", "--set", f"rates={100 * '['}1{100 * ']'}"), "`--set` for markov: "),
        (("markov", "--set", f"rates={900 * '['}1{900 * ']'}"), "`--set` for markov: "),
        (
            ("markov", "--set", 'rates={"a":1}'),
            "rates must be a number, or a list of numbers or of such lists",
        ),
        (("markov", "--set", "rates=[[0,null],[1,0]]"), "got '[[0,null],[1,0]]'; its default is [[0.0, 1.0"),
        (("markov", "--set", "targets=[]"), "targets must be a number, or a list of numbers"),
        (
            ("lattice", "--set", f"target=1{22 * '0'}"),
            "target must be a whole number below 2**63 in size, got",
        ),
        (
            ("lattice", "--set", "target=-1e22"),
            "target must be a whole number below 2**63 in size, got '-1e22'",
        ),
        (("brownian", "--period", 1, "--perturbation", f"partial:{MANY}"), "a finite number, got inf"),
        (("brownian", "--period", 1, "--perturbation", f"partial:{DEEP}"), "with numbers, got 'partial:[[["),
        (("brownian", "--perturbation", f"partial:{MANY}"), "give `--poisson RATE`"),
    ],
)
def test_monstrous_values(failure, arguments, said):
    line = failure("simulate", *arguments)
    assert said in line and len(line) < 400


def test_large_whole_numbers(document):
    arguments = ("simulate", "lattice", "--horizon", 5, "--runs", 5, "--set")
    for number in (2**63 - 1, -(2**63) + 1):
        assert document(*arguments, f"target={number}")["parameters"]["target"] == number
    parameters = document("simulate", "brownian", "--horizon", 1, "--runs", 5, "--set", f"target={10**30}")
    assert parameters["parameters"]["target"] == 1e30


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
    assert (code, out, err) == (130, "", "stochreset: interrupted\n")
