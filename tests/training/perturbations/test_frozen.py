"""Parameters that are not trained, and the running statistics beside them, are left alone."""

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training import Hardware, Perturber, Task  # noqa: E402
from training.blocks import BlockRun  # noqa: E402
from training.data import Regression  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import (  # noqa: E402
    Composed,
    LayerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WeightNoise,
)
from training.protocols import Periodic  # noqa: E402

ALL = [
    ShrinkPerturb(buffers="scale"),
    ShrinkPerturb(source="gaussian"),
    StochasticReset(),
    PartialReset(0.5, buffers="reset"),
    PartialReset(0.5, ranking="layer", source="uniform"),
    LayerReset(last=2),
    LayerReset(layers=("",)),
    WeightNoise(0.1),
    Composed((WeightNoise(0.1, relative=True), StochasticReset())),
]


def whole():
    return nn.Sequential(
        nn.Linear(10, 6), nn.BatchNorm1d(6), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 1)
    )


def partly_frozen():
    """The first layers are frozen, and the bias of the one after."""
    network = whole()
    network[:2].requires_grad_(False)
    network[2].bias.requires_grad_(False)
    return network


FROZEN = {name for name in whole().state_dict() if name[0] in "01"} | {"2.bias"}


def disturbed(network):
    with torch.no_grad():
        for value in network.state_dict().values():
            value.add_(3)
    return network


def perturb(network, perturbation, **needed):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trained = [value for value in network.parameters() if value.requires_grad]
    assert Perturber(network, torch.optim.SGD(trained, 0.1), perturbation, Periodic(1), **needed).step()
    return {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize("factory", [None, whole, partly_frozen])
@pytest.mark.parametrize("perturbation", ALL, ids=repr)
def test_frozen_layers_are_left_alone_and_others_perturbed(perturbation, factory):
    torch.manual_seed(0)
    found = perturb(disturbed(partly_frozen()), perturbation, factory=factory)
    assert found and not found & FROZEN
    assert perturb(disturbed(whole()), LayerReset(layers=("",))) >= FROZEN


def test_what_is_trained_later_is_perturbed_later():
    network = partly_frozen()
    trained = [value for value in network.parameters() if value.requires_grad]
    perturber = Perturber(network, torch.optim.SGD(trained, 0.1), ShrinkPerturb(), Periodic(1))
    before = network[0].weight.clone()
    perturber.step()
    assert torch.equal(network[0].weight, before)
    network.requires_grad_(True)
    perturber.step()
    assert not torch.equal(network[0].weight, before)


@pytest.mark.parametrize("perturbation", ALL, ids=repr)
def test_the_engine_leaves_them_alone_too(perturbation):
    settings = Task(Regression(40, 20), partly_frozen, SGD(0.02), hardware=Hardware(device="cpu"))
    run = BlockRun(settings.prepare(), [3], 3, perturbation, Periodic(1))
    network = run.block._runs[0].network
    frozen = {name: value.clone() for name, value in network.named_parameters() if not value.requires_grad}
    last = network[4].weight.clone()
    while not run.finished:
        run.step()
    assert frozen.keys() == {"0.weight", "0.bias", "1.weight", "1.bias", "2.bias"}
    for name, value in frozen.items():
        assert torch.equal(network.get_parameter(name), value)
    assert not torch.equal(network[4].weight, last)


def test_layers_without_trained_parameters_do_not_count_and_cannot_be_named():
    with pytest.raises(ValueError, match="`last` must be at most 3, the layers .* that are trained, got 4"):
        perturb(partly_frozen(), LayerReset(last=4))
    with pytest.raises(ValueError, match="`layers` '0' is frozen in this network; it has: 2, 3, 4"):
        perturb(partly_frozen(), LayerReset(layers=("0",)))
    headless = partly_frozen()
    headless[4].requires_grad_(False)
    assert perturb(disturbed(headless), LayerReset()) == {
        name for name in headless.state_dict() if name[0] == "3"
    }


@pytest.mark.parametrize("perturbation", [ShrinkPerturb(), WeightNoise(0.1)])
def test_a_network_that_is_frozen_altogether_is_refused(perturbation):
    network = whole().requires_grad_(False)
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1)
    with pytest.raises(ValueError, match="`requires_grad` is False for every parameter of this network"):
        Perturber(network, optimizer, perturbation, Periodic(1))


def test_a_factory_must_build_the_frozen_layers_too():
    with pytest.raises(ValueError, match="`factory` builds '0.weight' of shape"):
        perturb(
            partly_frozen(),
            ShrinkPerturb(),
            factory=lambda: nn.Sequential(nn.Linear(9, 6), *list(whole().children())[1:]),
        )
