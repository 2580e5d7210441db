"""Training and searches that go as wrong as they can: networks that are dead or diverge, goals met at once or never."""

import math
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from torch import nn  # noqa: E402

from theory import mean_passage_time, measured_points, rank, relaxation  # noqa: E402
from theory.search import OwnLoop, SearchSettings, search  # noqa: E402
from training import read_runs, read_study  # noqa: E402
from training.data import Digits  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import ShrinkPerturb  # noqa: E402
from training.protocols import Periodic  # noqa: E402
from training.study import Treatment, run_study  # noqa: E402
from training.task import Hardware, Task  # noqa: E402

from .small_study import study  # noqa: E402


def dead():
    """A network whose output is zero whatever comes in, and that cannot learn."""
    network = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    return network


def trained(folder, network=None, rate=0.1, **changes):
    settings = dict(epochs=6, seeds=range(3), treatments=[Treatment(ShrinkPerturb(), Periodic(2))])
    if network is not None or rate != 0.1:
        task = Task(
            Digits(40), network or nn_small, SGD(rate), batch_size=10, hardware=Hardware(device="cpu")
        )
        settings["task"] = task
    return run_study(study(**(settings | changes)), folder)


def nn_small():
    return nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))


def test_a_dead_network_gives_a_constant_metric_and_no_recommendation(tmp_path):
    report = trained(tmp_path, dead, rate=1e-30, treatments=[Treatment(ShrinkPerturb(1, 0), Periodic(2))])
    assert report.diverged == 0
    runs = read_study(report.path, "test_accuracy")
    for each in runs:
        assert np.all(each.values == each.values[0, 0])
    assert relaxation(runs.unperturbed).verdict == "undecided"
    (point,) = measured_points(runs, "shrink_perturb", 50.0)
    assert point.mean.value == 6 and point.mean.lower_bound and point.censored == 3
    ranking = rank(runs, 50.0, resamples=20)
    assert ranking.unperturbed.value == 6 and ranking.unperturbed_censored == 3
    assert not ranking.optima[0].speedup.value > 1


@pytest.mark.parametrize("rate", [1e20, 1e38])
def test_runs_that_diverge_are_kept_up_to_their_last_finite_epoch(tmp_path, rate):
    report = trained(tmp_path, rate=rate)
    assert report.diverged == 6
    for group in read_runs(report.path):
        loss = group.metrics["test_loss"]
        assert np.isfinite(loss).sum() < loss.size and not np.isinf(loss).any()
        # A run that has diverged does not come back, and all of its metrics end together.
        lengths = np.isfinite(loss).sum(axis=1)
        for values in group.metrics.values():
            assert np.array_equal(np.isfinite(values).sum(axis=1), lengths)
    with pytest.raises(ValueError, match="recorded beyond epoch|alive and watched"):
        rank(read_study(report.path, "test_accuracy"), 200.0, resamples=20)


@pytest.mark.parametrize(("threshold", "epochs", "arrived"), [(-1.0, 1, 3), (101.0, 6, 0)])
def test_goals_that_are_met_at_once_or_never(tmp_path, threshold, epochs, arrived):
    report = trained(tmp_path, threshold=threshold, stop_at_threshold=True, metric="test_accuracy")
    for each in read_study(report.path):
        sample = each.first_passage(threshold)
        assert len(sample) - sample.n_censored == arrived
        estimate = mean_passage_time(sample)
        assert estimate.value == epochs and estimate.lower_bound == (arrived == 0)
    assert report.epochs_trained <= 6 * epochs


def test_one_run_of_one_epoch(tmp_path):
    report = trained(tmp_path, epochs=1, seeds=(0,), treatments=())
    assert (report.runs, report.epochs_trained) == (1, 1)
    (only,) = read_study(report.path)
    estimate = mean_passage_time(only.first_passage(101.0))
    assert estimate.value == 1 and estimate.lower_bound and math.isnan(estimate.stderr)
    assert relaxation(only).verdict == "undecided"


SEARCHES = {
    "never": (lambda epoch, rng, kick: 0.0, "none of .* reached 92, .* the best value was 0"),
    "at once": (lambda epoch, rng, kick: 100.0, "No speed-up is shown"),
    "not finite": (lambda epoch, rng, kick: math.nan, "each of .* runs diverged in its first epoch"),
    "infinite": (lambda epoch, rng, kick: math.inf, "each of .* runs diverged in its first epoch"),
    "diverges": (lambda epoch, rng, kick: math.nan if epoch > 5 else 1.0, "the best value was 1"),
    "diverges if perturbed": (
        lambda epoch, rng, kick: math.nan if kick and epoch > kick else 90 + rng.normal(),
        "Do not perturb|No speed-up is shown|not confirmed",
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_ends_and_says_what_it_has_seen(name):
    metric, sentence = SEARCHES[name]

    def train(seed, perturbation, period):
        rng = np.random.default_rng(seed)
        for epoch in range(1, 61):
            yield metric(epoch, rng, period)

    loop = OwnLoop(train, ["kick"], goal=92, epochs=60, periods=[1, 5, 20])
    result = search(loop, SearchSettings(thresholds=(92,), budget=1500))
    assert loop.spent <= 1500 * 1.1
    assert re.search(sentence, result.answers[0].sentence), result.answers[0].sentence


def test_a_training_loop_that_yields_nothing_ends_a_search_too():
    loop = OwnLoop(lambda *_: iter(()), ["kick"], goal=92, epochs=60, periods=[1, 5, 20])
    result = search(loop, SearchSettings(thresholds=(92,), budget=300))
    assert "diverged in its first epoch" in result.answers[0].sentence
