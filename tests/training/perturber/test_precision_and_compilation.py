"""Perturbers of networks in mixed precision, of other number types, and compiled."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training import Perturber  # noqa: E402
from training.perturbations import OptimizerReset, ShrinkPerturb  # noqa: E402
from training.protocols import Periodic  # noqa: E402

from .training_loop import ALL, OPTIMIZERS, Training, images, network  # noqa: E402


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_mixed_precision(optimizer):
    training = Training(ShrinkPerturb(0.4, 0.1), Periodic(2), optimizer=optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses = []
    for _ in range(6):
        for inputs, labels in training.loader:
            training.optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = nn.functional.cross_entropy(training.model(inputs), labels)
            scaler.scale(loss).backward()
            scaler.step(training.optimizer)
            scaler.update()
            losses.append(float(loss.detach()))
        training.perturber.step()
    assert training.perturber.count == 3
    assert scaler.get_scale() == 1024.0
    assert np.isfinite(losses).all()
    assert all(value.dtype == torch.float32 for value in training.model.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_networks_of_other_types_keep_their_type(dtype):
    model = network().to(dtype)
    perturber = Perturber(
        model, torch.optim.SGD(model.parameters(), 0.1), ShrinkPerturb(0.4, 0.1), Periodic(1)
    )
    assert perturber.step()
    assert {value.dtype for value in model.parameters()} == {dtype}


@pytest.mark.parametrize("perturbation", ALL, ids=repr)
def test_a_compiled_network_goes_on_as_the_one_within(perturbation):
    torch.manual_seed(1)
    model = network()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(compiled.parameters(), 0.1, momentum=0.9)
    perturber = Perturber(compiled, optimizer, perturbation, Periodic(1))
    inputs, labels = images().tensors
    nn.functional.cross_entropy(compiled(inputs), labels).backward()
    optimizer.step()
    compiled.eval()
    before = compiled(inputs)
    perturber.step()
    assert torch.equal(compiled(inputs), model(inputs))
    if perturbation != OptimizerReset():
        assert not torch.equal(compiled(inputs), before)
