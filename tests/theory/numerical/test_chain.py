"""The algebra of chains against dense exponentials and solves, on chains small enough to check by hand."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.linalg import expm

from theory.numerical import AbsorbingChain, check_linear_response
from theory.numerical.elimination import BlockElimination, TridiagonalElimination

# 0 <-> 1 <-> 2 and 0 -> 2 -> 0, absorbed from 1 and 2: no line and no detailed balance.
GENERATOR = np.array([[-1.5, 1.0, 0.5], [0.7, -2.0, 0.9], [0.2, 0.6, -1.3]])
START = np.array([0.5, 0.5, 0.0])
KICK = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.4, 0.3]])
TIMES = np.array([0.0, 0.1, 1.0, 4.0, 11.0])
ONE = np.ones(3)
RING = AbsorbingChain.from_generator(GENERATOR, START)
LINE = AbsorbingChain([[0, 1.0, 0], [0.4, 0, 2.0], [0, 1.2, 0]], [0.1, 0, 0.5], start=0)


def generator(chain):
    rates = chain.solver.dense
    return rates - np.diag(rates.sum(axis=1) + chain.absorption)


@pytest.mark.parametrize("chain", [RING, LINE], ids=["ring", "line"])
@pytest.mark.parametrize("method", ["auto", "doubling"])
def test_unperturbed_law(chain, method):
    chain, a = dataclasses.replace(chain, method=method), generator(chain)
    powers = np.array([chain.start @ expm(a * t) for t in TIMES])
    np.testing.assert_allclose(chain.survival(TIMES), powers.sum(axis=1), rtol=1e-13)
    np.testing.assert_allclose(chain.density(TIMES), -powers @ a @ ONE, rtol=1e-12)
    np.testing.assert_allclose(chain.state(TIMES), powers / powers.sum(axis=1)[:, None], rtol=1e-12)
    mean = np.linalg.solve(-a, ONE)
    second = 2 * np.linalg.solve(-a, mean)
    assert chain.mfpt() == pytest.approx(chain.start @ mean, rel=1e-14)
    assert chain.second_moment() == pytest.approx(chain.start @ second, rel=1e-14)
    assert chain.cv() == pytest.approx(
        np.sqrt(chain.start @ second - (chain.start @ mean) ** 2) / (chain.start @ mean)
    )
    for s in (0.0, 0.3, 5.0):
        exact = chain.start @ np.linalg.solve(s * np.eye(3) - a, -a @ ONE)
        assert chain.laplace(s) == pytest.approx(exact, rel=1e-14)
    assert chain.survival(1.0).shape == () and chain.survival([]).shape == (0,)
    assert chain.state(1.0).shape == (3,)


@pytest.mark.parametrize("chain", [RING, LINE], ids=["ring", "line"])
def test_quasi_steady_state(chain):
    values, vectors = np.linalg.eig(generator(chain).T)
    order = np.argsort(-values.real)
    law = vectors[:, order[0]].real / vectors[:, order[0]].real.sum()
    mode = chain.quasi_steady_state()
    assert mode.rate == pytest.approx(-values[order[0]].real, rel=1e-13)
    np.testing.assert_allclose(mode.distribution, law, rtol=1e-12)
    gap = (values[order[0]] - values[order[1]]).real
    assert mode.relaxation_time == pytest.approx(1 / gap, rel=1e-12)
    np.testing.assert_allclose(chain.state(80.0), law, rtol=1e-9)


@pytest.mark.parametrize("chain", [RING, LINE], ids=["ring", "line"])
@pytest.mark.parametrize("method", ["auto", "doubling"])
def test_perturbed_means(chain, method):
    chain, a = dataclasses.replace(chain, method=method), generator(chain)
    mean, period, rate = np.linalg.solve(-a, ONE), 0.8, 0.6
    power = expm(a * period)
    spent = np.linalg.solve(a, (power - np.eye(3)) @ ONE)
    cycle = np.linalg.solve(np.eye(3) - power @ KICK, spent)
    assert chain.mfpt_periodic(period, KICK) == pytest.approx(chain.start @ cycle, rel=1e-13)
    alive = chain.start @ power
    assert chain.tau(period, KICK) == pytest.approx(alive @ KICK @ cycle / alive.sum(), rel=1e-13)
    assert chain.mfpt_once(period, KICK) == pytest.approx(
        chain.start @ spent + alive @ KICK @ mean, rel=1e-13
    )
    poisson = np.linalg.solve(rate * (np.eye(3) - KICK) - a, ONE)
    assert chain.mfpt_poisson(rate, KICK) == pytest.approx(chain.start @ poisson, rel=1e-13)
    wrong = chain.start @ np.linalg.solve(1.01 * rate * (np.eye(3) - KICK) - a, ONE)
    assert chain.mfpt_poisson(rate, KICK) != pytest.approx(wrong, rel=1e-4)
    occupied = np.linalg.solve(-a.T, chain.start)
    assert chain.tau_linear(KICK) == pytest.approx(occupied @ KICK @ mean / occupied.sum(), rel=1e-13)


@pytest.mark.parametrize("chain", [RING, LINE], ids=["ring", "line"])
@pytest.mark.parametrize("method", ["auto", "doubling"])
def test_perturbed_laws(chain, method):
    chain, a = dataclasses.replace(chain, method=method), generator(chain)
    times, period = np.array([0.0, 0.5, 0.8, 1.1, 1.6, 7.9]), 0.8
    expected = []
    for t in times:
        occupied = chain.start
        for _ in range(int(t // period)):
            occupied = occupied @ expm(a * period) @ KICK
        expected.append((occupied @ expm(a * (t - t // period * period))).sum())
    np.testing.assert_allclose(chain.survival_periodic(times, period, KICK), expected, rtol=1e-12)
    poisson = a + 0.6 * (KICK - np.eye(3))
    expected = [(chain.start @ expm(poisson * t)).sum() for t in times]
    np.testing.assert_allclose(chain.survival_poisson(times, 0.6, KICK), expected, rtol=1e-12)


def test_periodic_law_integrates_to_its_mean():
    nodes, weights = np.polynomial.legendre.leggauss(12)
    times = (np.arange(120)[:, None] + (nodes + 1) / 2) * 0.8
    area = np.sum(RING.survival_periodic(times, 0.8, KICK) * weights) * 0.4
    assert area == pytest.approx(RING.mfpt_periodic(0.8, KICK), rel=1e-12)
    assert area != pytest.approx(RING.mfpt_periodic(0.8 * 1.01, KICK), rel=1e-4)


@pytest.mark.parametrize("chain", [RING, LINE], ids=["ring", "line"])
def test_renewal_agrees_with_its_special_cases(chain):
    assert chain.mfpt_renewal(stats.expon(scale=1 / 0.6), KICK) == pytest.approx(
        chain.mfpt_poisson(0.6, KICK), rel=1e-10
    )
    narrow = chain.mfpt_renewal(stats.uniform(0.8 - 1e-5, 2e-5), KICK)
    assert narrow == pytest.approx(chain.mfpt_periodic(0.8, KICK), rel=1e-8)
    a, law = generator(chain), stats.geom(0.5)
    counts = np.arange(1, 60)
    powers = np.array([expm(a * n) for n in counts])
    mixed = np.tensordot(law.pmf(counts), powers, 1)
    spent = np.linalg.solve(a, (mixed - np.eye(3)) @ ONE)
    expected = chain.start @ np.linalg.solve(np.eye(3) - mixed @ KICK, spent)
    assert chain.mfpt_renewal(law, KICK) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("chain", [RING, LINE], ids=["ring", "line"])
def test_limits_without_effect(chain):
    mean, identity = chain.mfpt(), np.eye(3)
    assert chain.mfpt_periodic(0.3, identity) == pytest.approx(mean, rel=1e-13)
    assert chain.mfpt_poisson(3.0, identity) == pytest.approx(mean, rel=1e-13)
    assert chain.mfpt_poisson(0.0, KICK) == mean and chain.mfpt_periodic(np.inf, KICK) == mean
    assert chain.mfpt_poisson(1e-9, KICK) == pytest.approx(mean, rel=1e-8)
    assert chain.mfpt_periodic(1e4, KICK) == pytest.approx(mean, rel=1e-12)
    assert chain.mfpt_once(0.0, identity) == pytest.approx(mean, rel=1e-13)
    np.testing.assert_allclose(
        chain.survival_periodic(TIMES, 0.3, identity), chain.survival(TIMES), rtol=1e-11
    )


@pytest.mark.parametrize("chain", [RING, LINE], ids=["ring", "line"])
def test_linear_response_is_the_slope_of_the_exact_mean(chain):
    check = check_linear_response(chain, KICK)
    assert check.slope == pytest.approx(check.difference, rel=1e-7)
    assert check.helps == (check.slope < 0)
    assert check.slope != pytest.approx(check_linear_response(chain, KICK * 0.99).slope, rel=1e-4)


def test_the_process_may_go_on_as_another():
    faster = dataclasses.replace(LINE, absorption=LINE.absorption * 3)
    a = generator(LINE)
    power = expm(a * 0.7)
    spent = np.linalg.solve(a, (power - np.eye(3)) @ ONE)
    later = np.linalg.solve(-generator(faster), ONE)
    expected = LINE.start @ (spent + power @ KICK @ later)
    assert LINE.mfpt_once(0.7, KICK, then=faster) == pytest.approx(expected, rel=1e-13)


def test_multiples_of_the_period_are_after_the_perturbation():
    through = np.zeros((3, 3))
    np.testing.assert_array_equal(RING.survival_periodic(0.1 * np.arange(1, 9), 0.1, through), 0)
    assert RING.survival_periodic(0.0999, 0.1, through) > 0.9


def test_full_reset_slope_is_mean_squared_minus_half_the_second_moment():
    reset = np.tile(LINE.start, (3, 1))
    mean = LINE.mfpt()
    assert check_linear_response(LINE, reset).slope == pytest.approx(mean**2 - LINE.second_moment() / 2)
    assert LINE.tau_linear(reset) == pytest.approx(mean)


def test_elimination_inverts_larger_matrices_both_ways():
    rng = np.random.default_rng(3)
    rates, kill, b = rng.random((83, 83)), rng.random(83) * 1e-3, rng.random(83)
    np.fill_diagonal(rates, 0)
    matrix = np.diag(rates.sum(axis=1) + kill) - rates
    solver = BlockElimination(rates, kill)
    np.testing.assert_allclose(solver.solve(b), np.linalg.solve(matrix, b), rtol=1e-9)
    np.testing.assert_allclose(solver.solve_left(b), np.linalg.solve(matrix.T, b), rtol=1e-9)
    down, up = rng.random((2, 82))
    line = TridiagonalElimination(down, up, kill)
    block = BlockElimination(np.diag(up, 1) + np.diag(down, -1), kill)
    np.testing.assert_allclose(line.solve(b), block.solve(b), rtol=1e-13)
    np.testing.assert_allclose(line.solve_left(b), block.solve_left(b), rtol=1e-13)


@pytest.mark.parametrize("leak", [1e-3, 1e-14, 1e-25])
def test_slow_completion_keeps_its_relative_accuracy(leak):
    # Two fast states, absorbed from 1 at rate leak: <T> = (up + down + leak) / (up leak), by hand.
    up, down = 3e6, 5e6
    chain = AbsorbingChain([[0, up], [down, 0]], [0, leak], start=0)
    exact = (up + down + leak) / (up * leak)
    swap = [[0, 1], [1, 0]]
    assert chain.mfpt() == pytest.approx(exact, rel=1e-14)
    assert chain.mfpt_periodic(1.0, np.eye(2)) == pytest.approx(exact, rel=1e-12)
    assert chain.quasi_steady_state().rate == pytest.approx(1 / exact, rel=1e-6)
    # Swapping at rate r only adds r to both rates.
    rate = 1e6
    assert chain.mfpt_poisson(rate, swap) == pytest.approx(
        (up + down + 2 * rate + leak) / ((up + rate) * leak), rel=1e-12
    )


def test_spectral_and_doubling_agree_where_both_are_accurate():
    rng = np.random.default_rng(5)
    up, down = rng.random((2, 39)) + 0.1
    kill = np.r_[np.zeros(39), 0.7]
    rates = np.diag(up, 1) + np.diag(down, -1)
    one, other = (AbsorbingChain(rates, kill, 3, method=method) for method in ("spectral", "doubling"))
    times = np.array([0.1, 3.0, 40.0, 2000.0])
    np.testing.assert_allclose(one.survival(times), other.survival(times), rtol=1e-9)
    kernel = rng.dirichlet(np.ones(40), 40)
    for period in (0.5, 20.0):
        assert one.mfpt_periodic(period, kernel) == pytest.approx(
            other.mfpt_periodic(period, kernel), rel=1e-9
        )


def test_strong_drift_is_left_to_doubling():
    up, down = np.full(59, 10.0), np.full(59, 0.1)
    rates, kill = np.diag(up, 1) + np.diag(down, -1), np.r_[np.zeros(59), 10.0]
    chain = AbsorbingChain(rates, kill, 0)
    spectral = dataclasses.replace(chain, method="spectral")
    exact = (chain.start @ expm(generator(chain) * 6.0)).sum()
    assert chain.survival(6.0) == pytest.approx(exact, rel=1e-10)
    # Teeth: the eigenvectors are wrong here, or refused.
    try:
        assert spectral.survival(6.0) != pytest.approx(exact, rel=1e-3)
    except ValueError as error:
        assert "spectral" in str(error)


def test_uncertain_completion_has_an_infinite_mean():
    # From 1 to the target or into the trap 2, at equal rates.
    trapped = AbsorbingChain([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [0, 1, 0], start=0)
    assert trapped.mfpt() == trapped.second_moment() == np.inf and np.isnan(trapped.cv())
    assert trapped.laplace(0.0) == pytest.approx(0.5)
    assert trapped.laplace(1.0) == pytest.approx(0.5 / 3)
    assert trapped.survival(50.0) == pytest.approx(0.5)
    free = np.tile([1.0, 0, 0], (3, 1))
    # The trap is left at each reset: T by hand, one exponential stage then a fair choice.
    stage = trapped.laplace(0.5)
    assert trapped.mfpt_poisson(0.5, free) == pytest.approx((1 / stage - 1) / 0.5, rel=1e-13)
    assert np.isfinite(trapped.mfpt_periodic(1.0, free))
    assert trapped.mfpt_once(1.0, free) == np.inf
    with pytest.raises(ValueError, match="`start` must lead to completion with certainty"):
        trapped.quasi_steady_state()
    with pytest.raises(ValueError, match="`tau_linear` needs a finite unperturbed mean"):
        trapped.tau_linear(free)


def test_a_perturbation_that_closes_the_way():
    chain = AbsorbingChain([[0, 1, 0], [1, 0, 0], [0, 0, 0]], [0, 1, 0], start=0)
    to_trap = np.tile([0, 0, 1.0], (3, 1))
    assert np.isfinite(chain.mfpt())
    assert chain.mfpt_periodic(2.0, to_trap) == np.inf == chain.mfpt_poisson(0.1, to_trap)
    assert chain.mfpt_once(1.0, to_trap) == np.inf == chain.tau(1.0, to_trap)
    through = np.zeros((3, 3))
    assert chain.mfpt_once(1.0, through) == pytest.approx(
        quad(lambda t: float(chain.survival(t)), 0, 1, epsabs=1e-13)[0]
    )
    assert chain.tau(1.0, through) == 0.0


def test_a_single_state():
    one = AbsorbingChain([[0.0]], [2.0], start=0)
    assert one.mfpt() == 0.5 and one.cv() == pytest.approx(1.0)
    mode = one.quasi_steady_state()
    assert (mode.rate, mode.relaxation_time) == (2.0, 0.0)
    assert one.mfpt_periodic(0.1, [[1.0]]) == pytest.approx(0.5)


def test_results_cannot_be_written_to():
    for array in (RING.start, RING.absorption, RING.quasi_steady_state().distribution):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RING.mfpt_periodic(0, KICK), "`period` must be a positive number, got 0"),
        (lambda: RING.mfpt_periodic(np.nan, KICK), "`period` must be a positive number, got nan"),
        (lambda: RING.survival_periodic(1.0, np.inf, KICK), "`period` must be a positive number, got inf"),
        (lambda: RING.mfpt_poisson(-1, KICK), "`rate` must be a non-negative number, got -1"),
        (lambda: RING.mfpt_poisson(np.inf, KICK), "`rate` must be a non-negative number, got inf"),
        (lambda: RING.tau(1e6, KICK), "`period` must be a time that some passages survive, got 1e"),
        (lambda: RING.survival([-1.0]), "`t` must hold finite times >= 0"),
        (lambda: RING.laplace(-1.0), "`s` must hold finite times >= 0"),
        (lambda: RING.mfpt_poisson(1.0, np.eye(2)), r"`K` must be a matrix of shape \(3, 3\)"),
        (
            lambda: RING.mfpt_poisson(1.0, 2 * np.eye(3)),
            "`K` must have row sums of at most 1, got 2 in row 0",
        ),
        (lambda: RING.mfpt_poisson(1.0, -np.eye(3)), "`K` must hold probabilities, got an entry -1"),
        (lambda: RING.mfpt_renewal(3.0, KICK), "`law` must be a frozen scipy distribution"),
        (lambda: RING.mfpt_renewal(stats.norm(), KICK), "`law` must have support on times >= 0"),
        (lambda: RING.mfpt_renewal(stats.pareto(0.5), KICK), "a finite mean"),
        (lambda: AbsorbingChain([[0.0]], [1.0], start=1), "`start` must be a state from 0 to 0"),
        (lambda: AbsorbingChain([[0.0]], [1.0], start=[0.5]), "`start` must be weights >= 0 that sum to 1"),
        (lambda: AbsorbingChain([[0.0]], [1.0], start=[0.5, 0.5]), "`start` must have one weight per state"),
        (lambda: AbsorbingChain([[0.0]], [-1.0], 0), "`absorption` must be finite and >= 0, got"),
        (lambda: AbsorbingChain([[0, -1], [1, 0]], [1.0, 0], 0), "`rates` must be finite and >= 0, got"),
        (lambda: AbsorbingChain([[0, 1.0]], [1.0, 0], 0), r"`rates` must be \(n, n\)"),
        (lambda: AbsorbingChain([[0.0]], [1.0], 0, positions=[1, 2]), "`positions` must have one entry"),
        (lambda: AbsorbingChain([[0.0]], [1.0], 0, method="x"), "`method` must be 'auto'"),  # type: ignore[arg-type]
        (lambda: dataclasses.replace(RING, method="spectral").survival(1.0), "`method` 'spectral' needs"),
        (lambda: AbsorbingChain.from_generator([[-1.0, 2.0], [0, -1]], 0), "`generator` must have rows"),
        (lambda: AbsorbingChain.from_generator([[-1.0, 2.0]], 0), "`generator` must be a square matrix"),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
