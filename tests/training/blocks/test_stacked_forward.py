"""The stacked forward pass against each network's own, and its gradients against autograd's."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402
from torch.nn.utils.parametrize import register_parametrization  # noqa: E402

from training import stacked as stacked_module  # noqa: E402
from training.stacked import stacked_forward  # noqa: E402

from .small_tasks import Residual, perceptron  # noqa: E402


def layers_that_need_care():
    relu = nn.ReLU()
    tied = nn.Linear(5, 5)
    yield nn.Sequential(nn.Linear(5, 6), relu, nn.Linear(6, 6, bias=False), relu, nn.Linear(6, 3)), True
    yield nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 3)), True
    yield nn.Sequential(tied, nn.Tanh(), tied, nn.Linear(5, 3)), False
    yield nn.Sequential(register_parametrization(nn.Linear(5, 3), "weight", nn.Tanh())), False
    yield nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 3)), False
    yield Residual(), False


@pytest.mark.parametrize(("network", "short"), list(layers_that_need_care()))
def test_the_stacked_forward_pass_is_that_of_each_network(network, short):
    assert stacked_module._is_perceptron(network) == short
    names = [name for name, _ in network.named_parameters()]
    shapes = [value.shape for value in network.parameters()]
    stacked = {name: torch.randn(3, *shape) for name, shape in zip(names, shapes, strict=True)}
    inputs = torch.randn(3, 11, 5)
    with torch.no_grad():
        found = stacked_forward(network)(stacked, inputs)
    for run in range(3):
        own = {name: value[run] for name, value in stacked.items()}
        expected = torch.func.functional_call(network, own, (inputs[run],))
        torch.testing.assert_close(found[run], expected, rtol=1e-4, atol=1e-5)


def test_the_gradients_of_stacked_perceptrons_are_those_of_autograd():
    network = perceptron()
    stacked = {name: torch.randn(3, *value.shape).double() for name, value in network.named_parameters()}
    names = list(stacked)

    def forward(inputs, *values):
        return stacked_forward(network)(dict(zip(names, values, strict=True)), inputs)

    values = [torch.randn(3, 4, 5).double(), *stacked.values()]
    assert torch.autograd.gradcheck(forward, [value.requires_grad_() for value in values])
