"""The perturber that decides by the metric of its run."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from theory.adaptive import HazardPolicy, PlateauLaw  # noqa: E402
from training import AdaptivePerturber, Perturber, read_study  # noqa: E402
from training.perturbations import ShrinkPerturb, StochasticReset, WeightNoise  # noqa: E402
from training.protocols import Periodic  # noqa: E402

from .training_loop import Saved  # noqa: E402

LAW = PlateauLaw(71.9, 0.5, 0.15)
POLICY = HazardPolicy(threshold=73, tau=20, settle=(4, 3), laws=LAW, readings=2)
METRIC = [60, 70, 71.5, 71.9, 71.8, 65, 71, 72.9, 72.95, 72.9, 72.4, 72.2, 66, 70, 72.9, 72.95, 72.9, 73.2]


def every(period):
    """A policy that perturbs every ``period`` epochs: its hazard is always below 1 / <tau> = 1."""
    return HazardPolicy(threshold=1e6, tau=1, settle=period, laws=PlateauLaw(0, 1, 1), readings=1)


class Loop(Saved):
    """One's own training loop, with dropout and batch norm; the metric is prescribed."""

    def __init__(self, make, compiled=False):
        torch.manual_seed(1)
        self.model = nn.Sequential(
            nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2)
        )
        trained = torch.compile(self.model, backend="eager") if compiled else self.model
        self.optimizer = torch.optim.Adam(self.model.parameters(), 0.01)
        self.perturber = make(trained, self.optimizer)
        torch.manual_seed(2)

    def epoch(self, *metric):
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.model(torch.randn(16, 3)), torch.randint(2, (16,))).backward()
        self.optimizer.step()
        return self.perturber.step(*metric)

    def parts(self):
        return {"model": self.model, "optimizer": self.optimizer, "perturber": self.perturber}


def adaptive(policy=POLICY, perturbation=None, **needed):
    return lambda model, optimizer: AdaptivePerturber(
        model, optimizer, perturbation or ShrinkPerturb(0.4, 0.1), policy, **{"seed": 5, **needed}
    )


def assert_same(one, other):
    for (name, value), also in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(value, also), name


def test_it_perturbs_by_the_metric_and_stops_at_the_goal():
    loop = Loop(adaptive())
    done = [epoch for epoch, metric in enumerate(METRIC, 1) if loop.epoch(metric)]
    assert done == [5, 12] and loop.perturber.reached
    assert (loop.perturber.epoch, loop.perturber.count) == (18, 2)
    assert not any(loop.epoch(60) for _ in range(20))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("perturbation", [ShrinkPerturb(0.4, 0.1), StochasticReset(), WeightNoise(0.1)])
def test_made_to_fire_every_so_many_epochs_it_is_the_perturber(perturbation, compiled):
    one = Loop(adaptive(every(3), perturbation), compiled)
    assert [one.epoch(0.5) for _ in range(8)] == [False, False, True] * 2 + [False] * 2
    other = Loop(lambda model, optimizer: Perturber(model, optimizer, perturbation, Periodic(3), seed=5))
    assert [other.epoch() for _ in range(8)] == [False, False, True] * 2 + [False] * 2
    assert_same(one.model, other.model)
    assert one.perturber.perturber.state_dict()["count"] == other.perturber.count == 2


@pytest.mark.parametrize("stop", [0, 3, 5, 6, 11, 12])
def test_resumes_bit_for_bit_in_the_middle_of_a_cycle(stop):
    whole, first = Loop(adaptive()), Loop(adaptive())
    torch.manual_seed(3)
    expected = [whole.epoch(metric) for metric in METRIC]
    torch.manual_seed(3)
    done = [first.epoch(metric) for metric in METRIC[:stop]]
    saved = first.save()
    second = Loop(adaptive(seed=77))  # the seed is in the state
    second.load(saved)
    done += [second.epoch(metric) for metric in METRIC[stop:]]
    assert done == expected and sum(done) == 2
    assert_same(whole.model, second.model)
    assert whole.perturber.state_dict() == second.perturber.state_dict()


def test_a_forgotten_cycle_would_be_noticed():
    whole, second = Loop(adaptive()), Loop(adaptive())
    expected = [whole.epoch(metric) for metric in METRIC]
    assert [second.epoch(metric) for metric in METRIC[3:]] != expected[3:]


def test_perturb_by_hand_begins_a_new_cycle():
    loop = Loop(adaptive())
    for metric in METRIC[:4]:
        assert not loop.epoch(metric)
    loop.perturber.perturb()
    assert not loop.epoch(METRIC[4]) and loop.perturber.count == 1
    assert [loop.epoch(71.8) for _ in range(3)] == [False, False, True]


def test_without_anything_but_a_threshold():
    loop = Loop(adaptive(HazardPolicy(threshold=93)))
    curve = [90 - 40 * 0.7**epoch + (0.05 if epoch % 2 else -0.05) for epoch in range(60)]
    done = [epoch for epoch, metric in enumerate(curve, 1) if loop.epoch(metric)]
    assert done and done[0] in (17, 22, 28, 35)


def test_a_loss_is_to_fall():
    policy = HazardPolicy(
        threshold=0.1, direction="at_most", tau=20, settle=2, laws=PlateauLaw(0.5, 0.1, 0.02)
    )
    loop = Loop(adaptive(policy))
    assert [loop.epoch(loss) for loss in (0.9, 0.5, 0.51, 0.5, 0.3, 0.09)] == [False] * 3 + [True] + [
        False
    ] * 2
    assert loop.perturber.reached


@pytest.mark.parametrize("metric", [float("nan"), torch.tensor(float("inf"))])
def test_a_diverged_run_is_an_error_and_nothing_is_done(metric):
    loop = Loop(adaptive(every(2)))
    loop.epoch(0.5)
    before, weights = loop.perturber.state_dict(), loop.model[0].weight.clone()
    with pytest.raises(ValueError, match="`metric` must be finite, got .* at epoch 2: the run has diverged"):
        loop.perturber.step(metric)
    assert loop.perturber.state_dict() == before and torch.equal(loop.model[0].weight, weights)


def test_states_of_something_else_change_nothing():
    loop = Loop(adaptive())
    loop.epoch(60)
    before = loop.perturber.state_dict()
    others = {
        "`state` was saved with the policy": adaptive(every(3)),
        "`state` was saved with the perturbation": adaptive(perturbation=WeightNoise(0.1)),
    }
    for message, make in others.items():
        with pytest.raises(ValueError, match=message):
            loop.perturber.load_state_dict(Loop(make).perturber.state_dict())
    with pytest.raises(ValueError, match="`state` must be what AdaptivePerturber.state_dict returned"):
        loop.perturber.load_state_dict({"epoch": 3})
    assert loop.perturber.state_dict() == before


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="`policy` must be a theory.adaptive.HazardPolicy, got 93"):
        Loop(adaptive(93))
    with pytest.raises(ValueError, match="`perturbation` must be one of training.perturbations"):
        Loop(adaptive(perturbation="shrink"))


def test_the_metric_of_the_first_process_counts(monkeypatch):
    # That `of_first_process` broadcasts is tested with two processes in test_several_processes.py.
    loop, asked = Loop(adaptive(every(2))), []

    def of_first_process(model, value):
        asked.append((model, value))
        return 7.0

    monkeypatch.setattr("training.adaptive_perturber.of_first_process", of_first_process)
    loop.epoch(0.5)
    assert asked == [(loop.model, 0.5)] and loop.perturber.watch.values == [7.0]


def test_the_published_runs_make_a_pilot(published_runs):
    study = read_study(published_runs)
    free, kicked = study.unperturbed, study.ensemble("partial_reset", 50)
    policy = HazardPolicy.from_pilot(
        replace(free, values=free.values[:200], seeds=free.seeds[:200]), 6.0, 72, perturbed=kicked
    )
    # Accuracy 71.92 +- 0.53 over runs, 0.15 within them; 73.7 after a partial reset.
    first, second = policy.laws[:2]
    assert 13 <= policy.settle[0] <= 18 and 7 <= policy.settle[1] <= 14
    assert first.mean == pytest.approx(71.92, abs=0.15) and first.spread == pytest.approx(0.53, rel=0.2)
    assert first.noise == pytest.approx(0.15, rel=0.15)
    assert second.mean == pytest.approx(73.75, abs=0.2)
