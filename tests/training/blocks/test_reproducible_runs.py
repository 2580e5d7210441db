"""A run depends on its seed and its settings alone, and on a perturbation only from the first one on."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.blocks import stacked as stacked_block  # noqa: E402
from training.optimizers import SGD, AdamW, Cosine  # noqa: E402
from training.perturbations import PartialReset, ShrinkPerturb, WarmRestart, WeightNoise  # noqa: E402
from training.protocols import Poisson  # noqa: E402
from training.train import train_runs  # noqa: E402

from .small_tasks import PERTURBATIONS, Residual, perceptron, stack, task, train  # noqa: E402


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_a_run_does_not_depend_on_the_others_or_on_the_chunks(chunk, monkeypatch):
    seeds = [4, 7, 1, 12, 8]
    together = train(task(), seeds, 7, PartialReset(0.4), 2)
    monkeypatch.setattr(stacked_block, "CHUNK", chunk)
    others = train(task(), seeds[::-1], 7, PartialReset(0.4), 2)
    np.testing.assert_allclose(others[:, ::-1], together, rtol=2e-4)
    alone = train(task(), [7], 7, PartialReset(0.4), 2)
    np.testing.assert_allclose(alone[:, 0], together[:, 1], rtol=2e-4)
    assert np.abs(together[2, 0] / together[2, 1] - 1).max() > 0.01


@pytest.mark.parametrize("engine", ["stacked", "single"])
def test_the_same_call_gives_the_same_traces_whatever_the_state_of_torch(engine):
    first = train(task(engine=engine), range(4), 6, ShrinkPerturb(), 2)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert np.array_equal(train(task(engine=engine), range(4), 6, ShrinkPerturb(), 2), first)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("factory", [perceptron, Residual])
def test_the_number_of_threads_changes_nothing_and_is_left_as_it_was(factory, monkeypatch):
    monkeypatch.setattr(stacked_block, "CHUNK", 2)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            found.append(train(task(factory), range(9), 6, PartialReset(0.4), 2))
            assert torch.get_num_threads() == threads
            with pytest.raises(ZeroDivisionError):
                train_runs(task(factory), range(9), 6, progress=lambda *_: 1 / 0)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*found)


@pytest.mark.parametrize("engine", ["stacked", "single"])
@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=repr)
def test_the_history_is_the_unperturbed_one_until_the_first_perturbation(perturbation, engine):
    period = 3
    unperturbed = train(task(engine=engine), range(4), 5)
    perturbed = train(task(engine=engine), range(4), 5, perturbation, period)
    assert np.array_equal(perturbed[:, :, :period], unperturbed[:, :, :period])
    assert (perturbed[1:3, :, period] != unperturbed[1:3, :, period]).all()


@pytest.mark.parametrize("engine", ["stacked", "single"])
@pytest.mark.parametrize("optimizer", [SGD(0.1, 0.8), SGD(0.1, 0.0), AdamW(0.01)], ids=repr)
@pytest.mark.parametrize("perturbation", [WarmRestart(), ShrinkPerturb()], ids=repr)
def test_the_history_is_the_unperturbed_one_while_others_are_perturbed(perturbation, optimizer, engine):
    settings = task(optimizer=optimizer, engine=engine, schedule=Cosine(9))
    seeds, epochs, protocol = range(6), 10, Poisson(0.25)
    unperturbed = train(settings, seeds, epochs)
    perturbed = stack(train_runs(settings, seeds, epochs, perturbation, protocol))
    first = [min(protocol.interval(seed, 1), epochs) for seed in seeds]
    assert min(first) < sorted(first)[2] < epochs
    for run, epoch in enumerate(first):
        assert np.array_equal(perturbed[:, run, :epoch], unperturbed[:, run, :epoch])
        assert epoch == epochs or (perturbed[1:3, run, epoch] != unperturbed[1:3, run, epoch]).all()


@pytest.mark.parametrize("engine", ["stacked", "single"])
def test_a_perturbation_does_not_disturb_the_data_order(engine):
    nothing = ShrinkPerturb(1.0, 0.0, optimizer="keep")
    unperturbed = train(task(engine=engine), range(4), 8)
    assert np.array_equal(train(task(engine=engine), range(4), 8, nothing, 2), unperturbed)


class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.5), nn.Linear(8, 3))

    def forward(self, inputs):
        return self.layers(inputs)


def test_dropout_depends_on_the_seed_alone():
    both = train(task(Dropping), [3, 8], 4)
    torch.manual_seed(5)
    assert np.array_equal(train(task(Dropping), [8], 4)[:, 0], both[:, 1])
    assert not np.array_equal(both[:, 0], both[:, 1])


class Measured(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(5, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 3))


def test_recalibrated_statistics_depend_on_the_seed_alone():
    found = []
    for number in (1, 2):
        torch.manual_seed(number)
        found.append(train(task(Measured), [3], 4, WeightNoise(0.1, buffers="recalibrate"), 3))
    assert np.array_equal(*found)
    kept = train(task(Measured), [3], 4, WeightNoise(0.1), 3)
    assert not np.array_equal(found[0][1, :, 3], kept[1, :, 3])
