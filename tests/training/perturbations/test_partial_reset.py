import math

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import NetworkState, PartialReset  # noqa: E402
from training.perturbations.state import Layout  # noqa: E402

NAMED = ["conv.weight", "norm.weight", "head.weight"]
WEIGHTS = ["conv.weight", "head.weight"]


def chosen(runs, run, names, ranking, fraction):
    """Places of the smallest numbers, by sorting a Python list."""
    found = set()
    for some in [names] if ranking == "global" else [[name] for name in names]:
        listed = [
            (abs(number), name, at)
            for name in some
            for at, number in enumerate(runs.before[name][run].flatten().tolist())
        ]
        found |= {place[1:] for place in sorted(listed)[: round(fraction * len(listed))]}
    return found


@pytest.mark.parametrize("fraction", [0.003, 0.3, 0.55, 1.0])
@pytest.mark.parametrize("source", ["initialisation", "uniform"])
@pytest.mark.parametrize("scope", ["named_weight", "weights"])
@pytest.mark.parametrize("ranking", ["global", "layer"])
def test_every_value(runs, ranking, scope, source, fraction):
    after = runs.apply(PartialReset(fraction, ranking, scope, source))
    names = NAMED if scope == "named_weight" else WEIGHTS

    def rule(run, name, old):
        if name not in names:
            return old
        if source == "initialisation":
            new = runs.fresh(run)[name].flatten()
        else:
            fan = {"conv.weight": 2, "norm.weight": 4, "head.weight": 16}[name]
            new = (runs.numbers(run, names, "rand")[name].flatten() * 2 - 1) / math.sqrt(fan)
        places = chosen(runs, run, names, ranking, fraction)
        value = old.flatten().clone()
        for at in range(len(value)):
            if (name, at) in places:
                value[at] = new[at]
        return value.reshape(old.shape)

    runs.check(after, rule)
    assert runs.calls == []


@pytest.mark.parametrize("source", ["initialisation", "uniform"])
@pytest.mark.parametrize("buffers", ["keep", "reset", "recalibrate"])
def test_buffers_and_optimizer(runs, source, buffers):
    runs.apply(PartialReset(0.3, source=source, buffers=buffers, optimizer="reset"))
    for name, value in runs.buffers.items():
        for run in range(3):
            fresh = runs.fresh(run, int(source == "uniform"))[name]
            assert torch.equal(value[run], fresh if buffers == "reset" else runs.before[name][run])
    assert runs.calls == ["calibration"] * (buffers == "recalibrate") + ["optimizer"]


class Odd(nn.Module):
    """Weights with no axis, one, two and four."""

    def __init__(self):
        super().__init__()
        for name, shape in (("a", ()), ("b", (2000,)), ("c", (5, 400)), ("d", (3, 100, 3, 3))):
            part = nn.Module()
            part.weight = nn.Parameter(torch.zeros(shape))
            self.add_module(name, part)


def state(network, runs=2):
    values = {name: torch.stack([value.data] * runs) for name, value in network.named_parameters()}
    return NetworkState(values, {}, Layout.of(network), type(network), range(runs), [1] * runs)


def test_uniform_numbers_fill_their_bounds():
    odd = state(Odd())
    PartialReset(1.0, source="uniform").apply(odd)
    for name, fan in (("a", 1), ("b", 2000), ("c", 400), ("d", 100)):
        values = odd.parameters[f"{name}.weight"] * math.sqrt(fan)
        assert values.abs().max() <= 1
        if name == "a":
            continue
        assert values.abs().max() > 0.99
        # Squares of uniform numbers: mean 1/3, variance 4/45.
        z = (values.square().mean().item() - 1 / 3) / math.sqrt(4 / 45 / values.numel())
        assert abs(z) < 5
        if values.numel() > 3000:
            assert abs((1.1 * values.square().mean().item() - 1 / 3) / math.sqrt(4 / 45 / values.numel())) > 5


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.999])
def test_equal_magnitudes_are_counted_exactly_and_the_first_are_taken(fraction):
    class Ones(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(7, 11))
            self.bias = nn.Parameter(torch.zeros(3))

    ties = state(Ones())
    ties.parameters["weight"][1, ::2] *= -1
    before = ties.parameters["weight"].clone()
    PartialReset(fraction, source="uniform").apply(ties)
    changed = (ties.parameters["weight"] != before).flatten(1)
    count = round(fraction * 77)
    assert changed[:, :count].all() and not changed[:, count:].any()
    assert (ties.parameters["bias"] == 0).all()


def test_a_fraction_of_less_than_one_weight_changes_nothing(runs):
    runs.check(runs.apply(PartialReset(1e-6)), lambda run, name, old: old)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fraction": 0.0}, "`fraction` must be above 0 and at most 1, got 0.0; give 0.2 for 20 %"),
        ({"fraction": 20}, "`fraction` must be above 0 and at most 1, got 20"),
        ({"fraction": True}, "`fraction` must be above 0 and at most 1, got True"),
        ({"fraction": "0.2"}, "`fraction` must be above 0 and at most 1, got '0.2'"),
        ({"fraction": float("nan")}, "`fraction` must be above 0 and at most 1, got nan"),
        ({"fraction": 0.2, "ranking": "row"}, '`ranking` must be one of "global", "layer", got \'row\''),
        ({"fraction": 0.2, "scope": "all"}, '`scope` must be one of "named_weight", "weights", got \'all\''),
        ({"fraction": 0.2, "source": "gaussian"}, '`source` must be one of "initialisation", "uniform"'),
        ({"fraction": 0.2, "buffers": "scale"}, '`buffers` "scale" belongs to shrink and perturb'),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        PartialReset(**settings)


def test_a_network_without_weights_is_refused():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

    bare = state(Bare())
    with pytest.raises(
        ValueError, match='`parameters` must have some called "weight".*got: scale; use Stoch'
    ):
        PartialReset(0.5).apply(bare)
    norm = state(nn.LayerNorm(3))
    with pytest.raises(ValueError, match="have some of convolutions or linear layers .*, got: weight, bias"):
        PartialReset(0.5, scope="weights").apply(norm)
