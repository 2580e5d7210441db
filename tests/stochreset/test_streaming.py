"""Statistics without the times agree with those of the times; whole trajectories have the same law."""

import math

import numpy as np
import pytest

from stochreset import (
    Brownian,
    Informed,
    LatticeWalk,
    OrnsteinUhlenbeck,
    Periodic,
    Poisson,
    Reset,
    ShrinkPerturb,
    simulate,
    summarize,
    trajectories,
)

from .statistics_of_passages import same_sample_law

FREE = Brownian(diffusion=0.5)
OU = OrnsteinUhlenbeck(target=1.5)


@pytest.mark.parametrize("horizon", [None, 1.0])
def test_a_summary_is_that_of_the_sample(horizon):
    grid, bins = np.array([0.25, 0.5, 1.0]), np.linspace(0, 4, 9)
    arguments = dict(runs=200_000, seed=3, horizon=horizon)
    sample = simulate(FREE, Poisson(2.0), **arguments)
    summary = summarize(FREE, Poisson(2.0), grid=grid, bins=bins, **arguments)
    assert summary.runs == 200_000 and summary.n_censored == sample.n_censored
    assert summary.mean.value == pytest.approx(sample.times.mean(), rel=1e-12)
    assert summary.variance == pytest.approx(sample.times.var(ddof=1), rel=1e-10)
    assert summary.mean.lower_bound == (horizon is not None)
    beyond = [np.mean((sample.times > t) | (sample.censored & (sample.times >= t))) for t in grid]
    np.testing.assert_allclose(summary.survival, beyond, rtol=1e-12)
    np.testing.assert_array_equal(summary.counts, np.histogram(sample.times[sample.observed], bins)[0])
    assert (summary.shortest, summary.longest) == (sample.times.min(), sample.times.max())


def test_a_summary_does_not_depend_on_the_threads():
    one, two = (summarize(FREE, Poisson(2.0), runs=200_000, seed=3, threads=n) for n in (1, 2))
    assert one.mean == two.mean and one.variance == two.variance


@pytest.mark.parametrize(
    ("grid", "message"), [([1.0, 0.5], "ascending"), ([np.nan], "ascending"), ([3.0], "`grid` must end at")]
)
def test_grids_are_checked(grid, message):
    with pytest.raises(ValueError, match=message):
        summarize(FREE, runs=10, seed=1, horizon=2.0, grid=grid)


def test_trajectories_are_recorded_at_regular_times_and_at_perturbations():
    (path,) = trajectories(OU, Periodic(0.5), ShrinkPerturb(0.5, 0.1), runs=[4], seed=2, every=0.2)
    assert path.run == 4 and not path.censored
    assert path.times[0] == 0 and path.positions[0] == 0 and path.positions[-1] == OU.target
    assert np.all(np.diff(path.times) >= 0) and np.all(path.positions[:-1] < OU.target)
    for k in range(1, int(path.times[-1] / 0.2)):
        assert np.any(np.abs(path.times - 0.2 * k) < 1e-12)
    repeated = np.flatnonzero(np.diff(path.times) == 0)
    np.testing.assert_allclose(path.times[repeated], 0.5 * np.arange(1, repeated.size + 1))


def test_a_run_does_not_depend_on_the_others():
    arguments = dict(seed=5, every=0.1, horizon=3.0)
    alone = trajectories(OU, Poisson(1.0), runs=[7], **arguments)[0]
    among = trajectories(OU, Poisson(1.0), runs=10, **arguments)[7]
    np.testing.assert_array_equal(alone.positions, among.positions)


@pytest.mark.parametrize("protocol", [Periodic(0.5), Informed(Periodic(0.5), below=0.5)])
def test_trajectories_arrive_as_the_runs_of_simulate_do(protocol):
    perturbation = ShrinkPerturb(0.5, 0.2)
    paths = trajectories(FREE, protocol, perturbation, runs=3000, seed=1, every=0.15, horizon=20.0)
    times = np.array([path.times[-1] for path in paths])
    sample = simulate(FREE, protocol, perturbation, runs=20_000, seed=1, horizon=20.0)
    assert same_sample_law(times, sample.times)
    assert not same_sample_law(times, 1.2 * sample.times)
    late = [path for path in paths if path.censored]
    assert all(path.times[-1] == 20.0 for path in late)


@pytest.mark.parametrize(("protocol", "every"), [(None, 0.01), (None, 0.3), (Poisson(1.0), 0.03)])
def test_observation_does_not_change_the_steps_of_euler(protocol, every):
    """Cut to 0.01, steps of 0.2 would look at the target so often that the mean were 25 % shorter."""
    arguments = dict(method="euler", dt=0.2)
    near, perturbation = OrnsteinUhlenbeck(target=1.0), protocol and ShrinkPerturb(0.5, 0.2)
    paths = trajectories(near, protocol, perturbation, runs=5000, seed=2, every=every, **arguments)
    sample = simulate(near, protocol, perturbation, runs=50_000, seed=1, **arguments)
    # In hundredths of a step: without a protocol all times are whole steps, up to rounding.
    times, others = (np.rint(500 * np.array(x)) for x in ([path.times[-1] for path in paths], sample.times))
    assert same_sample_law(times, others)
    assert abs(times.mean() / others.mean() - 1) < 4.5 * times.std() / times.mean() / np.sqrt(5000) < 0.1
    assert all(np.all(np.diff(path.times) >= 0) for path in paths[:100])


def test_trajectories_without_points_in_between():
    (path,) = trajectories(LatticeWalk(target=3), runs=[0], seed=1, every=math.inf, horizon=10)
    assert path.times.size == 2


def test_long_trajectories_are_whole():
    far = OrnsteinUhlenbeck(target=6.0)
    (path,) = trajectories(far, Poisson(0.1), Reset(), runs=[0], seed=1, every=0.001, horizon=5.0)
    assert path.times.size > 5000 and path.times[-1] == 5.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            dict(runs=2, every=0.0),
            "`every` must be the time between recorded points, a positive number, got 0.0",
        ),
        (dict(runs=[], every=0.1), "`runs` must be a positive number of runs or a list"),
        (dict(runs=[-1], every=0.1), "`runs` must be a positive number of runs or a list"),
        (dict(runs=2.5, every=0.1), "`runs` must be a positive number of runs or a list .* got 2.5"),
        (dict(runs=None, every=0.1), "`runs` must be a positive number of runs or a list .* got None"),
        (dict(runs=[1.5], every=0.1), r"`runs` must be a positive number of runs or a list .* got \[1.5\]"),
        (dict(runs=2, every="a"), "`every` must be the time between recorded points, .* got 'a'"),
    ],
)
def test_arguments_of_trajectories_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        trajectories(FREE, seed=1, horizon=1.0, **arguments)
