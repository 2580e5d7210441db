import math

import numpy as np
import pytest
from scipy import stats

from stochreset import Informed, Kick, Periodic, Poisson, Reset, simulate
from stochreset.kernels.streams import new_stream
from stochreset.processes import markov_chain
from stochreset.processes.markov_chain import MarkovChain

from ..statistics_of_passages import agrees, same_law

RUNS = 200_000
RATES = np.array(
    [
        [0.0, 2.0, 0.5, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.3, 0.0],
        [0.2, 0.0, 0.0, 0.0, 0.1],
        [0.0, 4.0, 0.0, 0.0, 1.5],
        [9.0, 9.0, 9.0, 9.0, 0.0],
    ]
)
CHAIN = MarkovChain(rates=RATES, start=0, targets=4)


@pytest.mark.parametrize(
    "protocol, perturbation, exact",
    [
        (None, None, CHAIN.mfpt()),
        (Poisson(0.5), None, CHAIN.mfpt_poisson(0.5)),
        (Periodic(2.0), Reset(), CHAIN.mfpt_sharp(2.0)),
        (Poisson(0.5), Reset(to=3), CHAIN.mfpt_poisson(0.5, to=3)),
        (Periodic(0.7), Reset(to=1), CHAIN.mfpt_sharp(0.7, to=1)),
    ],
)
def test_means(protocol, perturbation, exact):
    sample = simulate(CHAIN, protocol, perturbation, runs=RUNS, seed=1)
    assert agrees(sample, exact) and not agrees(sample, 1.1 * exact)


def test_survival():
    times = simulate(CHAIN, runs=RUNS, seed=2).times
    assert same_law(times, lambda t: 1 - CHAIN.survival(t))
    other = MarkovChain(rates=1.1 * RATES, start=0, targets=4)
    assert not same_law(times, lambda t: 1 - other.survival(t))
    perturbed = simulate(CHAIN, Periodic(2.0), runs=RUNS, seed=2).times
    assert same_law(perturbed, lambda t: 1 - CHAIN.survival_sharp(t, 2.0))


def test_moments_and_transform():
    times = simulate(CHAIN, runs=RUNS, seed=2).times
    assert times.std() / times.mean() == pytest.approx(CHAIN.cv(), rel=0.01)
    assert np.exp(-0.2 * times).mean() == pytest.approx(CHAIN.laplace(0.2), rel=0.01)
    assert np.mean(times**2) == pytest.approx(CHAIN.second_moment(), rel=0.03)
    assert CHAIN.mfpt_poisson(np.array([[0.1, 0.2]])).shape == (1, 2)


def test_one_step_is_exponential_and_several_targets_share_it():
    chain = MarkovChain(rates=[[0, 1, 3], [0, 0, 0], [0, 0, 0]], start=0, targets=[1, 2])
    times = simulate(chain, runs=RUNS, seed=1).times
    assert same_law(times, stats.expon(scale=0.25).cdf) and not same_law(times, stats.expon(scale=0.275).cdf)


def test_informed_resets_leave_other_states_alone():
    sample = simulate(CHAIN, Informed(Poisson(2.0), above=10.0), runs=RUNS, seed=3)
    assert agrees(sample, CHAIN.mfpt())
    bold = simulate(CHAIN, Informed(Poisson(2.0), above=1.5), runs=RUNS, seed=3)
    assert not agrees(bold, CHAIN.mfpt())


def test_reset_onto_a_target_arrives():
    sample = simulate(CHAIN, Periodic(0.01), Reset(to=4), runs=1000, seed=1)
    assert sample.times.max() == 0.01


def test_threshold_of_a_trace():
    assert CHAIN.threshold() == 4.0
    with pytest.raises(ValueError, match=r"`targets` \[2\] are no threshold"):
        MarkovChain(rates=RATES, start=0, targets=2).threshold()


def test_a_uniform_number_of_one_stays_within_the_table(monkeypatch):
    """The largest uniform number is rounded to 1."""
    monkeypatch.setattr(markov_chain, "uniform", lambda stream: 1.0)
    monkeypatch.setattr(markov_chain, "exponential", lambda stream: 1.0)
    rates = np.zeros((3, 3))
    rates[0, 1] = rates[1, 2] = 1.0
    walk = MarkovChain(rates=rates, start=0, targets=2)
    advance = markov_chain._advance.py_func
    elapsed, state, _, arrived = advance(walk.exact_parameters(), 0.0, 0.0, math.inf, False, new_stream())
    assert (elapsed, state, arrived) == (2.0, 2.0, True)


def test_dead_ends():
    trap = MarkovChain(rates=[[0, 1, 1], [0, 0, 0], [0, 0, 0]], start=0, targets=2)
    assert trap.dead_ends() == (1,) and not trap.arrives and trap.mfpt() == np.inf
    with pytest.raises(ValueError, match="`horizon` is needed"):
        simulate(trap, runs=10, seed=1)
    sample = simulate(trap, runs=RUNS, seed=1, horizon=100.0)
    assert sample.censored.mean() == pytest.approx(0.5, abs=0.006)
    reset = simulate(trap, Poisson(0.5), runs=RUNS, seed=1)
    assert agrees(reset, trap.mfpt_poisson(0.5)) and not agrees(reset, 1.1 * trap.mfpt_poisson(0.5))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"rates": [[0, 1]]}, "`rates` must be a square matrix"),
        ({"rates": {"a": 1}}, "`rates` must be a square matrix of numbers, got {'a': 1}"),
        ({"rates": [[0, 1], [1]]}, "`rates` must be a square matrix of numbers"),
        ({"rates": [[0, -1], [1, 0]]}, "`rates` must be finite and not negative off the diagonal, got -1"),
        ({"rates": RATES, "start": 5}, "`start` must be states, whole numbers from 0 to 4, got 5"),
        ({"rates": RATES, "targets": 4.5}, "`targets` must be states"),
        ({"rates": RATES, "start": 4}, "`start` must not be a target"),
        ({"rates": RATES.T, "targets": 4, "labels": list("ABCD")}, "`labels` must name all 5"),
        (
            {"rates": np.eye(3, k=-1), "targets": [1, 2], "labels": list("ABC")},
            r"no path of rates leads from state 0 \(A\) to state 1 \(B\) or state 2 \(C\)",
        ),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        MarkovChain(**{"start": 0, "targets": 4, **arguments})


@pytest.mark.parametrize(
    "perturbation, message",
    [
        (Kick(noise=1.0), r"must be Reset\(\) or Reset\(to=state\)"),
        (Reset(to=7), "`to` must be a state from 0 to 4, got 7"),
        (Reset(to=0.5), "`to` must be a state"),
        (Reset(to=stats.norm()), "`to` must be a state"),
    ],
)
def test_other_perturbations_are_refused(perturbation, message):
    with pytest.raises(ValueError, match=message):
        simulate(CHAIN, Poisson(1.0), perturbation, runs=10, seed=1)
