"""Predictions from one exact period, where the theory says they are exact and where it says they fail."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from theory.numerical import (
    AbsorbingChain,
    AffineMap,
    FokkerPlanck,
    check_linear_response,
    compare_predictions,
    plot_qss_error,
)

WELL = FokkerPlanck(drift=lambda x: -x, diffusion=1.0, target=2.5, start=-1.0, cells=200)
SHRINK = WELL.kernel(AffineMap(0.5, 0.9, 0.3))
RESULT = compare_predictions(WELL.chain, SHRINK, 5.0, [0.1, 0.3, 1, 2, 4, 5, 6, 8])


def test_both_are_exact_at_the_measured_period():
    at = list(RESULT.periods).index(5.0)
    assert abs(RESULT.constant_error[at]) < 1e-12
    assert abs(RESULT.cycles_error[at]) < 1e-10
    assert RESULT.exact[at] == pytest.approx(WELL.chain.mfpt_periodic(5.0, SHRINK), rel=1e-12)


def test_the_error_dies_out_with_the_relaxation_time():
    cycles = np.abs(RESULT.cycles_error)[:5]
    assert (np.diff(cycles) < 0).all()
    # e^{-P / t_rel}: from P = 2 to 4 a factor of about e^{-2 / t_rel}, to within three.
    ratio = cycles[4] / cycles[3]
    assert 1 / 3 < ratio / np.exp(-2 / RESULT.relaxation_time) < 3
    assert abs(RESULT.constant_error[0]) > 0.1


def test_a_full_reset_is_predicted_exactly_by_cycles_at_any_shorter_period():
    # A cycle after a reset to the start is the first cycle again.
    reset = np.tile(WELL.chain.start, (200, 1))
    result = compare_predictions(WELL.chain, reset, 5.0, [0.7, 2.0, 5.0])
    np.testing.assert_allclose(result.cycles_error, 0, atol=1e-9)
    survival = WELL.chain.survival
    mean = quad(survival, 0, 2.0, epsabs=1e-11)[0] / (1 - survival(2.0))
    assert result.cycles[1] == pytest.approx(mean, rel=1e-8)
    # The constant response by hand: tau is <T_5>.
    tau = quad(survival, 0, 5.0, epsabs=1e-11)[0] / (1 - survival(5.0))
    assert result.tau == pytest.approx(tau, rel=1e-8)
    assert result.constant[1] == pytest.approx(
        quad(survival, 0, 2.0, epsabs=1e-11)[0] + survival(2.0) * tau, rel=1e-8
    )


def test_beyond_the_measured_period_the_last_hazard_goes_on():
    np.testing.assert_array_equal(RESULT.extrapolated, RESULT.periods > 5)
    assert np.abs(RESULT.cycles_error[RESULT.extrapolated]).max() < 2e-3


def test_an_exponential_time_is_predicted_exactly_everywhere():
    memoryless = AbsorbingChain([[0.0]], [0.5], start=0)
    result = compare_predictions(memoryless, [[1.0]], 2.0, [0.1, 2.0, 9.0])
    for prediction in (result.exact, result.constant, result.cycles):
        np.testing.assert_allclose(prediction, 2.0, rtol=1e-12)
    assert np.isnan(result.optimum)


def test_the_optimum_is_where_the_hazard_falls_to_one_over_tau():
    # Half the runs are fast and half slow; their hazard falls as the fast ones complete.
    share, speed = np.array([0.5, 0.5]), np.array([2.0, 0.01])
    chain = AbsorbingChain(np.zeros((2, 2)), speed, start=share)
    result = compare_predictions(chain, np.tile(share, (2, 1)), 3.0, np.geomspace(0.02, 20, 300))

    def excess(t):
        alive = share * np.exp(-speed * t)
        return alive @ speed / alive.sum() - 1 / result.tau

    assert result.optimum == pytest.approx(brentq(excess, 0.1, 10), rel=1e-3)
    assert result.periods[np.argmin(result.constant)] == pytest.approx(result.optimum, rel=0.03)
    # Exactly, a cycle after a reset is the first again, so the most frequent is the best.
    assert result.best_exact == result.periods[0]
    alive = share * np.exp(-speed * result.periods[:, None])
    np.testing.assert_allclose(result.hazard, alive @ speed / alive.sum(axis=1), rtol=1e-12)


def test_linear_response_of_a_residual_that_depends_on_the_state():
    check = check_linear_response(WELL.chain, SHRINK)
    assert check.slope == pytest.approx(check.difference, rel=1e-6)
    assert check.helps and check.slope < 0
    # Teeth: with the residual averaged over the quasi-steady state instead, the slope is off.
    mode, mean = WELL.chain.quasi_steady_state(), WELL.chain.mfpt()
    naive = mean * (mode.distribution @ SHRINK.matrix @ WELL.chain.mean_times() - check.critical_tau)
    assert naive != pytest.approx(check.difference, rel=1e-3)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="`periods` must hold at least one period"):
        compare_predictions(WELL.chain, SHRINK, 5.0, [])
    with pytest.raises(ValueError, match="`periods` must be a positive number, got 0"):
        compare_predictions(WELL.chain, SHRINK, 5.0, [0, 1])
    with pytest.raises(ValueError, match="`measured_period` must be a positive number, got nan"):
        compare_predictions(WELL.chain, SHRINK, np.nan, [1.0])


def test_plot_draws_on_given_axes_and_makes_its_own():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    assert plot_qss_error(RESULT, axes, lw=3) is axes
    assert [line.get_linewidth() for line in axes.lines[:2]] == [3, 3]
    np.testing.assert_allclose(axes.lines[0].get_ydata()[0], abs(RESULT.constant_error[0]))
    assert plot_qss_error(RESULT).get_xscale() == "log"
