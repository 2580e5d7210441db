"""Random walks and small networks against results for them in closed form."""

import numpy as np
import pytest
from scipy import sparse

from theory.numerical import MarkovChain


def walk(states, **kwargs):
    """Nearest-neighbour walk at rate 1 each way on 0 .. states, reflecting at 0, target at the end."""
    rates = sparse.diags_array([np.ones(states), np.ones(states)], offsets=[-1, 1])
    return MarkovChain(rates, targets=states, **{"start": 0} | kwargs)


@pytest.mark.parametrize("states", [1, 7, 400])
def test_walk_on_a_line(states):
    # L (L + 1) / 2 from the reflecting end; with resetting through y^n, y + 1/y = 2 + r.
    process, rate = walk(states), 0.03
    assert process.chain.mfpt() == pytest.approx(states * (states + 1) / 2, rel=1e-13)
    angle = np.arccosh(1 + rate / 2)
    transform = np.cosh(angle / 2) / np.cosh((states + 0.5) * angle)
    assert process.chain.laplace(rate) == pytest.approx(transform, rel=1e-11)
    mean = (1 / transform - 1) / rate
    assert process.chain.mfpt_poisson(rate, process.reset(0)) == pytest.approx(mean, rel=1e-11)
    wrong = process.chain.mfpt_poisson(1.01 * rate, process.reset(0))
    assert states == 1 or wrong != pytest.approx(mean, rel=1e-5)
    slow = process.chain.quasi_steady_state()
    mode = (np.pi / 2) / (states + 0.5)
    assert slow.rate == pytest.approx(2 - 2 * np.cos(mode), rel=1e-10)


def test_resetting_to_a_state_or_a_law():
    process = walk(6)
    three = process.chain.mfpt_periodic(2.0, process.reset(3))
    law = process.chain.mfpt_periodic(2.0, process.reset([0, 0, 0, 1, 0, 0, 0]))
    assert three == law < process.chain.mfpt_periodic(2.0, process.reset(0))
    # Onto the target with probability 1/2: at rate r that is absorption at r / 2 from everywhere.
    half = process.reset([0.5, 0, 0, 0, 0, 0, 0.5])
    np.testing.assert_allclose(half.absorbed, 0.5)
    full = np.zeros((7, 7))
    full[:, [0, 6]] = 0.5
    assert process.chain.mfpt_poisson(1.0, process.kernel(full)) == process.chain.mfpt_poisson(1.0, half)
    transform = process.chain.laplace(1.0)
    assert process.chain.mfpt_poisson(1.0, half) == pytest.approx(
        (1 - transform) / (1 - 0.5 * (1 - transform)), rel=1e-12
    )


def test_a_plane_is_no_line():
    side = 12
    line = sparse.diags_array([np.ones(side - 1), np.ones(side - 1)], offsets=[-1, 1])
    rates = sparse.kronsum(line, line).tocsr()
    process = MarkovChain(rates, start=0, targets=side**2 - 1)
    assert process.chain.solver.line is None
    a = rates.toarray() - np.diag(np.asarray(rates.sum(axis=1)).ravel())
    inner = a[:-1, :-1]
    mean = np.linalg.solve(-inner, np.ones(side**2 - 1))
    assert process.chain.mfpt() == pytest.approx(mean[0], rel=1e-12)


def test_a_target_that_may_be_missed():
    # 0 -> 1 (target) at 1, 0 -> 2 (trap) at 3.
    process = MarkovChain([[0, 1, 3], [0, 0, 0], [0, 0, 0]], start=0, targets=1, labels=("a", "b", "c"))
    assert process.chain.mfpt() == np.inf
    assert process.chain.laplace(0.0) == pytest.approx(0.25)
    assert process.chain.labels == ("a", "c")
    # Four tries of mean 1/4 in state 0, and three waits in the trap for a reset at rate 0.5.
    assert process.chain.mfpt_poisson(0.5, process.reset(0)) == pytest.approx(1 + 3 / 0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": 9}, "`targets` must be states from 0 to 2"),
        ({"targets": []}, "`targets` must be states from 0 to 2"),
        ({"targets": 0}, "`start` must not be on a target"),
        ({"start": 5}, "`start` must be a state from 0 to 2"),
        ({"rates": np.ones((2, 3))}, "`rates` must be a square matrix"),
        ({"rates": np.eye(3)}, "`targets` must be reachable, but no rate leads into"),
        ({"rates": -np.ones((3, 3))}, "must be finite and >= 0"),
    ],
)
def test_errors_say_what_to_do(change, message):
    given = {"rates": np.ones((3, 3)), "start": 0, "targets": 2} | change
    with pytest.raises(ValueError, match=message):
        MarkovChain(**given)


def test_a_long_line_is_solved_but_not_made_dense():
    process = walk(6000)
    assert process.chain.mfpt() == pytest.approx(6000 * 6001 / 2, rel=1e-12)
    with pytest.raises(ValueError, match="`rates` must have at most 5000 states"):
        process.chain.solver.dense.sum()
