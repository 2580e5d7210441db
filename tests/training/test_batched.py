import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402
from torch.nn.utils.parametrize import register_parametrization  # noqa: E402

from training import batched  # noqa: E402
from training import stacked as stacked_module  # noqa: E402
from training.batched import SGD, Data, train_batched  # noqa: E402
from training.perturbations import (  # noqa: E402
    DATA_ORDER,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    fresh_parameters,
)
from training.stacked import stacked_forward  # noqa: E402

OPTIMIZER = SGD(learning_rate=0.1, momentum=0.8, batch_size=8)
METRICS = ("test_accuracy", "test_loss", "train_loss")
PERTURBATIONS = [ShrinkPerturb(), StochasticReset(), PartialReset(0.4)]


def perceptron():
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))


class Residual(nn.Module):
    """Not a chain of layers, so that `torch.func.vmap` has to take care of it."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(5, 5), nn.Linear(5, 3, bias=False)
        self.unused = nn.Linear(2, 2)

    def forward(self, inputs):
        return self.last(inputs + self.first(inputs).tanh())


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(80, 5, generator=generator)
    labels = (inputs @ torch.randn(5, 3, generator=generator)).argmax(1)
    return Data(inputs[:30], labels[:30], inputs[30:], labels[30:])


def reference(factory, data, optimizer, seed, epochs, perturbation=None, period=None):
    """Train one network with `torch.optim.SGD` from the same random numbers; rows as in `METRICS`."""
    draws = (fresh_parameters(factory, [seed], draw) for draw in range(epochs + 1))
    network = factory()
    network.load_state_dict({name: value[0] for name, value in next(draws).items()})

    def start():
        return torch.optim.SGD(network.parameters(), lr=optimizer.learning_rate, momentum=optimizer.momentum)

    sgd, orders, rows = start(), np.random.default_rng([seed, DATA_ORDER]), []
    for epoch in range(1, epochs + 1):
        losses = []
        for batch in torch.from_numpy(orders.permutation(len(data.train_labels))).split(optimizer.batch_size):
            loss = nn.functional.cross_entropy(network(data.train_inputs[batch]), data.train_labels[batch])
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses += [loss.item()] * len(batch)
        with torch.no_grad():
            logits = network(data.test_inputs)
            accuracy = 100 * (logits.argmax(1) == data.test_labels).double().mean().item()
            rows.append(
                (accuracy, nn.functional.cross_entropy(logits, data.test_labels).item(), np.mean(losses))
            )
            if period is not None and epoch % period == 0:
                now = {name: value.detach()[None] for name, value in network.named_parameters()}
                after, _ = perturbation.apply(now, {}, next(draws))
                network.load_state_dict({name: value[0] for name, value in after.items()})
                sgd = start() if perturbation.fresh_optimizer else sgd
    return np.array(rows).T


def stack(traces):
    return np.stack([getattr(traces, name) for name in METRICS])


def same(first, second):
    return np.array_equal(stack(first), stack(second), equal_nan=True)


@pytest.mark.parametrize("factory", [perceptron, Residual])
@pytest.mark.parametrize("perturbation", [None, *PERTURBATIONS], ids=repr)
def test_each_run_is_that_of_a_plain_loop(data, factory, perturbation):
    period = None if perturbation is None else 3
    seeds = [2, 0, 9]
    found = stack(train_batched(factory, data, OPTIMIZER, seeds, 8, perturbation, period))
    for run, seed in enumerate(seeds):
        expected = reference(factory, data, OPTIMIZER, seed, 8, perturbation, period)
        np.testing.assert_allclose(found[:, run], expected, rtol=2e-4)


def test_the_comparison_with_the_plain_loop_sees_a_wrong_optimizer(data):
    found = stack(train_batched(perceptron, data, OPTIMIZER, [2], 8))[:, 0]
    other = reference(perceptron, data, SGD(0.1, 0.72, 8), 2, 8)
    assert np.abs(found / other - 1)[1:].max() > 0.01


@pytest.mark.parametrize("block_size", [1, 3, 100])
def test_a_run_does_not_depend_on_the_others_or_on_the_blocks(data, block_size):
    seeds = [4, 7, 1, 12, 8]
    together = stack(train_batched(perceptron, data, OPTIMIZER, seeds, 7, PartialReset(0.4), 2))
    shuffled = seeds[::-1]
    others = stack(
        train_batched(perceptron, data, OPTIMIZER, shuffled, 7, PartialReset(0.4), 2, block_size=block_size)
    )
    np.testing.assert_allclose(others[:, ::-1], together, rtol=2e-4)
    alone = stack(train_batched(perceptron, data, OPTIMIZER, [7], 7, PartialReset(0.4), 2))
    np.testing.assert_allclose(alone[:, 0], together[:, 1], rtol=2e-4)
    assert np.abs(together[2, 0] / together[2, 1] - 1).max() > 0.01


def test_the_same_call_gives_the_same_traces_whatever_the_state_of_torch(data):
    first = train_batched(perceptron, data, OPTIMIZER, range(4), 6, ShrinkPerturb(), 2)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert same(train_batched(perceptron, data, OPTIMIZER, range(4), 6, ShrinkPerturb(), 2), first)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("factory", [perceptron, Residual])
def test_the_number_of_threads_changes_nothing_and_is_left_as_it_was(data, factory):
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            found.append(
                train_batched(factory, data, OPTIMIZER, range(9), 6, PartialReset(0.4), 2, block_size=2)
            )
            assert torch.get_num_threads() == threads
            with pytest.raises(ZeroDivisionError):
                train_batched(factory, data, OPTIMIZER, range(9), 6, progress=lambda *_: 1 / 0)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert same(*found)


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=repr)
@pytest.mark.parametrize("period", [3, 5])
def test_the_history_is_the_unperturbed_one_until_the_first_perturbation(data, perturbation, period):
    unperturbed = stack(train_batched(perceptron, data, OPTIMIZER, range(4), 8))
    perturbed = stack(train_batched(perceptron, data, OPTIMIZER, range(4), 8, perturbation, period))
    assert np.array_equal(perturbed[:, :, :period], unperturbed[:, :, :period])
    assert (perturbed[1:, :, period] != unperturbed[1:, :, period]).all()


def test_a_perturbation_does_not_disturb_the_data_order(data):
    nothing = ShrinkPerturb(1.0, 0.0, fresh_optimizer=False)
    unperturbed = train_batched(perceptron, data, OPTIMIZER, range(4), 8)
    assert same(train_batched(perceptron, data, OPTIMIZER, range(4), 8, nothing, 2), unperturbed)


def test_accuracies_are_whole_numbers_of_samples(data):
    counts = train_batched(perceptron, data, OPTIMIZER, range(4), 5).test_accuracy * 50 / 100
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)


def test_evaluation_in_pieces_is_evaluation_at_once(data, monkeypatch):
    whole = stack(train_batched(perceptron, data, OPTIMIZER, range(5), 3))
    for rows in (7, 100):
        monkeypatch.setattr(batched, "EVALUATED_ROWS", rows)
        np.testing.assert_allclose(
            stack(train_batched(perceptron, data, OPTIMIZER, range(5), 3)), whole, rtol=1e-5
        )


def test_divergence_is_recorded(data):
    traces = train_batched(perceptron, data, SGD(1e20, 0.0, 8), range(3), 4)
    assert np.isnan(traces.test_accuracy[:, -1]).all()
    assert not np.isfinite(traces.test_loss[:, -1]).any()
    assert not np.isfinite(traces.train_loss[:, -1]).any()


def test_one_diverged_run_leaves_the_others_alone(data):
    class Break(ShrinkPerturb):
        def apply(self, parameters, momenta, fresh):
            broken = {name: value.clone() for name, value in parameters.items()}
            broken["0.weight"][1] = torch.inf
            return broken, momenta

    healthy = stack(train_batched(perceptron, data, OPTIMIZER, range(3), 6))
    found = stack(train_batched(perceptron, data, OPTIMIZER, range(3), 6, Break(), 4))
    assert np.array_equal(found[:, [0, 2]], healthy[:, [0, 2]])
    assert np.isnan(found[:, 1, 4:]).all() and np.isfinite(found[:, 1, :4]).all()


def layers_that_need_care():
    relu = nn.ReLU()
    tied = nn.Linear(5, 5)
    yield nn.Sequential(nn.Linear(5, 6), relu, nn.Linear(6, 6, bias=False), relu, nn.Linear(6, 3)), True
    yield nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 3)), True
    yield nn.Sequential(tied, nn.Tanh(), tied, nn.Linear(5, 3)), False
    yield (
        nn.Sequential(register_parametrization(nn.Linear(5, 3), "weight", nn.Tanh())),
        False,
    )
    yield nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 3)), False
    yield Residual(), False


@pytest.mark.parametrize(("network", "short"), list(layers_that_need_care()))
def test_the_stacked_forward_pass_is_that_of_each_network(network, short):
    assert stacked_module._is_perceptron(network) == short
    names = [name for name, _ in network.named_parameters()]
    shapes = [value.shape for value in network.parameters()]
    stacked = {name: torch.randn(3, *shape) for name, shape in zip(names, shapes, strict=True)}
    inputs = torch.randn(3, 11, 5)
    found = stacked_forward(network)(stacked, inputs)
    for run in range(3):
        own = {name: value[run] for name, value in stacked.items()}
        expected = torch.func.functional_call(network, own, (inputs[run],))
        torch.testing.assert_close(found[run], expected, rtol=1e-4, atol=1e-5)


def test_progress_counts_epochs_and_an_interruption_passes_through(data):
    seen = []
    train_batched(
        perceptron, data, OPTIMIZER, range(3), 4, block_size=2, progress=lambda *done: seen.append(done)
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_batched(perceptron, data, OPTIMIZER, range(3), 4, progress=interrupt)


def frozen():
    network = perceptron()
    network[0].bias.requires_grad_(False)
    return network


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": []}, r"`seeds` must be .*, got \[\]; range\(200\) gives 200 runs"),
        ({"seeds": [1, -2]}, "`seeds` must be whole numbers of at least 0, at least one, got -2"),
        ({"seeds": [1.5]}, "`seeds` must be whole numbers .* got 1.5"),
        ({"seeds": [3, 4, 3]}, "`seeds` must differ from each other, 3 occurs twice"),
        ({"epochs": 0}, "`epochs` must be a whole number of at least 1, got 0"),
        ({"block_size": 0}, "`block_size` must be a whole number of at least 1, got 0"),
        ({"period": 5}, "`perturbation` and `period` go together: .* got None and 5"),
        ({"perturbation": ShrinkPerturb()}, "go together: .* got ShrinkPerturb.* and None"),
        ({"perturbation": ShrinkPerturb(), "period": 0}, "`period` must be a whole number .* got 0"),
        (
            {"factory": lambda: nn.Sequential(nn.BatchNorm1d(5))},
            "`factory` .* layer '0', BatchNorm1d.*layer norm",
        ),
        (
            {"factory": lambda: nn.Sequential(nn.Dropout(), nn.Linear(5, 3))},
            "`factory` .* layer '0', Dropout",
        ),
        ({"factory": nn.ReLU}, "`factory` .* every parameter is trained, at least one; got 0 of 0"),
        ({"factory": frozen}, "`factory` .* every parameter is trained, at least one; got 3 of 4"),
    ],
)
def test_errors_name_argument_and_value(data, changes, message):
    arguments = {"factory": perceptron, "data": data, "optimizer": OPTIMIZER, "seeds": [1], "epochs": 2}
    with pytest.raises(ValueError, match=message):
        train_batched(**(arguments | changes))


def test_settings_are_checked():
    with pytest.raises(ValueError, match="`learning_rate` must be positive and finite, got 0"):
        SGD(learning_rate=0)
    with pytest.raises(ValueError, match="`momentum` must be at least 0 and below 1, got 1"):
        SGD(momentum=1)
    with pytest.raises(ValueError, match="`batch_size` must be a whole number of at least 1, got 2.5"):
        SGD(batch_size=2.5)
    with pytest.raises(
        ValueError, match=r"`test_labels` must hold one label for each of the 4 .* shape \(3,\)"
    ):
        Data(torch.ones(2, 1), torch.ones(2), torch.ones(4, 1), torch.ones(3))
