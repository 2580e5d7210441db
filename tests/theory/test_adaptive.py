import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from stochreset import DoubleWell, PlateauMixture, record
from theory import Ensemble, measure_response
from theory.adaptive import HazardPolicy, PlateauLaw, PlateauWatch, replay
from theory.adaptive.pilot import response_taus, unexplained_hazard

LAW = PlateauLaw(mean=71.9, spread=0.5, noise=0.15)
MODEL = PlateauMixture(plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=3)
GOAL = 72.5


def on_plateaus(runs, epochs, seed, law=LAW):
    """Runs that sit on plateaus of this law from the first epoch on, all with the same noise."""
    rng = np.random.default_rng(seed)
    return law.mean + law.spread * rng.normal(size=(runs, 1)) + law.noise * rng.normal(size=(runs, epochs))


# The decision


def test_the_decision_flips_where_the_hazard_crosses_one_over_tau():
    run = [[71.9, 72.2, 72.1]]
    precision = 1 / 0.5**2 + 3 / 0.15**2
    centre = (71.9 / 0.5**2 + 216.2 / 0.15**2) / precision
    hazard = stats.norm.sf(GOAL, centre, math.sqrt(0.15**2 + 1 / precision))
    for factor, due in ((1 - 1e-9, True), (1 + 1e-9, False)):
        policy = HazardPolicy(threshold=GOAL, tau=factor / hazard, settle=1, laws=LAW)
        assert policy.perturbs(run)[0] == due
    assert HazardPolicy(threshold=GOAL, tau=2 / hazard, settle=1, laws=LAW, background=hazard / 2).perturbs(
        run
    ) == [False]


def test_a_known_hazard_decides_for_every_run_alike():
    # Geometric passage: all runs on one plateau, hazard sf(2) per epoch whatever the run has seen.
    law = PlateauLaw(72.2, 0.0, 0.15)
    values = on_plateaus(300, 8, 6, law)
    values = values[(values < GOAL).all(axis=1)]
    for tau, due in ((0.99 / stats.norm.sf(2), True), (1.01 / stats.norm.sf(2), False)):
        assert np.all(HazardPolicy(threshold=GOAL, tau=tau, settle=1, laws=law).perturbs(values) == due)


def test_nothing_happens_before_a_run_has_settled_and_given_its_readings():
    policy = HazardPolicy(threshold=90, tau=1, settle=(5, 3), laws=LAW, readings=2)
    done = [
        policy.perturbs(on_plateaus(4, epochs, 1), cycle) for cycle in (0, 1, 7) for epochs in range(1, 8)
    ]
    first = [next(k for k in range(1, 8) if done[7 * c + k - 1].all()) for c in range(3)]
    assert first == [6, 4, 4]


def test_laws_and_taus_belong_to_cycles():
    laws = PlateauLaw(71.9, 0.5, 0.15), PlateauLaw(72.4, 0.5, 0.15)
    policy = HazardPolicy(threshold=GOAL, tau=(30, 10), settle=1, laws=laws, readings=1)
    hazards = [policy.hazard([[72.0]], cycle)[0] for cycle in (0, 1, 5)]
    assert hazards[0] < hazards[1] == hazards[2]
    assert [float(policy.expected(cycle, 0, 1)) for cycle in (0, 1, 5)] == [30, 10, 10]


def test_tau_is_guessed_from_the_runs_own_course():
    policy = HazardPolicy(threshold=GOAL)
    assert float(policy.expected(0, 0, 12)) == 24
    assert policy.expected(2, np.array([30, 50]), 9).tolist() == [4 * 15, 4 * 25]


def test_a_run_that_diverges_upwards_has_not_reached_the_goal():
    policy = HazardPolicy(threshold=72, tau=10, settle=3, laws=PlateauLaw(71.5, 0.5, 0.15))
    found = replay(policy, [[60, 70, np.inf, np.nan]])
    assert found.epochs.tolist() == [2] and not found.reached[0] and not found.perturbed[0]


def test_longest_ends_any_wait():
    policy = HazardPolicy(threshold=90, tau=1e9, settle=1, laws=PlateauLaw(89.9, 0.5, 0.15), longest=6)
    assert replay(policy, np.full((2, 9), 89.5)).epochs.tolist() == [6, 6]


def test_replay_and_watch_are_the_same_rule():
    traces = MODEL.simulate(25, 90, seed=7).values.copy()
    traces[0, 40:] = np.nan
    for policy in (
        HazardPolicy(threshold=GOAL),
        HazardPolicy(threshold=GOAL, settle=(18, 16), laws=LAW, readings=1),
        HazardPolicy(threshold=GOAL, tau=60, settle=18, laws=(LAW, replace(LAW, noise_dof=9.0))),
    ):
        done = replay(policy, traces)
        assert done.perturbed.any() and done.reached.any()
        for run, trace in enumerate(traces):
            watch = PlateauWatch(policy)
            end = next(
                (e for e, v in enumerate(trace, 1) if np.isfinite(v) and (watch.update(v) or watch.reached)),
                None,
            )
            assert (end or np.sum(np.isfinite(trace))) == done.epochs[run]
            assert (watch.cycle, watch.reached) == (int(done.perturbed[run]), done.reached[run])


# A pilot


def test_a_pilot_gives_plateau_and_law():
    policy = HazardPolicy.from_pilot(MODEL.simulate(200, 60, seed=1), 40, GOAL)
    assert 12 <= policy.settle[0] <= 20 and policy.tau == (40.0,) and policy.readings == 1
    assert policy.laws[0].noise == pytest.approx(0.15, rel=0.05)
    assert policy.laws[0].spread == pytest.approx(0.5, rel=0.2)
    assert policy.background < 0.002
    assert HazardPolicy.from_pilot(MODEL.simulate(40, 50, seed=1), None, GOAL, alpha=0.1).tau == ()


def test_perturbed_runs_give_laws_and_settling_of_their_own():
    model = PlateauMixture(
        plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=3,
        depth_after=5, relaxation_time_after=2, gain=0.7,
    )  # fmt: skip
    free, kicked = model.simulate(200, 100, seed=1), model.simulate(200, 120, 30, seed=2)
    response = measure_response(free, kicked, 73.5, resamples=10)
    policy = HazardPolicy.from_pilot(free, response, 73.5, perturbed=kicked)
    means = [law.mean for law in policy.laws]
    np.testing.assert_allclose(means, [71.9, 72.6, 73.3, 74.0], atol=0.15)
    assert policy.settle[1] < policy.settle[0]
    # A completes before the last cycle: chained and directly measured residual times are the same thing.
    assert policy.tau[0] == pytest.approx(response.tau[0], rel=0.03)
    assert list(policy.tau) == sorted(policy.tau, reverse=True)


def test_arrivals_that_values_do_not_tell_of_are_seen():
    process = DoubleWell(barrier=1.0, diffusion=0.3)
    free = record(process, runs=200, epochs=100, seed=1)
    policy = HazardPolicy.from_pilot(free, 40, 1.0)
    rate = 1 / process.mfpt()
    assert policy.background == pytest.approx(rate, rel=0.3)
    plain = replace(policy, background=0.0)
    assert unexplained_hazard(plain, on_plateaus(200, 40, 1, policy.laws[0])) < rate / 4


@pytest.mark.parametrize(
    ("tau", "threshold", "perturbed", "message"),
    [
        ("response", 72.0, None, "`tau` was measured at the threshold 72.5, not at 72"),
        (10, GOAL, "free", "`perturbed` must have a perturbation and a period"),
        (10, GOAL, "short", "`perturbed` perturbed:4 does not settle within its period"),
        (10, GOAL, "falling", "`perturbed` is at_most, `unperturbed` at_least: give the same metric"),
        (10, GOAL, "cut", "`perturbed` perturbed:40 ends after 60 epochs, within its first cycle"),
        (10, GOAL, "few", "`perturbed` must have 20 runs recorded"),
    ],
)
def test_a_pilot_that_does_not_fit_is_refused(tau, threshold, perturbed, message):
    free = MODEL.simulate(30, 60, seed=1)
    others = {
        None: lambda: None,
        "free": lambda: free,
        "falling": lambda: replace(MODEL.simulate(30, 60, 30, seed=2), direction="at_most"),
        "short": lambda: MODEL.simulate(30, 60, 4, seed=2),
        "cut": lambda: MODEL.simulate(30, 60, 40, seed=2),
        "few": lambda: MODEL.simulate(10, 60, 30, seed=2),
    }
    if tau == "response":
        tau = measure_response(free, MODEL.simulate(30, 60, 30, seed=2), GOAL, resamples=10)
    with pytest.raises(ValueError, match=message):
        HazardPolicy.from_pilot(free, tau, threshold, perturbed=others[perturbed]())


def test_without_a_quasi_steady_state_there_is_no_plateau_to_take():
    rising = 50 + np.arange(100) / 2 + np.random.default_rng(1).normal(size=(60, 100))
    with pytest.raises(ValueError, match="`unperturbed` has no quasi-steady state .* does without a pilot"):
        HazardPolicy.from_pilot(Ensemble(rising, np.arange(60)), 10, 120)


def test_responses_that_cannot_be_chained_are_refused():
    free = MODEL.simulate(60, 100, seed=1)
    cut = measure_response(free, MODEL.simulate(60, 50, 30, seed=2), GOAL, resamples=10)
    with pytest.raises(ValueError, match="`response` knows 20 epochs after a perturbation of a period of 30"):
        response_taus(cut)


# The whole


def passages(policy, runs, seed):
    """First-passage times of the mixture of plateaus; the perturbation is a full reset."""
    rng, total, open_ = np.random.default_rng(seed), np.zeros(runs, dtype=int), np.arange(runs)
    rise, cycle = 30 * np.exp(-np.arange(1, 301) / 3), 0
    while open_.size:
        noise = rng.normal(size=(open_.size, 300))
        traces = 71.9 + 0.5 * rng.normal(size=(open_.size, 1)) - rise + 0.15 * noise
        done = replay(replace(policy, longest=300), traces, cycle, total[open_])
        total[open_] += done.epochs
        open_, cycle = open_[~done.reached], cycle + 1
    return total


def test_a_policy_that_perturbs_every_so_many_epochs_has_the_exact_mean():
    fixed = HazardPolicy(threshold=GOAL, tau=1, settle=20, laws=PlateauLaw(GOAL, 1, 1), readings=1)
    times = passages(fixed, 8_000, 1)
    exact, error = MODEL.mfpt(GOAL, 20), times.std(ddof=1) / math.sqrt(8_000)
    assert abs(times.mean() - exact) < 5 * error
    assert abs(times.mean() - 1.1 * exact) > 5 * error


def test_with_a_pilot_it_is_faster_than_every_fixed_period():
    best = min(MODEL.mfpt(GOAL, period) for period in range(18, 34, 2))
    policy = HazardPolicy.from_pilot(MODEL.simulate(100, 80, seed=1), 100, GOAL)
    times = passages(policy, 1_000, 2)
    assert times.mean() + 5 * times.std(ddof=1) / math.sqrt(1_000) < 0.9 * best


# State and errors


@pytest.mark.parametrize("stop", [0, 9, 20, 33, 50])
def test_a_watch_goes_on_from_its_state(stop):
    policy = HazardPolicy(threshold=GOAL, settle=(18, 6), laws=LAW, readings=1)
    trace = MODEL.simulate(1, 80, seed=3).values[0] - 1
    whole, first, second = PlateauWatch(policy), PlateauWatch(policy), PlateauWatch(policy)
    expected = [whole.update(value) for value in trace]
    done = [first.update(value) for value in trace[:stop]]
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    done += [second.update(value) for value in trace[stop:]]
    assert done == expected and sum(done) > 1 and whole.state_dict() == second.state_dict()


def test_at_the_goal_it_is_over():
    watch = PlateauWatch(HazardPolicy(threshold=90, tau=1, settle=1, laws=LAW, readings=1))
    assert [watch.update(value) for value in (80, 90, 60, 60)] == [True, False, False, False]
    assert watch.reached
    falling = PlateauWatch(HazardPolicy(threshold=0.1, direction="at_most", tau=9, settle=2, laws=LAW))
    assert [falling.update(value) for value in (0.5, 0.1)] == [False, False] and falling.reached


def test_a_policy_for_a_loss_perturbs_the_mirrored_run():
    up = HazardPolicy(threshold=GOAL, tau=40, settle=18, laws=LAW)
    down = replace(up, threshold=-GOAL, direction="at_most", laws=(replace(LAW, mean=-71.9),))
    traces = MODEL.simulate(40, 60, seed=4).values
    one, other = replay(up, traces), replay(down, -traces)
    assert np.array_equal(one.epochs, other.epochs) and one.perturbed.any()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_diverged_metric_is_an_error_that_changes_nothing(value):
    watch = PlateauWatch(HazardPolicy(threshold=GOAL))
    watch.update(70)
    before = watch.state_dict()
    with pytest.raises(ValueError, match="`metric` must be finite, got .* at epoch 2: the run has diverged"):
        watch.update(value)
    assert watch.state_dict() == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": math.nan}, "`threshold` must be finite"),
        ({"direction": "up"}, "`direction` must be"),
        ({"tau": 0.5}, "`tau` must be finite and at least 1 epoch"),
        ({"tau": (5, math.inf)}, "`tau` must be finite"),
        ({"settle": 0}, r"`settle\[0\]` must be a whole number, at least 1, got 0"),
        ({"settle": (3, 2.5)}, r"`settle\[1\]` must be a whole number"),
        ({"laws": (3.0,)}, "`laws` must be PlateauLaw objects"),
        ({"readings": 1}, "`readings` must be at least 2 where no `laws` are given"),
        ({"readings": 0}, "`readings` must be a whole number"),
        ({"longest": 0}, "`longest` must be a whole number"),
        ({"background": 1.0}, "`background` must be a hazard per epoch"),
        ({"alpha": 0}, "`alpha` must lie between 0 and 1"),
        ({"first": 7}, "`first` must be at least 8"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        HazardPolicy(**{"threshold": GOAL, **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((math.nan, 1, 1), "`mean` must be finite"),
        ((0, -1, 1), "`spread` must be finite and not negative"),
        ((0, 1, 0), "`noise` must be finite and positive"),
        ((0, 1, 1, 2), "`noise_dof` must be above 2"),
    ],
)
def test_laws_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        PlateauLaw(*settings)


def test_settings_are_plain_numbers_whatever_they_came_as():
    law = PlateauLaw(np.float64(71.9), np.float32(0.5), 1)
    policy = HazardPolicy(
        threshold=np.float64(72), tau=np.array([3, 4]), settle=np.int64(5), laws=law, readings=np.int64(2)
    )
    plain = policy.settings()
    numbers = [
        plain["threshold"],
        plain["readings"],
        *plain["tau"],
        *plain["settle"],
        *plain["laws"][0].values(),
    ]
    assert {type(number) for number in numbers} == {int, float}
    assert policy == HazardPolicy(
        threshold=72, tau=(3, 4), settle=5, laws=PlateauLaw(71.9, 0.5, 1.0), readings=2
    )


def test_states_of_something_else_are_refused():
    watch = PlateauWatch(HazardPolicy(threshold=GOAL))
    watch.update(70)
    before = watch.state_dict()
    with pytest.raises(ValueError, match="`state` was saved with the policy .*'threshold': 71"):
        watch.load_state_dict(PlateauWatch(HazardPolicy(threshold=71)).state_dict())
    with pytest.raises(ValueError, match="`state` must be what state_dict returned, it lacks cycle, epoch"):
        watch.load_state_dict({})
    with pytest.raises(ValueError, match="`policy` must be a theory.adaptive.HazardPolicy"):
        PlateauWatch(72.5)
    assert watch.state_dict() == before
