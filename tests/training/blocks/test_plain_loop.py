"""Each run, with either engine, against a plain loop with torch's own optimizer."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.optimizers import SGD  # noqa: E402
from training.perturbations import NetworkState  # noqa: E402
from training.perturbations.state import Layout, fresh_stack  # noqa: E402
from training.streams import DATA_ORDER, stream  # noqa: E402

from .small_tasks import PERTURBATIONS, Residual, perceptron, task, train  # noqa: E402


def fresh(factory, seed, draw):
    parameters, buffers = fresh_stack(factory, [(seed, draw)])
    return {name: value[0] for name, value in {**parameters, **buffers}.items()}


def reference(task, seed, epochs, perturbation=None, period=None):
    """Train one network with torch's own optimizer from the same random numbers; rows as in `small_tasks.METRICS`."""
    network = task.network()
    network.load_state_dict(fresh(task.network, seed, 0))
    data, own = task.data, task.optimizer
    sgd = torch.optim.SGD(
        network.parameters(),
        lr=own.learning_rate,
        momentum=own.momentum,
        weight_decay=own.weight_decay,
        nesterov=own.nesterov,
    )
    orders, rows = stream(seed, DATA_ORDER), []
    for epoch in range(1, epochs + 1):
        losses, right = 0.0, 0
        for batch in torch.from_numpy(orders.permutation(len(data.train_targets))).split(task.batch_size):
            logits = network(data.train_inputs[batch])
            loss = nn.functional.cross_entropy(logits, data.train_targets[batch])
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses += loss.item() * len(batch)
            right += (logits.argmax(1) == data.train_targets[batch]).sum().item()
        with torch.no_grad():
            logits = network(data.test_inputs)
            accuracy = 100 * (logits.argmax(1) == data.test_targets).double().mean().item()
            loss = nn.functional.cross_entropy(logits, data.test_targets).item()
            rows.append((accuracy, loss, losses / data.samples, 100 * right / data.samples))
            if period is not None and epoch % period == 0:
                state = NetworkState(
                    {name: value.data[None] for name, value in network.named_parameters()},
                    {},
                    Layout.of(network),
                    task.network,
                    [seed],
                    [epoch // period],
                    sgd.state.clear,
                )
                perturbation.apply(state)
    return np.array(rows).T


@pytest.mark.parametrize("engine", ["stacked", "single"])
@pytest.mark.parametrize("factory", [perceptron, Residual])
@pytest.mark.parametrize("perturbation", [None, *PERTURBATIONS], ids=repr)
def test_each_run_is_that_of_a_plain_loop(factory, perturbation, engine):
    period = None if perturbation is None else 3
    seeds = [2, 0, 9]
    found = train(task(factory, engine=engine), seeds, 8, perturbation, period)
    for run, seed in enumerate(seeds):
        expected = reference(task(factory), seed, 8, perturbation, period)
        np.testing.assert_allclose(found[:, run], expected, rtol=2e-4)


def test_the_comparison_with_the_plain_loop_sees_a_wrong_optimizer():
    found = train(task(), [2], 8)[:, 0]
    other = reference(task(optimizer=SGD(0.1, 0.72)), 2, 8)
    assert np.abs(found / other - 1)[1:].max() > 0.01
