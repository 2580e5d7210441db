"""Running statistics of batch norms, measured anew after a perturbation."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402
from torch.optim.swa_utils import update_bn  # noqa: E402
from torch.utils.data import BatchSampler, DataLoader, RandomSampler  # noqa: E402

from training import Perturber  # noqa: E402
from training.perturbations import ShrinkPerturb, WeightNoise  # noqa: E402
from training.protocols import Once, Periodic  # noqa: E402

from .training_loop import Training, assert_same, copied, images, small  # noqa: E402


def test_recalibrated_statistics_are_those_of_update_bn():
    batches = DataLoader(images(), batch_size=8)
    training = Training(ShrinkPerturb(0.4, 0.1, buffers="recalibrate"), Periodic(2), calibration=batches)
    kept = Training(ShrinkPerturb(0.4, 0.1), Periodic(2))
    for each in (training, kept):
        torch.manual_seed(3)
        each.epochs(2)
    old = copied(kept.model)
    update_bn(batches, kept.model)
    assert_same(copied(kept.model), copied(training.model))
    assert not torch.equal(old["1.running_mean"], kept.model[1].running_mean)
    assert training.model.training and training.model[1].momentum == 0.1


def test_calibration_is_a_function_of_the_seed_and_leaves_the_order_of_the_data():
    def trained(disturb):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 4), nn.BatchNorm1d(4))
        loader = DataLoader(
            images(), batch_size=8, shuffle=True, generator=torch.Generator().manual_seed(disturb)
        )
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        perturbation = WeightNoise(0.1, buffers="recalibrate")
        perturber = Perturber(model, optimizer, perturbation, Once(1), calibration=loader)
        torch.manual_seed(disturb)
        states = torch.get_rng_state(), loader.generator.get_state()
        assert perturber.step()
        assert torch.equal(torch.get_rng_state(), states[0])
        assert torch.equal(loader.generator.get_state(), states[1])
        return copied(model)

    assert_same(trained(1), trained(2))


@pytest.mark.parametrize("batched", [False, True])
def test_the_generator_of_a_sampler_is_left_as_it_was_too(batched):
    def trained(disturb):
        generator, data = torch.Generator().manual_seed(disturb), images()
        sampler = RandomSampler(data, generator=generator)
        own = {"batch_sampler": BatchSampler(sampler, 8, True)} if batched else {"sampler": sampler}
        loader = DataLoader(data, **own, **({} if batched else {"batch_size": 8}))
        torch.manual_seed(1)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 4), nn.BatchNorm1d(4))
        perturbation = WeightNoise(0.1, buffers="recalibrate")
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        perturber = Perturber(model, optimizer, perturbation, Once(1), calibration=loader)
        before = generator.get_state()
        assert perturber.step()
        assert torch.equal(generator.get_state(), before)
        return copied(model)

    assert_same(trained(1), trained(2))


def test_a_network_without_running_statistics_needs_no_calibration():
    assert small(WeightNoise(0.1, buffers="recalibrate"), Periodic(1)).step()
