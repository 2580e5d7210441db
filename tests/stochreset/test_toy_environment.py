"""Toy models as an environment: shared history, exact costs, exact answers."""

from dataclasses import replace

import numpy as np
import pytest

from stochreset import Autoregression, PlateauMixture, ToyEnvironment

FREE = PlateauMixture(plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=3)
MODELS = {"strong": replace(FREE, depth_after=8, relaxation_time_after=1.5, memory=0.5), "reset": FREE}
WALKS = {
    "reset": Autoregression(memory=0.95, start=1.0),
    "half": Autoregression(memory=0.95, start=1.0, keep=0.5),
}
GOAL, HORIZON = 72.0, 80


def plateaus(seed=0, **changes):
    return ToyEnvironment(
        MODELS, **({"goal": GOAL, "horizon": HORIZON, "periods": (5, 10, 20), "seed": seed} | changes)
    )


def walks(seed=0):
    return ToyEnvironment(WALKS, goal=2.0, horizon=HORIZON, periods=(5, 10, 20), seed=seed)


@pytest.fixture(params=[plateaus, walks])
def world(request):
    return request.param()


def times_of(runs, goal):
    """First passage by brute force; runs end there."""
    found = []
    for run in runs.values:
        passed = [epoch for epoch, value in enumerate(run, start=1) if value >= goal]
        found.append(passed[0] if passed else int(np.isfinite(run).sum()))
    return np.array(found)


def test_fresh_runs_cost_what_they_last(world):
    for candidate, period in ((world.candidates[0], 10), (None, None)):
        before = world.spent
        runs = world.fresh(candidate, period, 7)
        times = times_of(runs, world.goal)
        assert world.spent - before == times.sum()
        np.testing.assert_array_equal(np.isfinite(runs.values).sum(axis=1), times)
        short = world.fresh(candidate, period, 7, epochs=4)
        assert short.horizon == 4
        assert world.spent - before == times.sum() + times_of(short, world.goal).sum()


def test_extending_the_pilot_pays_the_difference(world):
    first = world.pilot(4, 10)
    assert world.spent == 40
    longer = world.pilot(6, 25)
    assert (longer.values.shape, world.spent) == ((6, 25), 150)
    np.testing.assert_array_equal(longer.values[:4, :10], first.values)
    assert world.pilot(3, 10).values.shape == (6, 25)
    assert world.spent == 150
    assert world.pilot(6, 10_000).horizon == HORIZON


def test_branches_share_the_history_and_pay_for_the_rest(world):
    candidate, period = world.candidates[0], 10
    pilot = world.pilot(30, 20)
    before = world.spent
    branches = world.branch(candidate, period, 12)
    assert world.spent - before == (times_of(branches, world.goal) - period).sum()
    rows = [pilot.seeds.tolist().index(seed) for seed in branches.seeds]
    np.testing.assert_array_equal(branches.values[:, :period], pilot.values[rows, :period])
    assert (pilot.values[rows, :period] < world.goal).all()
    beyond = branches.values[:, period:20] == pilot.values[rows, period:20]
    assert not beyond.any()


def test_a_shorter_branch_costs_no_more_than_its_length(world):
    world.pilot(30, 20)
    before = world.spent
    branches = world.branch(world.candidates[0], 10, 12, epochs=14)
    assert branches.horizon == 14
    sample = branches.first_passage(world.goal)
    assert sample.n_censored > 0 and sample.times[sample.censored].max() == 14
    assert world.spent - before == (sample.times - 10).sum()


def test_a_pilot_run_branches_once_into_each_candidate_and_period(world):
    pilot = world.pilot(30, 20)
    alive = int((pilot.values[:, :10] < world.goal).all(axis=1).sum())
    one, other = world.candidates
    first = world.branch(one, 10, 4)
    rest = world.branch(one, 10, 100)
    assert len(first) + len(rest) == alive
    assert not set(first.seeds) & set(rest.seeds)
    assert world.branch(one, 10, 1) is None
    assert len(world.branch(other, 10, 100)) == alive
    # Branches of one run are alike up to the period alone.
    assert len(world.branch(one, 20, 1)) == 1


def test_a_period_beyond_the_pilot_has_no_branches(world):
    world.pilot(4, 9)
    assert world.branch(world.candidates[0], 10, 1) is None
    assert len(world.branch(world.candidates[0], 5, 1)) == 1


def test_no_run_is_dealt_twice(world):
    candidate = world.candidates[0]
    runs = [world.pilot(5, 20), *(world.fresh(candidate, 5, 6) for _ in range(3)), world.fresh(None, None, 6)]
    seeds = np.concatenate([each.seeds for each in runs])
    assert np.unique(seeds).size == seeds.size == 29


def test_the_truth_is_that_of_the_runs(world):
    exact = world.truth(world.goal)
    assert set(exact) == {(each.name, period) for each in world.candidates for period in (5, 10, 20)}
    for candidate, period in ((world.candidates[0], 10), (None, None)):
        times = times_of(world.fresh(candidate, period, 1500), world.goal)
        mean = world.unperturbed_truth(world.goal) if candidate is None else exact[candidate.name, period]
        error = times.std(ddof=1) / np.sqrt(times.size)
        assert abs(times.mean() - mean) < 4 * error
        assert abs(times.mean() - 0.8 * mean) > 4 * error


def test_branches_and_what_arrived_before_make_up_the_exact_mean():
    world, period = plateaus(), 10
    pilot = world.pilot(1500, period)
    early = times_of(pilot, GOAL)
    branches = world.branch(world.candidates[0], period, 1500)
    whole = np.concatenate([early[(pilot.values >= GOAL).any(axis=1)], times_of(branches, GOAL)])
    assert whole.size == 1500
    exact = world.truth(GOAL)["strong", period]
    assert abs(whole.mean() - exact) < 4 * whole.std(ddof=1) / np.sqrt(whole.size)


def test_the_seed_fixes_the_runs():
    one, same, other = (plateaus(seed).fresh(None, None, 3).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_models_must_be_one_without_perturbation():
    with pytest.raises(ValueError, match="`models` must be the same without perturbation.*2 different laws"):
        ToyEnvironment({"a": FREE, "b": replace(FREE, noise=0.2)}, goal=GOAL, horizon=HORIZON, periods=(5,))
    with pytest.raises(ValueError, match="at least one; .* got 0 different laws"):
        ToyEnvironment({}, goal=GOAL, horizon=HORIZON, periods=(5,))


@pytest.mark.parametrize("periods", [(), (0, 5), (5, HORIZON)])
def test_periods_are_checked(periods):
    with pytest.raises(ValueError, match="`periods` must be at least one, each at least 1 and below"):
        plateaus(periods=periods)
