"""The published perturbations against plain functions that do what the papers say, on whole state_dicts."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import KINDS, PRESETS, ash_adams, paper_partial, paper_shrink_perturb  # noqa: E402


def shrink_and_perturb(network, fresh, shrink, noise):
    """arXiv:2502.04121: all of the state_dict, mixed with a fresh one, and stored by load_state_dict."""
    old, new = network.state_dict(), fresh
    network.load_state_dict({name: shrink * old[name] + noise * new[name] for name in old})


def partial_reset(network, numbers, fraction):
    """arXiv:2502.04121: everything called "weight" ranked together, the smallest drawn anew."""
    weights = [(name, value) for name, value in network.named_parameters() if name.endswith("weight")]
    ranked = torch.cat([value.detach().abs().flatten() for _, value in weights]).sort().values
    threshold = ranked[round(fraction * len(ranked))]
    with torch.no_grad():
        for name, value in weights:
            fan = value.shape[1] if value.dim() > 1 else value.shape[0]
            bound = 1 / fan**0.5
            new = numbers[name] * 2 * bound - bound
            value[value.abs() < threshold] = new[value.abs() < threshold]


def gaussian(network, numbers, shrink, noise):
    """arXiv:1910.08475: parameters shrunk, Gaussian noise added."""
    with torch.no_grad():
        for name, value in network.named_parameters():
            value.mul_(shrink).add_(numbers[name], alpha=noise)


def compare(runs, run, perturbation, plain):
    network, state = runs.single(run)
    expected = copy.deepcopy(network)
    plain(expected)
    perturbation.apply(state)
    for name, value in network.state_dict().items():
        assert value.dtype == expected.state_dict()[name].dtype
        torch.testing.assert_close(value, expected.state_dict()[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("factors", [(0.4, 0.1), (0.6, 0.1), (0.9, 0.5)])
def test_paper_shrink_perturb(runs, run, factors):
    compare(
        runs,
        run,
        paper_shrink_perturb(*factors),
        lambda net: shrink_and_perturb(net, runs.fresh(run), *factors),
    )
    assert runs.calls == ["optimizer"]
    assert paper_shrink_perturb() == paper_shrink_perturb(0.4, 0.1)


@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.7])
def test_paper_partial(runs, run, fraction):
    names = [name for name in runs.parameters if name.endswith("weight")]
    numbers = runs.numbers(run, names, "rand")
    compare(runs, run, paper_partial(fraction), lambda net: partial_reset(net, numbers, fraction))
    assert runs.calls == []


@pytest.mark.parametrize("run", range(3))
def test_ash_adams(runs, run):
    numbers = runs.numbers(run, list(runs.parameters))
    compare(runs, run, ash_adams(0.6, 0.01), lambda net: gaussian(net, numbers, 0.6, 0.01))
    assert runs.calls == ["optimizer"]


def test_the_comparison_sees_a_factor_that_is_off(runs):
    with pytest.raises(AssertionError):
        compare(
            runs,
            0,
            paper_shrink_perturb(0.4, 0.1),
            lambda net: shrink_and_perturb(net, runs.fresh(0), 0.4, 0.11),
        )


def test_a_trained_network_has_its_whole_state_shrunk(runs):
    network, state = runs.single(0)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    inputs = torch.randn(20, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    for _ in range(4):
        optimizer.zero_grad()
        network(inputs).square().mean().backward()
        optimizer.step()
    assert network.norm.num_batches_tracked == 11
    expected = copy.deepcopy(network)
    shrink_and_perturb(expected, runs.fresh(0), 0.4, 0.1)
    with torch.no_grad():
        paper_shrink_perturb().apply(state)
    assert network.norm.num_batches_tracked == 4
    assert all(
        torch.equal(value, other)
        for value, other in zip(network.state_dict().values(), expected.state_dict().values(), strict=True)
    )
    assert nn.functional.mse_loss(network.norm.constant, torch.ones(2)) == 0


def test_names():
    assert list(PRESETS) == ["paper_shrink_perturb", "paper_partial", "ash_adams"]
    assert all(kind.name == name for name, kind in KINDS.items()) and len(KINDS) == 7
