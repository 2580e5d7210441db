import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training.perturbations.state import Layout, fresh_stack, stored_buffers  # noqa: E402


def build():
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.BatchNorm1d(5), nn.Linear(5, 3))


def test_a_layout_knows_layers_and_weights():
    layout = Layout.of(build())
    assert dict(layout.layers) == {
        "0": ("0.weight", "0.bias"),
        "2": ("2.weight", "2.bias"),
        "3": ("3.weight", "3.bias"),
    }
    assert layout.weights == {"0.weight", "3.weight"}


def test_a_layout_names_shared_parameters_once():
    tied = nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 4, bias=False))
    tied[1].weight = tied[0].weight
    layout = Layout.of(tied)
    assert dict(layout.layers) == {"0": ("0.weight",), "1": ("0.weight",)}
    assert layout.weights == {"0.weight"}


def test_a_layout_of_parameters_at_the_root():
    assert dict(Layout.of(nn.Conv1d(1, 2, 3)).layers) == {"": ("weight", "bias")}
    assert Layout.of(nn.Conv1d(1, 2, 3)).weights == {"weight"}
    assert Layout.of(nn.LSTM(2, 3)).weights == frozenset()


def test_an_initialisation_is_that_of_the_factory():
    parameters, buffers = fresh_stack(lambda: nn.Linear(400, 500), [(1, 0), (2, 0)])
    weight = parameters["weight"]
    assert weight.shape == (2, 500, 400) and parameters["bias"].shape == (2, 500) and buffers == {}
    # torch draws U(-1/sqrt(fan_in), 1/sqrt(fan_in)), of variance 1 / (3 fan_in) and kurtosis 9/5.
    stderr = (0.8 / weight.numel()) ** 0.5 / 1200
    assert abs(weight.var().item() - 1 / 1200) < 5 * stderr
    assert weight.abs().max() <= 1 / 20
    assert abs(weight.var().item() - 1.1 / 1200) > 5 * stderr


def test_an_initialisation_depends_on_its_key_alone():
    keys = [(seed, *numbers) for seed in (3, 11, 4) for numbers in ((0,), (1, 0), (1, 1), (2, 0))]
    together = fresh_stack(build, keys)
    torch.manual_seed(0)
    for row, key in enumerate(keys):
        alone = fresh_stack(build, [key])
        for part, own in zip(together, alone, strict=True):
            assert all(torch.equal(value[row], own[name][0]) for name, value in part.items())
    weights = together[0]["0.weight"].flatten(1)
    assert len({tuple(row.tolist()) for row in weights}) == len(keys)


def test_initialisations_in_threads_are_those_of_one_thread():
    barrier = threading.Barrier(2)

    def meeting():
        if threading.current_thread() is not threading.main_thread():
            with suppress(threading.BrokenBarrierError):
                barrier.wait(0.05)
            barrier.reset()
        return nn.Linear(4, 5)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: fresh_stack(meeting, [(seed, 0)] * 3)[0]["weight"], (1, 2)))
    for seed, weight in zip((1, 2), found, strict=True):
        assert torch.equal(weight, fresh_stack(meeting, [(seed, 0)] * 3)[0]["weight"])


def test_the_random_state_of_torch_is_left_alone_even_by_a_factory_that_fails():
    before = torch.get_rng_state()
    fresh_stack(build, [(1, 0)])
    with pytest.raises(ZeroDivisionError):
        fresh_stack(lambda: (torch.randn(3), 1 / 0), [(1, 0)])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_factory_may_return_the_same_network_again():
    network = build()

    def again():
        network[0].reset_parameters()
        return network

    first, second = fresh_stack(again, [(1, 0), (2, 0)])[0]["0.weight"]
    assert not torch.equal(first, second)
    assert first.untyped_storage().data_ptr() != network[0].weight.untyped_storage().data_ptr()


def test_buffers_are_those_of_the_state_dict():
    network = build()
    network[0].register_buffer("mask", torch.ones(2), persistent=False)
    network[0].register_buffer("none", None)
    assert list(stored_buffers(network)) == ["2.running_mean", "2.running_var", "2.num_batches_tracked"]
    assert list(fresh_stack(lambda: network, [(1, 0)])[1]) == list(stored_buffers(network))
