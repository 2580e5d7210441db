"""Both engines, stacked and single, against a plain loop, and against each other."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402
from torch.nn.utils.parametrize import register_parametrization  # noqa: E402

from training import stacked as stacked_module  # noqa: E402
from training.blocks import BlockRun  # noqa: E402
from training.blocks import stacked as stacked_block  # noqa: E402
from training.blocks.single import SingleBlock  # noqa: E402
from training.blocks.stacked import StackedBlock  # noqa: E402
from training.data.base import Data  # noqa: E402
from training.losses import Metric  # noqa: E402
from training.networks import ResNet18, SmallCNN  # noqa: E402
from training.optimizers import SGD, AdamW, Cosine  # noqa: E402
from training.perturbations import (  # noqa: E402
    NetworkState,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WarmRestart,
)
from training.perturbations.state import Layout, fresh_stack  # noqa: E402
from training.protocols import Periodic, Poisson  # noqa: E402
from training.stacked import stacked_forward  # noqa: E402
from training.streams import DATA_ORDER, stream  # noqa: E402
from training.task import Hardware, Task  # noqa: E402
from training.train import train_runs  # noqa: E402

METRICS = ("test_accuracy", "test_loss", "train_loss", "train_accuracy")
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


def make_data():
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(80, 5, generator=generator)
    labels = (inputs @ torch.randn(5, 3, generator=generator)).argmax(1)
    return Data(inputs[:30], labels[:30], inputs[30:], labels[30:])


DATA = make_data()


def task(factory=perceptron, optimizer=None, engine="auto", **settings):
    optimizer = optimizer or SGD(0.1, 0.8)
    return Task(
        DATA, factory, optimizer, batch_size=8, hardware=Hardware(device="cpu", engine=engine), **settings
    )


def fresh(factory, seed, draw):
    parameters, buffers = fresh_stack(factory, [(seed, draw)])
    return {name: value[0] for name, value in {**parameters, **buffers}.items()}


def reference(task, seed, epochs, perturbation=None, period=None):
    """Train one network with torch's own optimizer from the same random numbers; rows as in `METRICS`."""
    network = task.network()
    network.load_state_dict(fresh(task.network, seed, 0))
    data, own = task.data, task.optimizer
    sgd = torch.optim.SGD(
        network.parameters(),
        lr=own.learning_rate,
        momentum=own.momentum,
        weight_decay=own.weight_decay,
        nesterov=own.nesterov,
    )
    orders, rows = stream(seed, DATA_ORDER), []
    for epoch in range(1, epochs + 1):
        losses, right = 0.0, 0
        for batch in torch.from_numpy(orders.permutation(len(data.train_targets))).split(task.batch_size):
            logits = network(data.train_inputs[batch])
            loss = nn.functional.cross_entropy(logits, data.train_targets[batch])
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses += loss.item() * len(batch)
            right += (logits.argmax(1) == data.train_targets[batch]).sum().item()
        with torch.no_grad():
            logits = network(data.test_inputs)
            accuracy = 100 * (logits.argmax(1) == data.test_targets).double().mean().item()
            loss = nn.functional.cross_entropy(logits, data.test_targets).item()
            rows.append((accuracy, loss, losses / data.samples, 100 * right / data.samples))
            if period is not None and epoch % period == 0:
                state = NetworkState(
                    {name: value.data[None] for name, value in network.named_parameters()},
                    {},
                    Layout.of(network),
                    task.network,
                    [seed],
                    [epoch // period],
                    sgd.state.clear,
                )
                perturbation.apply(state)
    return np.array(rows).T


def stack(group, metrics=METRICS):
    return np.stack([group.metrics[name] for name in metrics])


def train(settings, seeds, epochs, perturbation=None, period=None):
    protocol = None if period is None else Periodic(period)
    return stack(train_runs(settings, seeds, epochs, perturbation, protocol))


@pytest.mark.parametrize("engine", ["stacked", "single"])
@pytest.mark.parametrize("factory", [perceptron, Residual])
@pytest.mark.parametrize("perturbation", [None, *PERTURBATIONS], ids=repr)
def test_each_run_is_that_of_a_plain_loop(factory, perturbation, engine):
    period = None if perturbation is None else 3
    seeds = [2, 0, 9]
    found = train(task(factory, engine=engine), seeds, 8, perturbation, period)
    for run, seed in enumerate(seeds):
        expected = reference(task(factory), seed, 8, perturbation, period)
        np.testing.assert_allclose(found[:, run], expected, rtol=2e-4)


def test_the_comparison_with_the_plain_loop_sees_a_wrong_optimizer():
    found = train(task(), [2], 8)[:, 0]
    other = reference(task(optimizer=SGD(0.1, 0.72)), 2, 8)
    assert np.abs(found / other - 1)[1:].max() > 0.01


UPDATES = [
    {"optimizer": SGD(0.1, 0.8, weight_decay=0.01)},
    {"optimizer": SGD(0.1, 0.8, nesterov=True)},
    {"optimizer": SGD(0.1, 0.0, weight_decay=0.01)},
    {"optimizer": AdamW(0.01)},
    {"optimizer": AdamW(0.01, beta1=0.8, weight_decay=0.0)},
    {"schedule": Cosine(4, 0.1)},
    {"optimizer": AdamW(0.02), "schedule": Cosine(4, 0.1)},
    {"drop_last": True},
]


@pytest.mark.parametrize(
    ("perturbation", "settings"),
    [
        *((PartialReset(0.4, optimizer="reset"), settings) for settings in UPDATES),
        # A warm restart acts on the schedule alone.
        *((WarmRestart(), settings) for settings in UPDATES if "schedule" in settings),
        (WarmRestart(), UPDATES[0]),
    ],
    ids=repr,
)
def test_both_engines_agree_even_where_runs_are_perturbed_at_different_times(settings, perturbation):
    groups = [
        train_runs(task(engine=engine, **settings), range(4), 9, perturbation, Poisson(0.3))
        for engine in ("stacked", "single")
    ]
    np.testing.assert_allclose(stack(groups[0]), stack(groups[1]), rtol=5e-4)
    plain = stack(train_runs(task(engine="stacked", **settings), range(4), 9))
    moved = np.abs(stack(groups[0]) / plain - 1).max() > 0.01
    # A warm restart changes nothing where there is no schedule.
    assert moved == (isinstance(perturbation, PartialReset) or "schedule" in settings)


def test_optimizers_are_those_of_torch():
    for settings in (SGD(0.1, 0.8, 0.01, True), AdamW(0.02, 0.8, 0.95, 1e-6, 0.1)):
        value = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
        stacked = {"weight": value.clone()}
        rule = settings.stacked(stacked)
        singles = [nn.Parameter(row.clone()) for row in value]
        optimizers = [settings.build([single]) for single in singles]
        for step in range(5):
            gradient = torch.randn(3, 4, generator=torch.Generator().manual_seed(10 + step))
            rule.step(stacked, [gradient], settings.learning_rate)
            for single, optimizer, row in zip(singles, optimizers, gradient, strict=True):
                single.grad = row.clone()
                optimizer.step()
        torch.testing.assert_close(
            stacked["weight"], torch.stack([s.data for s in singles]), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_a_run_does_not_depend_on_the_others_or_on_the_chunks(chunk, monkeypatch):
    seeds = [4, 7, 1, 12, 8]
    together = train(task(), seeds, 7, PartialReset(0.4), 2)
    monkeypatch.setattr(stacked_block, "CHUNK", chunk)
    others = train(task(), seeds[::-1], 7, PartialReset(0.4), 2)
    np.testing.assert_allclose(others[:, ::-1], together, rtol=2e-4)
    alone = train(task(), [7], 7, PartialReset(0.4), 2)
    np.testing.assert_allclose(alone[:, 0], together[:, 1], rtol=2e-4)
    assert np.abs(together[2, 0] / together[2, 1] - 1).max() > 0.01


@pytest.mark.parametrize("engine", ["stacked", "single"])
def test_the_same_call_gives_the_same_traces_whatever_the_state_of_torch(engine):
    first = train(task(engine=engine), range(4), 6, ShrinkPerturb(), 2)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert np.array_equal(train(task(engine=engine), range(4), 6, ShrinkPerturb(), 2), first)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("factory", [perceptron, Residual])
def test_the_number_of_threads_changes_nothing_and_is_left_as_it_was(factory, monkeypatch):
    monkeypatch.setattr(stacked_block, "CHUNK", 2)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            found.append(train(task(factory), range(9), 6, PartialReset(0.4), 2))
            assert torch.get_num_threads() == threads
            with pytest.raises(ZeroDivisionError):
                train_runs(task(factory), range(9), 6, progress=lambda *_: 1 / 0)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*found)


@pytest.mark.parametrize("engine", ["stacked", "single"])
@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=repr)
def test_the_history_is_the_unperturbed_one_until_the_first_perturbation(perturbation, engine):
    period = 3
    unperturbed = train(task(engine=engine), range(4), 5)
    perturbed = train(task(engine=engine), range(4), 5, perturbation, period)
    assert np.array_equal(perturbed[:, :, :period], unperturbed[:, :, :period])
    assert (perturbed[1:3, :, period] != unperturbed[1:3, :, period]).all()


@pytest.mark.parametrize("engine", ["stacked", "single"])
def test_a_perturbation_does_not_disturb_the_data_order(engine):
    nothing = ShrinkPerturb(1.0, 0.0, optimizer="keep")
    unperturbed = train(task(engine=engine), range(4), 8)
    assert np.array_equal(train(task(engine=engine), range(4), 8, nothing, 2), unperturbed)


def test_accuracies_are_whole_numbers_of_samples():
    counts = train(task(), range(4), 5)[0] * 50 / 100
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)


def test_evaluation_in_pieces_is_evaluation_at_once(monkeypatch):
    whole = train(task(), range(5), 3)
    for rows in (7, 100):
        monkeypatch.setattr(stacked_block, "EVALUATED_ROWS", rows)
        np.testing.assert_allclose(train(task(), range(5), 3), whole, rtol=1e-5)


@pytest.mark.parametrize("engine", ["stacked", "single"])
def test_divergence_ends_a_run(engine):
    run = BlockRun(task(optimizer=SGD(1e20, 0.0), engine=engine).prepare(), range(3), 6)
    while not run.finished:
        run.step()
    assert run.diverged == [0, 1, 2] and run.running == [] and run.epoch < 6
    assert all(np.isnan(values[:, -1]).all() for values in run.traces.values())


@dataclass(frozen=True)
class Break(ShrinkPerturb):
    """Breaks the run of seed 1."""

    def apply(self, state):
        state.parameters["0.weight"][state.seeds.index(1)] = torch.inf


def test_one_diverged_run_leaves_the_others_alone():
    healthy = train(task(), range(3), 6)
    found = train(task(), range(3), 6, Break(), 4)
    np.testing.assert_allclose(found[:, [0, 2]], healthy[:, [0, 2]], rtol=1e-5)
    assert np.isnan(found[:, 1, 4:]).all() and np.isfinite(found[:, 1, :4]).all()


@dataclass(frozen=True)
class Images:
    """Uint8 images of two classes, with a third that never occurs."""

    def load(self):
        generator = torch.Generator().manual_seed(3)
        images = torch.randint(0, 256, (48, 3, 8, 8), generator=generator, dtype=torch.uint8)
        labels = torch.arange(48) % 2
        images[labels == 1, 0] //= 4
        return Data(
            images[:32], labels[:32], images[32:], labels[32:], torch.full((3,), 0.5), torch.ones(3), 3
        )


@pytest.mark.parametrize(
    ("network", "seeds"),
    [(SmallCNN((4, 8)), [1, 2]), (SmallCNN((4,), "batch"), [1, 2]), (ResNet18(), [1])],
    ids=str,
)
def test_images_train_and_statistics_are_perturbed(network, seeds):
    settings = Task(Images(), network, SGD(0.02), batch_size=16, hardware=Hardware(device="cpu"))
    assert isinstance(
        BlockRun(settings.prepare(), [1], 1).block,
        StackedBlock if network == SmallCNN((4, 8)) else SingleBlock,
    )
    kick = ShrinkPerturb(0.5, 0.1, buffers="recalibrate")
    group = train_runs(settings, seeds, 2, kick, Periodic(1))
    assert np.isfinite(group.metrics["test_loss"]).all()
    again = train_runs(settings, seeds, 2, kick, Periodic(1))
    assert np.array_equal(group.metrics["train_loss"], again.metrics["train_loss"])
    last = Hardware(device="cpu", channels_last=True, precision="bfloat16")
    mixed = train_runs(replace(settings, hardware=last), seeds, 1)
    assert np.allclose(mixed.metrics["train_loss"], group.metrics["train_loss"][:, :1], rtol=0.2)


class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.5), nn.Linear(8, 3))

    def forward(self, inputs):
        return self.layers(inputs)


def test_dropout_depends_on_the_seed_alone():
    both = train(task(Dropping), [3, 8], 4)
    torch.manual_seed(5)
    assert np.array_equal(train(task(Dropping), [8], 4)[:, 0], both[:, 1])
    assert not np.array_equal(both[:, 0], both[:, 1])


def last_error(outputs, targets):
    return (outputs[:, 0] - targets).abs().max()


def absolute(outputs, targets):
    return (outputs.squeeze(-1) - targets).abs()


@pytest.mark.parametrize("engine", ["stacked", "single"])
def test_regression_with_metrics_and_losses_of_ones_own(engine):
    from training.data import Regression

    def build():
        return nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1))

    settings = Task(
        Regression(60, 40),
        build,
        SGD(0.05),
        batch_size=20,
        metrics=(Metric("worst", last_error, "at_most"),),
        hardware=Hardware(device="cpu", engine=engine),
    )
    group = train_runs(settings, [1, 2], 20)
    assert set(group.metrics) == {"test_loss", "train_loss", "worst", "epoch_seconds"}
    assert set(group.directions.values()) == {"at_most"}
    assert (group.metrics["test_loss"][:, -1] < group.metrics["test_loss"][:, 0]).all()
    own = train_runs(replace(settings, loss=absolute), [1, 2], 20)
    assert (own.metrics["worst"] > own.metrics["test_loss"]).all()
    with pytest.raises(ValueError, match="`metrics` holds 'test_loss' twice"):
        train_runs(replace(settings, metrics=(Metric("test_loss", last_error),)), [1], 1)


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


def test_progress_counts_epochs_and_an_interruption_passes_through():
    seen = []
    train_runs(task(), range(3), 4, progress=lambda *done: seen.append(done))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_runs(task(), range(3), 4, progress=interrupt)


def frozen():
    network = perceptron()
    network[0].bias.requires_grad_(False)
    return network


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: train_runs(task(), [], 2), r"`seeds` must be .*, got \[\]; range\(200\) gives 200 runs"),
        (lambda: train_runs(task(), [1, -2], 2), "`seeds` must be whole numbers of at least 0, .* got -2"),
        (lambda: train_runs(task(), [1.5], 2), "`seeds` must be whole numbers .* got 1.5"),
        (lambda: train_runs(task(), [3, 4, 3], 2), "`seeds` must differ from each other, 3 occurs twice"),
        (lambda: train_runs(task(), [1], 0), "`epochs` must be a whole number of epochs, at least 1, got 0"),
        (lambda: train_runs(task(), [1], 2, None, Periodic(5)), "`perturbation` and `protocol` go together"),
        (lambda: train_runs(task(), [1], 2, ShrinkPerturb()), "go together: .* got ShrinkPerturb.* and None"),
        (
            lambda: train_runs(task(lambda: nn.Sequential(nn.BatchNorm1d(5)), engine="stacked"), [1], 2),
            "layer '0', BatchNorm1d.* engine \"single\"",
        ),
        (
            lambda: train_runs(task(nn.ReLU, engine="stacked"), [1], 2),
            "every parameter is trained, at least one; got 0 of 0",
        ),
        (
            lambda: train_runs(task(frozen, engine="stacked"), [1], 2),
            "every parameter is trained, at least one; got 3 of 4",
        ),
        (lambda: Task(DATA, perceptron, batch_size=2.5), "`batch_size` must be a whole number .* got 2.5"),
        (lambda: Task(3, perceptron), "`data` must be Data or have a method `load`, got 3"),
        (lambda: Task(DATA, perceptron, loss="mae"), "`loss` must be auto, cross_entropy, mse, .* got 'mae'"),
        (lambda: Hardware(device="tpu9"), '`device` must be "auto", "cpu", .* got \'tpu9\''),
        (lambda: Hardware(precision="float8"), "`precision` must be one of float32, tf32, bfloat16, got"),
        (lambda: SGD(learning_rate=0), "`learning_rate` must be positive and finite, got 0"),
        (lambda: SGD(momentum=1), "`momentum` must be at least 0 and below 1, got 1"),
        (lambda: SGD(momentum=0, nesterov=True), "`nesterov` needs a `momentum` above 0"),
        (lambda: AdamW(weight_decay=-1), "`weight_decay` must be a finite number of at least 0, got -1"),
        (lambda: Cosine(0), "`epochs` must be a whole number of epochs, at least 1, got 0"),
    ],
)
def test_errors_name_argument_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_said():
    settings = Task(DATA, perceptron, hardware=Hardware(device="cuda"))
    with pytest.raises(ValueError, match='`device` is "cuda", but torch finds no CUDA device'):
        settings.prepare()
