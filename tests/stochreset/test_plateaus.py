"""The mixture of plateaus: its exact laws against simulation, closed forms and limits."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from stochreset import PlateauMixture

THRESHOLD = 72.0
FOUR_SIGMA = 4.0
TRAINING = PlateauMixture(
    plateau_mean=71.9,
    plateau_spread=0.5,
    noise=0.15,
    depth=30,
    relaxation_time=3,
    depth_after=8,
    relaxation_time_after=1.5,
    memory=0.6,
    gain=0.05,
)


def like_training(**changes):
    settings = {name: getattr(TRAINING, name) for name in TRAINING.__slots__}
    return PlateauMixture(**(settings | changes))


def largest_z(estimate, exact, runs):
    """Largest deviation of observed fractions from exact probabilities, in standard errors."""
    inside = (exact > 1e-3) & (exact < 1 - 1e-3)
    assert inside.sum() > 5
    estimate, exact = estimate[inside], exact[inside]
    return np.abs((estimate - exact) / np.sqrt(exact * (1 - exact) / runs)).max()


@pytest.mark.parametrize(("memory", "period"), [(0.0, None), (0.0, 7), (0.6, 7), (1.0, 7)])
def test_survival_agrees_with_simulation(memory, period):
    model, runs, horizon = like_training(memory=memory), 100_000, 40
    sample = model.sample_passages(THRESHOLD, runs, horizon, period, seed=11)
    alive = np.array([1 - (sample.observed & (sample.times <= t)).mean() for t in range(horizon + 1)])
    exact = model.survival(THRESHOLD, horizon, period)
    assert exact[0] == pytest.approx(1)
    assert largest_z(alive, exact, runs) < FOUR_SIGMA
    # The same comparison fails for a law whose survival is 10 % off.
    assert largest_z(alive, 0.9 * exact, runs) > FOUR_SIGMA


@pytest.mark.parametrize("memory", [0.0, 0.6])
def test_mfpt_agrees_with_simulation(memory):
    model = like_training(memory=memory, gain=0.0)
    sample = model.sample_passages(THRESHOLD, 20_000, 1_000, period=12, seed=3)
    assert sample.n_censored == 0
    stderr = sample.times.std(ddof=1) / np.sqrt(len(sample))
    exact = model.mfpt(THRESHOLD, period=12)
    assert abs(sample.times.mean() - exact) < FOUR_SIGMA * stderr
    assert abs(sample.times.mean() - 0.9 * exact) > FOUR_SIGMA * stderr


@pytest.mark.parametrize("epochs", [12, 40, 2_000])
def test_survival_agrees_with_adaptive_quadrature(epochs):
    since = np.arange(1, epochs + 1)

    def density_alive(level):
        below = ndtr((THRESHOLD - 71.9 - 0.5 * level + 30 * np.exp(-since / 3)) / 0.15)
        return np.exp(-(level**2) / 2) / np.sqrt(2 * np.pi) * below.prod()

    expected, _ = quad(density_alive, -12, 12, points=[-2, -1, 0, 1, 2], epsabs=1e-13, limit=500)
    assert TRAINING.survival(THRESHOLD, epochs)[-1] == pytest.approx(expected, rel=1e-9)


def test_published_plateaus_have_a_falling_hazard():
    survival = like_training().survival(THRESHOLD, 200)
    early, late = (-np.log(survival[b] / survival[a]) / (b - a) for a, b in ((20, 60), (120, 200)))
    assert early > 4 * late


def test_without_spread_the_epochs_are_independent():
    model = like_training(plateau_spread=0.0, plateau_mean=71.7, gain=0.02)
    epoch = np.arange(1, 31)
    cycle, since = (epoch - 1) // 7, (epoch - 1) % 7 + 1
    drop = np.where(cycle == 0, 30 * np.exp(-since / 3), 8 * np.exp(-since / 1.5))
    closed = np.cumprod(ndtr((THRESHOLD - 71.7 - 0.02 * cycle + drop) / 0.15))
    np.testing.assert_allclose(model.survival(THRESHOLD, 30, period=7)[1:], closed, rtol=1e-12)


def test_without_spread_and_rise_the_passage_is_geometric():
    model = PlateauMixture(plateau_mean=0.0, plateau_spread=0.0, noise=1.0)
    hazard = ndtr(-2.0)
    assert model.mfpt(2.0) == pytest.approx(1 / hazard, rel=1e-12)
    assert model.mfpt(2.0, period=5) == pytest.approx(1 / hazard, rel=1e-12)


def test_vanishing_noise_arrives_when_the_mean_metric_crosses():
    model = like_training(noise=1e-3)
    epochs = np.arange(1, 31)
    crossing = ndtr((THRESHOLD + 30 * np.exp(-epochs / 3) - 71.9) / 0.5)
    # The largest of t noises lifts the metric by less than 4e-3, 8e-3 spreads.
    np.testing.assert_allclose(model.survival(THRESHOLD, 30)[1:], crossing, atol=4e-3)
    assert np.abs(0.9 * model.survival(THRESHOLD, 30)[1:] - crossing).max() > 4e-3


def test_overwhelming_noise_arrives_at_a_coin_toss():
    model = like_training(noise=1e6)
    np.testing.assert_allclose(model.survival(THRESHOLD, 10), 0.5 ** np.arange(11), rtol=1e-3)
    assert model.mfpt(THRESHOLD) == pytest.approx(2, rel=1e-3)


def test_one_epoch_law_is_the_sum_of_two_gaussians():
    model = PlateauMixture(plateau_mean=1.0, plateau_spread=3.0, noise=0.4)
    assert model.survival(2.0, 1)[1] == pytest.approx(ndtr(1 / np.hypot(3, 0.4)), rel=1e-10)


@pytest.mark.parametrize("period", [4, 10, 20])
def test_redrawn_plateaus_obey_the_cycle_formula(period):
    model = like_training(memory=0.0, gain=0.0)
    after = like_training(depth=8, relaxation_time=1.5)  # a first cycle that starts like the later ones
    survival, within = model.survival(THRESHOLD, period), after.survival(THRESHOLD, period)
    residual = within[:-1].sum() / (1 - within[-1])
    exact = model.mfpt(THRESHOLD, period)
    assert exact == pytest.approx(survival[:-1].sum() + survival[-1] * residual, rel=1e-10)
    # Plateaus with memory do not renew, and the same formula misses them.
    with_memory = like_training(memory=0.6, gain=0.0).mfpt(THRESHOLD, period)
    assert abs(exact / with_memory - 1) > 0.1


@pytest.mark.parametrize(
    ("changes", "period"),
    [
        ({}, 9),
        ({"memory": 1.0, "gain": 0.1}, 9),
        ({"memory": 0.0, "gain": 0.01}, 1),
        ({"memory": 0.6, "gain": 0.0}, 9),
        ({"memory": 1.0, "gain": 0.0, "noise": 2.0}, 9),
        ({"plateau_spread": 0.05}, None),
    ],
)
def test_mfpt_is_the_sum_of_the_survival(changes, period):
    model = like_training(**changes)
    assert model.mfpt(THRESHOLD, period) == pytest.approx(
        model.restricted_mean(THRESHOLD, 1_000, period), rel=1e-6
    )


def test_memory_runs_smoothly_between_redrawn_and_frozen():
    redrawn, almost, between, frozen = (
        like_training(memory=memory).survival(THRESHOLD, 60, period=10)
        for memory in (0.0, 1e-6, 0.5, 1 - 1e-4)
    )
    np.testing.assert_allclose(almost, redrawn, atol=1e-5)
    np.testing.assert_allclose(frozen, like_training(memory=1.0).survival(THRESHOLD, 60, 10), atol=3e-3)
    assert redrawn[-1] < between[-1] < frozen[-1]


def test_traces_have_the_law_of_the_model():
    runs = 20_000
    traces = TRAINING.simulate(runs, 24, period=8, seed=5).values
    assert traces.mean(axis=0) == pytest.approx(
        [
            71.9 + 0.05 * cycle - (8 * np.exp(-s / 1.5) if cycle else 30 * np.exp(-s / 3))
            for cycle in range(3)
            for s in range(1, 9)
        ],
        abs=FOUR_SIGMA * np.hypot(0.5, 0.15) / np.sqrt(runs),
    )
    covariance = np.cov(traces[:, [6, 7, 15, 23]].T)
    expected = 0.5**2 * np.array(
        [[1, 1, 0.6, 0.36], [1, 1, 0.6, 0.36], [0.6, 0.6, 1, 0.6], [0.36, 0.36, 0.6, 1]]
    ) + 0.15**2 * np.eye(4)
    tolerance = FOUR_SIGMA * np.sqrt(2 / runs) * expected[0, 0]
    np.testing.assert_allclose(covariance, expected, atol=tolerance)
    assert np.abs(covariance - 0.9 * expected).max() > tolerance


def test_runs_are_reproducible_whatever_the_size_of_the_ensemble():
    small, large = TRAINING.simulate(5, 20, period=6, seed=2), TRAINING.simulate(9, 50, period=6, seed=2)
    np.testing.assert_array_equal(small.values, large.values[:5, :20])
    np.testing.assert_array_equal(small.seeds, large.seeds[:5])
    assert not np.any(small.values == TRAINING.simulate(5, 20, period=6, seed=3).values)


def test_equal_seeds_agree_up_to_the_first_perturbation():
    perturbed, unperturbed = TRAINING.simulate(5, 20, period=6, seed=2), TRAINING.simulate(5, 20, seed=2)
    assert (perturbed.name, unperturbed.name) == ("perturbed:6", "unperturbed")
    np.testing.assert_array_equal(perturbed.values[:, :6], unperturbed.values[:, :6])
    assert not np.any(perturbed.values[:, 6:] == unperturbed.values[:, 6:])


@pytest.mark.parametrize("period", [None, 6])
def test_sampled_passages_are_those_of_the_traces(period):
    sample = TRAINING.sample_passages(THRESHOLD, 5_000, 30, period, seed=8)
    traced = TRAINING.simulate(5_000, 30, period, seed=8).first_passage(THRESHOLD)
    np.testing.assert_array_equal(sample.times, traced.times)
    np.testing.assert_array_equal(sample.censored, traced.censored)
    assert 0 < sample.n_censored < 5_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": 0.0}, "`noise` must be positive, got 0.0"),
        ({"plateau_spread": -1.0}, "`plateau_spread` must not be negative, got -1.0"),
        ({"depth_after": -2.0}, "`depth_after` must not be negative"),
        ({"relaxation_time": 0.0}, "`relaxation_time` must be positive"),
        ({"plateau_mean": np.nan}, "`plateau_mean` must be a finite number, got nan"),
        ({"memory": 1.2}, r"`memory` must lie between 0 .* and 1 .*, got 1.2"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        like_training(**changes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.simulate(0, 10, seed=1), "`runs` must be a whole number, 1 or larger, got 0"),
        (lambda model: model.simulate(3, 10, 2.5, seed=1), "`period` must be a whole number.* got 2.5"),
        (
            lambda model: model.sample_passages(np.inf, 3, 10, seed=1),
            "`threshold` must be a finite number, got inf",
        ),
        (lambda model: model.restricted_mean(72, 0), "`horizon` must be a whole number"),
        (lambda model: model.survival(np.nan, 5), "`threshold` must be a finite number, got nan"),
        (lambda model: model.survival("a", 5), "`threshold` must be a finite number, got 'a'"),
        (lambda model: like_training(plateau_mean="a"), "`plateau_mean` must be a finite number, got 'a'"),
    ],
)
def test_arguments_are_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call(TRAINING)


@pytest.mark.parametrize(
    ("changes", "threshold", "period", "message"),
    [
        ({}, 72, None, "does not converge: `plateau_spread` 0.5 is not below `noise` 0.15"),
        ({"memory": 1.0, "gain": 0.0}, 72, 10, "does not converge: `plateau_spread`"),
        ({"gain": -0.1}, 72, 10, "is infinite: with `gain` -0.1"),
        ({"noise": 0.51}, 72, None, "too rare for floating point"),
        ({"gain": 0.0}, 90, 10, "`threshold` 90 is out of reach"),
        ({"gain": 0.0, "memory": 0.0}, 90, 10, "`threshold` 90 is out of reach"),
        ({"plateau_spread": 0.0}, 90, None, "`threshold` 90 is out of reach"),
        ({"memory": 0.999999}, 72, 10, "`memory` 0.999999 too close to 1"),
    ],
)
def test_means_that_do_not_exist_are_refused(changes, threshold, period, message):
    with pytest.raises(ValueError, match=message):
        like_training(**changes).mfpt(threshold, period)
