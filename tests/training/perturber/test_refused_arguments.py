"""Arguments that a perturber refuses, and what its perturbation needs of the network from the start."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training import Perturber  # noqa: E402
from training.perturbations import (  # noqa: E402
    Composed,
    LayerReset,
    OptimizerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WarmRestart,
    WeightNoise,
)
from training.protocols import Once, Periodic  # noqa: E402

from .training_loop import copied, images, network, small  # noqa: E402


class Scaled(nn.Module):
    """A layer that does not say how it is initialised."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.scale = nn.Parameter(torch.ones(2))

    def forward(self, inputs):
        return self.scale * self.linear(inputs)


def perturber_of(model, perturbation, **needed):
    return Perturber(model, torch.optim.SGD(model.parameters(), 0.1), perturbation, Periodic(1), **needed)


@pytest.mark.parametrize(
    "perturbation", [ShrinkPerturb(), StochasticReset(), PartialReset(0.2), LayerReset()]
)
def test_a_network_that_cannot_be_initialised_needs_a_factory_from_the_start(perturbation):
    with pytest.raises(
        ValueError, match="`factory` is needed to initialise this model: .* scale; give a fac"
    ):
        perturber_of(Scaled(), perturbation)
    model = Scaled()
    before = copied(model)
    assert perturber_of(model, perturbation, factory=Scaled).step()
    assert not torch.equal(model.linear.weight, before["linear.weight"])


@pytest.mark.parametrize(
    "perturbation", [OptimizerReset(), WeightNoise(0.1), ShrinkPerturb(source="gaussian")]
)
def test_no_factory_is_needed_where_nothing_is_initialised(perturbation):
    assert perturber_of(Scaled(), perturbation).step()


def test_a_factory_must_build_the_network_that_is_trained():
    random = torch.get_rng_state()
    model = nn.Linear(3, 2)
    for factory, message in [
        (lambda: nn.Linear(3, 4), r"`factory` builds 'weight' of shape \(4, 3\), .* \(2, 3\)"),
        (lambda: nn.Sequential(nn.Linear(3, 2)), "`factory` builds 'weight' not at all"),
        (lambda: None, "`factory` must build a torch.nn.Module, it returned None"),
        (nn.Linear(3, 2).weight, "`factory` must build a network when it is called, got "),
    ]:
        torch.set_rng_state(random)
        with pytest.raises(ValueError, match=message):
            perturber_of(model, ShrinkPerturb(), factory=factory)


def test_what_a_perturbation_needs_is_asked_for_at_the_start():
    with pytest.raises(ValueError, match="`scheduler` is needed for WarmRestart: "):
        perturber_of(network(), WarmRestart())
    with pytest.raises(ValueError, match="`scheduler` is needed for Composed: "):
        perturber_of(network(), Composed((ShrinkPerturb(), WarmRestart())))
    with pytest.raises(ValueError, match="`calibration` is needed for buffers=.recalibrate.: "):
        perturber_of(network(), ShrinkPerturb(buffers="recalibrate"))
    with pytest.raises(ValueError, match="`calibration` must be a list or a DataLoader, .* used up after"):
        perturber_of(
            network(), ShrinkPerturb(buffers="recalibrate"), calibration=(batch for batch in images())
        )
    with pytest.raises(ValueError, match="`layers` 'head' is not in this network"):
        perturber_of(network(), LayerReset(layers=("head",)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"perturbation": "shrink"}, "`perturbation` must be one of training.perturbations, got 'shrink'"),
        ({"protocol": 20}, r"`protocol` must be one of training.protocols, such as Periodic\(20\), got 20"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, got -1"),
        ({"seed": 1.0}, "`seed` must be a whole number of at least 0, got 1.0"),
        ({"seed": True}, "`seed` must be a whole number of at least 0, got True"),
    ],
)
def test_arguments_are_checked(changed, message):
    model = nn.Linear(3, 2)
    arguments = {"perturbation": ShrinkPerturb(), "protocol": Periodic(2), "seed": 0} | changed
    with pytest.raises(ValueError, match=message):
        Perturber(model, torch.optim.SGD(model.parameters(), 0.1), **arguments)


def test_a_perturbation_that_fails_counts_for_nothing():
    perturber = small(protocol=Once(1))
    perturber.perturbation = WarmRestart()
    with pytest.raises(ValueError, match="`scheduler` is needed for a warm restart"):
        perturber.perturb()
    assert perturber.count == 0


def test_arguments_in_another_order():
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for arguments, message in (
        ((optimizer, model), "`model` must be one of torch's, got SGD; the order is Perturber"),
        ((model, model.parameters()), "`optimizer` must be one of torch's, got generator; the order is"),
    ):
        with pytest.raises(ValueError, match=message):
            Perturber(*arguments, ShrinkPerturb(0.4, 0.1), Periodic(2))
