"""Networks that have diverged or have odd modules, and parts that fail halfway."""

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import (  # noqa: E402
    Composed,
    LayerReset,
    NetworkState,
    OptimizerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WeightNoise,
)
from training.perturbations.state import Layout  # noqa: E402


def build():
    block = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, affine=False))
    return nn.Sequential(block, nn.BatchNorm1d(3, affine=False), nn.Linear(3, 2))


def state_of(network, factory=build, calls=None, recalibrate=None):
    """State of one network of which every tensor is 9."""
    calls = [] if calls is None else calls
    with torch.no_grad():
        for value in (*network.parameters(), *network.buffers()):
            value.fill_(9)
    return NetworkState.of_network(
        network,
        Layout.of(network),
        factory,
        1,
        1,
        reset_optimizer=lambda: calls.append("optimizer"),
        restart_schedule=lambda: calls.append("schedule"),
        recalibrate=recalibrate or (lambda: calls.append("calibration")),
    )


def changed(network):
    return {name for name, value in network.state_dict().items() if (value != 9).any()}


@pytest.mark.parametrize("finite", [0, 4, 9])
@pytest.mark.parametrize("fraction", [0.25, 0.75, 1.0])
def test_a_diverged_network_has_its_finite_weights_reset_first(fraction, finite):
    network = nn.Linear(4, 3)
    state = state_of(network, lambda: nn.Linear(4, 3))
    weight = network.weight.data.view(-1)
    weight[: 12 - finite] = torch.nan
    PartialReset(fraction, source="uniform").apply(state)
    count = round(12 * fraction)
    new = weight.abs() <= 0.5
    assert new.sum() == count
    assert new[12 - finite :].sum() == min(count, finite)
    assert (network.bias == 9).all()


@pytest.mark.parametrize("value", [torch.inf, -torch.inf])
def test_infinite_weights_are_the_largest(value):
    network = nn.Linear(4, 3)
    state = state_of(network, lambda: nn.Linear(4, 3))
    network.weight.data[0] = value
    network.weight.data[1] = torch.finfo(torch.float32).max
    PartialReset(8 / 12, source="uniform").apply(state)
    assert (network.weight[0] == value).all() and (network.weight[1:].abs() <= 0.5).all()


def test_statistics_of_a_module_without_parameters_can_be_named():
    statistics = {f"1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")}
    network = build()
    LayerReset(layers=("1",)).apply(state_of(network))
    assert changed(network) == statistics
    network = build()
    LayerReset().apply(state_of(network))
    assert changed(network) == {"2.weight", "2.bias"}


def test_the_empty_name_is_the_whole_network():
    network = build()
    LayerReset(layers=("",)).apply(state_of(network))
    assert changed(network) == set(network.state_dict())


@pytest.mark.parametrize("first", [WeightNoise(1.0), StochasticReset(), ShrinkPerturb(buffers="scale")])
def test_a_part_that_fails_halfway_gives_the_network_back(first, tmp_path):
    network = build()
    state = state_of(network)
    pointers = [value.data_ptr() for value in network.state_dict().values()]
    missing = StochasticReset(str(tmp_path / "none.pt"))
    with pytest.raises(FileNotFoundError, match="`checkpoint` .*none.pt does not exist"):
        Composed((first, missing)).apply(state)
    assert changed(network) == set()
    assert [value.data_ptr() for value in network.state_dict().values()] == pointers
    first.apply(state)
    assert changed(network)


def test_a_recalibration_that_fails_within_composed_gives_the_network_back():
    def fail():
        with torch.no_grad():
            network[1].running_mean.fill_(5)
        raise KeyboardInterrupt

    network, calls = build(), []
    state = state_of(network, calls=calls, recalibrate=fail)
    with pytest.raises(KeyboardInterrupt):
        Composed((OptimizerReset(), StochasticReset(buffers="recalibrate"))).apply(state)
    assert changed(network) == set() and calls == ["optimizer"]


def test_a_wrong_factory_of_a_later_part_gives_the_network_back():
    network = build()
    state = state_of(network, lambda: nn.Linear(3, 2))
    with pytest.raises(ValueError, match="`factory` builds .*; give the factory that built this network"):
        Composed((WeightNoise(1.0), LayerReset())).apply(state)
    assert changed(network) == set()


def test_the_error_for_an_unreadable_checkpoint_does_not_advise_to_run_code(tmp_path):
    path = tmp_path / "start.pt"
    torch.save(build(), path)
    with pytest.raises(
        ValueError, match="cannot be read as the state_dict .*; write it by torch.save"
    ) as found:
        StochasticReset(str(path)).apply(state_of(build()))
    assert "weights_only" not in str(found.value)
