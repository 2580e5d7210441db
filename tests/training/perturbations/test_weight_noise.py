import math

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import NetworkState, WeightNoise  # noqa: E402
from training.perturbations.state import Layout  # noqa: E402


@pytest.mark.parametrize("scope", ["all", "weights"])
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("buffers", ["keep", "reset", "recalibrate"])
def test_every_value(runs, relative, scope, buffers):
    after = runs.apply(WeightNoise(0.3, relative, scope, buffers, "reset"))
    names = [name for name in runs.parameters if scope == "all" or name in {"conv.weight", "head.weight"}]

    def rule(run, name, old):
        if name in names:
            scale = old.square().mean().sqrt() if relative else 1.0
            return old + 0.3 * runs.numbers(run, names)[name] * scale
        return runs.fresh(run, 1)[name] if buffers == "reset" and name in runs.buffers else old

    runs.check(after, rule)
    assert runs.calls == ["calibration"] * (buffers == "recalibrate") + ["optimizer"]


def test_no_noise_is_no_change(runs):
    runs.check(runs.apply(WeightNoise(0.0)), lambda run, name, old: old)
    assert runs.calls == []


def deviations(perturbation):
    def build():
        return nn.Linear(300, 200)

    network = build()
    values = {"weight": torch.full((2, 200, 300), 0.5), "bias": torch.zeros(2, 200)}
    before = values["weight"].clone()
    NetworkState(values, {}, Layout.of(network), build, [1, 2], [1, 1])
    perturbation.apply(NetworkState(values, {}, Layout.of(network), build, [1, 2], [1, 1]))
    if perturbation.relative:
        # Nothing to be relative to: biases of zero stay zero.
        assert (values["bias"] == 0).all()
    return (values["weight"] - before).double()


@pytest.mark.parametrize(("relative", "spread"), [(False, 0.02), (True, 0.01)])
def test_moments(relative, spread):
    def z(values):
        count = values.numel()
        mean = values.mean().item() / (spread / math.sqrt(count))
        variance = (values.square().mean().item() / spread**2 - 1) / math.sqrt(2 / count)
        fourth = (values.pow(4).mean().item() / spread**4 - 3) / math.sqrt(96 / count)
        return [mean, variance, fourth]

    assert max(map(abs, z(deviations(WeightNoise(0.02, relative))))) < 5
    assert min(map(abs, z(deviations(WeightNoise(0.022, relative)))[1:])) > 5


def test_runs_get_numbers_of_their_own():
    one, two = deviations(WeightNoise(0.02))
    correlation = torch.corrcoef(torch.stack([one.flatten(), two.flatten()]))[0, 1].item()
    assert abs(correlation) * math.sqrt(one.numel()) < 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": -1}, "`noise` must be a finite number of at least 0, got -1; 0.01 adds normal numbers"),
        ({"noise": math.inf}, "`noise` must be a finite number of at least 0, got inf"),
        ({"noise": 1, "scope": "named_weight"}, '`scope` must be one of "all", "weights"'),
        ({"noise": 1, "buffers": "scale"}, '`buffers` "scale" belongs to shrink and perturb'),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        WeightNoise(**settings)


def test_a_network_without_such_layers_is_refused():
    network = nn.LayerNorm(3)
    values = {name: value.data[None] for name, value in network.named_parameters()}
    state = NetworkState(values, {}, Layout.of(network), lambda: network, [1], [1])
    with pytest.raises(
        ValueError, match='`scope` "weights" means .* of which this network has none; it has: weig'
    ):
        WeightNoise(1.0, scope="weights").apply(state)
