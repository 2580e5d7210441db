import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import LayerReset, NetworkState  # noqa: E402
from training.perturbations.state import Layout  # noqa: E402


@pytest.mark.parametrize(
    ("settings", "layers"),
    [
        ({}, ["head"]),
        ({"last": 1}, ["head"]),
        ({"last": 2}, ["norm", "head"]),
        ({"last": 3}, ["conv", "norm", "head"]),
        ({"layers": ("norm",)}, ["norm"]),
        ({"layers": ["head", "conv", "head"]}, ["conv", "head"]),
        ({"layers": ("norm",), "optimizer": "reset"}, ["norm"]),
    ],
)
def test_every_value(runs, settings, layers):
    after = runs.apply(LayerReset(**settings))
    runs.check(after, lambda run, name, old: runs.fresh(run)[name] if name.split(".")[0] in layers else old)
    assert runs.calls == ["optimizer"] * ("optimizer" in settings)


def nested():
    block = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, affine=False), nn.Sequential(nn.Linear(3, 3)))
    return nn.ModuleDict({"block": block, "blocked": nn.Linear(3, 2)})


def changed(build, perturbation):
    network = build()
    for value in (*network.parameters(), *network.buffers()):
        value.detach().fill_(9)
    state = NetworkState(
        {name: value.data[None] for name, value in network.named_parameters()},
        {name: value[None] for name, value in network.named_buffers()},
        Layout.of(network),
        build,
        [1],
        [1],
    )
    perturbation.apply(state)
    return {name for name, value in {**state.parameters, **state.buffers}.items() if (value != 9).all()}


def test_all_within_a_named_module_is_reset():
    inner = {"block.0.weight", "block.0.bias", "block.2.0.weight", "block.2.0.bias"}
    statistics = {f"block.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")}
    assert changed(nested, LayerReset(layers=("block",))) == inner | statistics
    assert changed(nested, LayerReset(layers=("block.2",))) == {"block.2.0.weight", "block.2.0.bias"}
    assert changed(nested, LayerReset()) == {"blocked.weight", "blocked.bias"}


def test_parameters_that_layers_share_belong_to_each_of_them():
    def tied():
        network = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
        network[2].weight = network[0].weight
        return network

    assert changed(tied, LayerReset()) == {"0.weight", "2.bias"}
    assert changed(tied, LayerReset(layers=("0",))) == {"0.weight", "0.bias"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"last": 0}, "`last` must be a whole number of at least 1, got 0"),
        ({"last": 1.5}, "`last` must be a whole number of at least 1, got 1.5"),
        ({"last": True}, "`last` must be a whole number of at least 1, got True"),
        ({"last": 1, "layers": ("a",)}, "`last` and `layers` exclude each other; give one of them"),
        ({"layers": "head"}, r"`layers` must be names of modules, such as \('fc',\), got 'head'"),
        ({"layers": (1,)}, r"`layers` must be names of modules, .* got \(1,\)"),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        LayerReset(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"last": 4}, "`last` must be at most 3, the layers of this network that are trained, got 4"),
        ({"layers": ("hea",)}, "`layers` 'hea' is not in this network; it has: conv, norm, head"),
        ({"layers": ("conv", "x")}, "`layers` 'x' is not in this network"),
    ],
)
def test_layers_that_are_not_there_are_refused_and_nothing_changes(runs, settings, message):
    with pytest.raises(ValueError, match=message):
        runs.apply(LayerReset(**settings))
    runs.check({**runs.parameters, **runs.buffers}, lambda run, name, old: old)
