import io
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from scipy import stats  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR  # noqa: E402
from torch.optim.swa_utils import update_bn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from theory.protocols import renewal  # noqa: E402
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
from training.protocols import Never, Once, Periodic, Poisson, Renewal  # noqa: E402

NOTHING = ShrinkPerturb(1, 0, optimizer="keep")
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.01),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 0.01),
}
ALL = [
    ShrinkPerturb(0.4, 0.1),
    ShrinkPerturb(0.5, 0.1, source="gaussian", buffers="scale", optimizer="keep"),
    StochasticReset(),
    PartialReset(0.3, buffers="reset"),
    LayerReset(last=1),
    WeightNoise(0.1, relative=True),
    OptimizerReset(),
]


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(64, 3)
    )


def images(count=24, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 1, 6, 6, generator=generator)
    return TensorDataset(inputs, torch.randint(3, (count,), generator=generator))


class Training:
    """An ordinary training loop, with all its states."""

    def __init__(self, perturbation=None, protocol=None, *, optimizer="sgd", seed=5, schedule=None, **needed):
        torch.manual_seed(1)
        self.model = network()
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.scheduler = None if schedule is None else schedule(self.optimizer)
        self.loader = DataLoader(images(), batch_size=8, shuffle=True)
        self.perturber, self.orders = None, []
        if perturbation is not None:
            self.perturber = Perturber(
                self.model,
                self.optimizer,
                perturbation,
                protocol,
                seed=seed,
                scheduler=self.scheduler,
                **needed,
            )

    def epoch(self):
        self.model.train()
        for inputs, labels in self.loader:
            self.orders.append(labels.tolist())
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(inputs), labels).backward()
            self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        return self.perturber is not None and self.perturber.step()

    def epochs(self, count):
        return [self.epoch() for _ in range(count)]

    def parts(self):
        all_parts = {
            "model": self.model,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "perturber": self.perturber,
        }
        return {name: part for name, part in all_parts.items() if part is not None}

    def save(self):
        file = io.BytesIO()
        states = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save({**states, "random": torch.get_rng_state()}, file)
        return file.getvalue()

    def load(self, saved):
        states = torch.load(io.BytesIO(saved), weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(states[name])
        torch.set_rng_state(states["random"])


def copied(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def small(perturbation=NOTHING, protocol=None, seed=0, **needed):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return Perturber(model, optimizer, perturbation, protocol or Periodic(2), seed=seed, **needed)


# When


@pytest.mark.parametrize(
    ("protocol", "epochs"),
    [
        (Never(), []),
        (Periodic(4), [4, 8, 12, 16, 20]),
        (Periodic(4, first=7), [7, 11, 15, 19]),
        (Periodic(4, first=1), [1, 5, 9, 13, 17]),
        (Once(6), [6]),
        (Poisson(0.3), None),
        (Poisson(3.0), None),
        (Renewal(renewal(stats.gamma(4, scale=1))), None),
    ],
    ids=lambda each: getattr(each, "label", ""),
)
def test_perturbs_at_the_epochs_of_the_protocol(protocol, epochs):
    perturber = small(protocol=protocol, seed=7)
    done = [epoch for epoch in range(1, 21) if perturber.step()]
    assert done == (protocol.epochs(7, 21) if epochs is None else epochs)
    assert (perturber.epoch, perturber.count) == (20, len(done))


def test_a_perturbation_comes_last_in_its_epoch_and_in_no_other():
    perturber = small(ShrinkPerturb(0.5, 0), Periodic(3))
    start = copied(perturber.model)
    for epoch in range(1, 8):
        assert perturber.step() is (epoch % 3 == 0)
        factor = 0.5 ** (epoch // 3)
        assert_same(copied(perturber.model), {name: factor * value for name, value in start.items()})


def test_perturb_by_hand_leaves_the_times_of_a_sharp_protocol():
    perturber = small(ShrinkPerturb(0.5, 0), Periodic(3))
    before = perturber.model[0].weight.detach().clone()
    perturber.perturb()
    assert torch.equal(perturber.model[0].weight, 0.5 * before)
    assert [perturber.step() for _ in range(4)] == [False, False, True, False]
    assert perturber.count == 2


def test_seeds_and_perturbations_draw_other_numbers_and_the_same_draw_the_same():
    def after(seed, steps):
        perturber = small(StochasticReset(), Periodic(1), seed=seed)
        for _ in range(steps):
            perturber.step()
        return perturber.model[0].weight.detach()

    drawn = [after(1, 1), after(1, 2), after(2, 1)]
    assert not any(torch.equal(drawn[i], drawn[j]) for i, j in [(0, 1), (0, 2), (1, 2)])
    torch.manual_seed(99)
    assert torch.equal(after(1, 2), drawn[1])


# What else is left as it was


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("protocol", [Periodic(1), Poisson(0.7)], ids=["periodic", "poisson"])
def test_a_perturbation_that_changes_nothing_changes_nothing(optimizer, protocol):
    with_it, without = Training(NOTHING, protocol, optimizer=optimizer), Training(optimizer=optimizer)
    for training in (with_it, without):
        torch.manual_seed(3)
        training.epochs(5)
        training.random = torch.get_rng_state()
    assert with_it.perturber.count >= 2
    assert_same(with_it.model.state_dict(), without.model.state_dict())
    assert with_it.orders == without.orders
    assert torch.equal(with_it.random, without.random)


@pytest.mark.parametrize("perturbation", ALL, ids=repr)
def test_random_states_and_the_order_of_the_data_are_left(perturbation):
    with_it, without = Training(perturbation, Periodic(1)), Training()
    for training in (with_it, without):
        torch.manual_seed(3)
        np_state = np.random.get_state()[1].copy()  # noqa: NPY002
        training.epochs(3)
        training.random = torch.get_rng_state()
        assert np.array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
    assert with_it.orders == without.orders
    assert torch.equal(with_it.random, without.random)
    assert not torch.equal(with_it.model[-1].weight, without.model[-1].weight)


@pytest.mark.parametrize("perturbation", ALL, ids=repr)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_tensors_stay_where_they_are(perturbation, optimizer):
    training = Training(perturbation, Periodic(1), optimizer=optimizer)
    training.model[0].to(memory_format=torch.channels_last)
    named = [*training.model.named_parameters(), *training.model.named_buffers()]
    before = [(name, value, value.data_ptr(), value.stride()) for name, value in named]
    assert training.epochs(2) == [True, True]
    now = dict([*training.model.named_parameters(), *training.model.named_buffers()])
    for name, value, pointer, stride in before:
        assert now[name] is value
        assert (value.data_ptr(), value.stride()) == (pointer, stride)
        assert value.isfinite().all()


def test_channels_last_takes_the_same_values():
    plain, other = (Training(ShrinkPerturb(0.4, 0.1), Periodic(1)) for _ in range(2))
    other.model.to(memory_format=torch.channels_last)
    plain.perturber.perturb()
    other.perturber.perturb()
    assert_same(copied(plain.model), copied(other.model))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("after", ["keep", "reset"])
def test_the_optimizer_is_kept_or_started_afresh(optimizer, after):
    training = Training(ShrinkPerturb(0.4, 0.1, optimizer=after), Never(), optimizer=optimizer)
    training.epochs(1)
    kept = {key: dict(value) for key, value in training.optimizer.state.items()}
    assert kept
    training.perturber.perturb()
    assert dict(training.optimizer.state) == ({} if after == "reset" else kept)
    training.epochs(1)
    step = next(iter(training.optimizer.state.values())).get("step")
    assert step is None or step == (3 if after == "reset" else 6)


# Resuming


@pytest.mark.parametrize("stop", [2, 3, 4])
@pytest.mark.parametrize("perturbation", [ShrinkPerturb(0.4, 0.1), StochasticReset(), WeightNoise(0.1)])
def test_resumes_bit_for_bit_around_a_perturbation(stop, perturbation):
    def start():
        training = Training(perturbation, Periodic(3), optimizer="adam")
        torch.manual_seed(3)
        return training

    first = start()
    first.epochs(stop)
    saved = first.save()
    second = Training(perturbation, Periodic(3), optimizer="adam", seed=77)  # the seed is in the state
    second.load(saved)
    assert second.epochs(5) == [(stop + more) % 3 == 0 for more in range(1, 6)]
    whole = start()
    whole.epochs(stop + 5)
    assert_same(whole.model.state_dict(), second.model.state_dict())
    assert whole.perturber.state_dict() == second.perturber.state_dict()
    other = Training(perturbation, Periodic(3), optimizer="adam", seed=77)
    torch.manual_seed(3)
    other.epochs(stop + 5)
    assert not torch.equal(whole.model[0].weight, other.model[0].weight)


@pytest.mark.parametrize(
    "protocol",
    [Periodic(np.int64(4), first=6), Once(5), Poisson(0.4), Renewal(renewal(stats.gamma(4, scale=1)))],
    ids=lambda each: each.label,
)
@pytest.mark.parametrize("stop", [0, 4, 5, 9])
def test_a_continued_run_keeps_its_times(protocol, stop):
    first, second = small(protocol=protocol, seed=4), small(protocol=protocol, seed=8)
    done = [first.step() for _ in range(stop)]
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    second.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    done += [second.step() for _ in range(stop, 20)]
    assert [epoch for epoch, perturbed in enumerate(done, 1) if perturbed] == protocol.epochs(4, 21)


def test_a_state_is_a_copy():
    perturber = small()
    state = perturber.state_dict()
    perturber.step()
    assert state["epoch"] == 0
    state["groups"][0]["lr"] = 7
    assert perturber.state_dict()["groups"][0]["lr"] == 0.1


def test_a_state_of_equal_settings_is_taken():
    perturber = small(ShrinkPerturb(1, 0), Renewal(renewal(stats.gamma(4, scale=1))))
    perturber.load_state_dict(
        small(ShrinkPerturb(1.0, 0.0), Renewal(renewal(stats.gamma(4, scale=1)))).state_dict()
    )


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: small(ShrinkPerturb(0.9, 0)).state_dict(), "`state` was saved with the perturbation .*0.9"),
        (
            lambda: small(WeightNoise(0.1)).state_dict(),
            "`state` was saved with the perturbation .*weight_noise",
        ),
        (
            lambda: small(protocol=Periodic(3)).state_dict(),
            "`state` was saved with the protocol .*'period': 3",
        ),
        (lambda: small(protocol=Poisson(0.5)).state_dict(), "`state` was saved with the protocol .*poisson"),
        (lambda: {"epoch": 3}, "`state` must be what Perturber.state_dict returned, it lacks count, groups"),
        (lambda: None, "`state` must be what Perturber.state_dict returned"),
    ],
)
def test_a_state_of_something_else_is_refused_and_changes_nothing(other, message):
    perturber = small()
    perturber.step()
    before = perturber.state_dict()
    with pytest.raises(ValueError, match=message):
        perturber.load_state_dict(other())
    assert perturber.state_dict() == before


def test_laws_that_differ_in_one_of_many_epochs_are_told_apart():
    beyond = np.linspace(1, 0, 3000)
    changed = beyond.copy()
    changed[1500] = changed[1501]
    from theory.protocols import IntervalLaw

    laws = [Renewal(IntervalLaw("law", each)) for each in (beyond, changed)]
    assert repr(laws[0]) == repr(laws[1])  # which is why states do not hold it
    with pytest.raises(ValueError, match="saved with the protocol"):
        small(protocol=laws[0]).load_state_dict(small(protocol=laws[1]).state_dict())


def test_a_state_of_another_kind_of_schedule_is_refused():
    def cosine(optimizer):
        return CosineAnnealingLR(optimizer, 4)

    def one_cycle(optimizer):
        return OneCycleLR(optimizer, 0.1, total_steps=40)

    perturber = Training(NOTHING, Periodic(2), schedule=cosine).perturber
    before = perturber.state_dict()
    for other in (one_cycle, None):
        with pytest.raises(ValueError, match="`state` was saved with another kind of scheduler or optimizer"):
            perturber.load_state_dict(Training(NOTHING, Periodic(2), schedule=other).perturber.state_dict())
    assert perturber.state_dict() == before


# The learning-rate schedule

SCHEDULES = {
    "cosine": lambda optimizer: CosineAnnealingLR(optimizer, 6),
    "one-cycle": lambda optimizer: OneCycleLR(optimizer, 0.1, total_steps=12),
}


def rates(training, epochs):
    """What the optimizer is set to in each epoch."""
    found = []
    for _ in range(epochs):
        group = training.optimizer.param_groups[0]
        found.append([float(group["lr"]), group.get("momentum", group.get("betas"))])
        training.epoch()
    return found


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_warm_restart_sets_the_schedule_back(schedule, optimizer):
    plain = rates(Training(optimizer=optimizer, schedule=SCHEDULES[schedule]), 8)
    restarted = Training(WarmRestart(), Periodic(3), optimizer=optimizer, schedule=SCHEDULES[schedule])
    assert rates(restarted, 8) == plain[:3] + plain[:3] + plain[:2]
    assert len({rate for rate, _ in plain[:3]}) == 3
    assert restarted.optimizer.state


def test_a_warm_restart_within_others_restarts_too():
    both = Composed((ShrinkPerturb(0.4, 0.1), WarmRestart()))
    training = Training(both, Once(2), schedule=SCHEDULES["cosine"])
    first = rates(training, 2)
    assert not training.optimizer.state
    assert rates(training, 2) == first


def test_a_learning_rate_in_a_tensor_stays_that_tensor():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    rate = torch.tensor(0.1)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    scheduler = CosineAnnealingLR(optimizer, 6)
    perturber = Perturber(model, optimizer, WarmRestart(), Periodic(2), scheduler=scheduler)
    found = []
    for _ in range(4):
        found.append(float(rate))
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        scheduler.step()
        perturber.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert found[:2] == found[2:] and found[1] < found[0]
    file = io.BytesIO()
    torch.save(perturber.state_dict(), file)
    perturber.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("stop", [2, 3, 4])
def test_warm_restarts_resume(schedule, stop):
    def start():
        return Training(WarmRestart(), Periodic(3), schedule=SCHEDULES[schedule])

    whole, first, second = start(), start(), start()
    expected = rates(whole, 9)
    begun = rates(first, stop)
    second.load(first.save())
    assert begun + rates(second, 9 - stop) == expected


def test_the_start_of_the_schedule_comes_from_the_state():
    first = Training(WarmRestart(), Periodic(3), schedule=SCHEDULES["one-cycle"])
    expected = rates(first, 2)
    second = Training(schedule=SCHEDULES["one-cycle"])
    rates(second, 2)
    # Built where the schedule is under way, as after a checkpoint was loaded.
    arguments = second.model, second.optimizer, WarmRestart(), Periodic(3)
    second.perturber = Perturber(*arguments, scheduler=second.scheduler)
    second.perturber.load_state_dict(first.perturber.state_dict())
    second.epoch()
    assert rates(second, 2) == expected


# Running statistics


def test_recalibrated_statistics_are_those_of_update_bn():
    batches = DataLoader(images(), batch_size=8)
    training = Training(ShrinkPerturb(0.4, 0.1, buffers="recalibrate"), Periodic(2), calibration=batches)
    kept = Training(ShrinkPerturb(0.4, 0.1), Periodic(2))
    for each in (training, kept):
        torch.manual_seed(3)
        each.epochs(2)
    old = copied(kept.model)
    update_bn(batches, kept.model)
    assert_same(copied(kept.model), copied(training.model))
    assert not torch.equal(old["1.running_mean"], kept.model[1].running_mean)
    assert training.model.training and training.model[1].momentum == 0.1


def test_calibration_is_a_function_of_the_seed_and_leaves_the_order_of_the_data():
    def trained(disturb):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 4), nn.BatchNorm1d(4))
        loader = DataLoader(
            images(), batch_size=8, shuffle=True, generator=torch.Generator().manual_seed(disturb)
        )
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        perturbation = WeightNoise(0.1, buffers="recalibrate")
        perturber = Perturber(model, optimizer, perturbation, Once(1), calibration=loader)
        torch.manual_seed(disturb)
        states = torch.get_rng_state(), loader.generator.get_state()
        assert perturber.step()
        assert torch.equal(torch.get_rng_state(), states[0])
        assert torch.equal(loader.generator.get_state(), states[1])
        return copied(model)

    assert_same(trained(1), trained(2))


def test_a_network_without_running_statistics_needs_no_calibration():
    assert small(WeightNoise(0.1, buffers="recalibrate"), Periodic(1)).step()


# Mixed precision and compilation


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_mixed_precision(optimizer):
    training = Training(ShrinkPerturb(0.4, 0.1), Periodic(2), optimizer=optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses = []
    for _ in range(6):
        for inputs, labels in training.loader:
            training.optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = nn.functional.cross_entropy(training.model(inputs), labels)
            scaler.scale(loss).backward()
            scaler.step(training.optimizer)
            scaler.update()
            losses.append(float(loss.detach()))
        training.perturber.step()
    assert training.perturber.count == 3
    assert scaler.get_scale() == 1024.0
    assert np.isfinite(losses).all()
    assert all(value.dtype == torch.float32 for value in training.model.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_networks_of_other_types_keep_their_type(dtype):
    model = network().to(dtype)
    perturber = Perturber(
        model, torch.optim.SGD(model.parameters(), 0.1), ShrinkPerturb(0.4, 0.1), Periodic(1)
    )
    assert perturber.step()
    assert {value.dtype for value in model.parameters()} == {dtype}


@pytest.mark.parametrize("perturbation", ALL, ids=repr)
def test_a_compiled_network_goes_on_as_the_one_within(perturbation):
    torch.manual_seed(1)
    model = network()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(compiled.parameters(), 0.1, momentum=0.9)
    perturber = Perturber(compiled, optimizer, perturbation, Periodic(1))
    inputs, labels = images().tensors
    nn.functional.cross_entropy(compiled(inputs), labels).backward()
    optimizer.step()
    compiled.eval()
    before = compiled(inputs)
    perturber.step()
    assert torch.equal(compiled(inputs), model(inputs))
    if perturbation != OptimizerReset():
        assert not torch.equal(compiled(inputs), before)


# Several processes

SCRIPT = """
import os, sys
import torch
from torch import distributed, nn

from training import Perturber
from training.perturbations import ShrinkPerturb
from training.protocols import Periodic, Poisson

distributed.init_process_group("gloo")
rank = distributed.get_rank()
shard = torch.Generator().manual_seed(rank)
batches = [torch.randn(8, 3, generator=shard) for _ in range(4)]


def train(seed, protocol, compiled=False, buffers="keep"):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model = nn.parallel.DistributedDataParallel(network)
    model = torch.compile(model, backend="eager") if compiled else model
    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9)
    perturbation = ShrinkPerturb(0.4, 0.1, buffers=buffers)
    perturber = Perturber(model, optimizer, perturbation, protocol, seed=seed, calibration=batches)
    states, epochs = [], []
    for epoch in range(1, 7):
        for batch in batches:
            optimizer.zero_grad()
            model(batch).square().mean().backward()
            optimizer.step()
        if perturber.step():
            epochs.append(epoch)
            states.append({name: value.clone() for name, value in network.state_dict().items()})
    return {"seed": perturber.seed, "epochs": epochs, "states": states}


results = {}
for name, protocol in (("periodic", Periodic(2)), ("poisson", Poisson(0.7))):
    for case, seeds in (("mixed", (5, 9)), ("first", (5, 5)), ("second", (9, 9))):
        results[name, case] = train(seeds[rank], protocol)
results["compiled"] = train((5, 9)[rank], Periodic(2), compiled=True)
results["recalibrated"] = train((5, 9)[rank], Periodic(2), buffers="recalibrate")
results["shard"] = batches[0]
torch.save(results, os.path.join(sys.argv[1], f"rank-{rank}.pt"))
distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What two processes that train one network, each told another seed, have after each perturbation."""
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        pytest.skip("torch was built without gloo")
    folder = tmp_path_factory.mktemp("ranks")
    script = folder / "script.py"
    script.write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, script, folder],
            env={**os.environ, **shared, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        said = [process.communicate(timeout=120)[0] for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert [process.returncode for process in started] == [0, 0], "\n".join(said)
    return [torch.load(folder / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1)]


def assert_same_runs(one, other):
    assert (one["seed"], one["epochs"]) == (other["seed"], other["epochs"])
    assert len(one["states"]) == len(one["epochs"]) > 0
    for state, same in zip(one["states"], other["states"], strict=True):
        parameters = [name for name in state if "running" not in name]
        assert_same({name: state[name] for name in parameters}, {name: same[name] for name in parameters})


@pytest.mark.parametrize("protocol", ["periodic", "poisson"])
def test_processes_stay_together_and_take_the_seed_of_the_first(ranks, protocol):
    first, second = ranks
    assert not torch.equal(first["shard"], second["shard"])
    assert_same_runs(first[protocol, "mixed"], second[protocol, "mixed"])
    assert_same_runs(first[protocol, "mixed"], first[protocol, "first"])
    assert first[protocol, "mixed"]["seed"] == 5
    drawn = [first[protocol, case]["states"][0]["0.weight"] for case in ("first", "second")]
    assert not torch.equal(*drawn)
    if protocol == "periodic":
        assert first[protocol, "mixed"]["epochs"] == [2, 4, 6]
    else:
        assert first[protocol, "mixed"]["epochs"] == Poisson(0.7).epochs(5, 7)
        assert first[protocol, "mixed"]["epochs"] != Poisson(0.7).epochs(9, 7)


def test_processes_with_a_compiled_network_take_the_seed_of_the_first(ranks):
    assert_same_runs(ranks[0]["compiled"], ranks[1]["compiled"])
    assert_same_runs(ranks[0]["compiled"], ranks[0]["periodic", "first"])


def test_processes_share_recalibrated_statistics(ranks):
    for one, other in zip(*(each["recalibrated"]["states"] for each in ranks), strict=True):
        assert_same(one, other)
    kept, recalibrated = (ranks[0][case]["states"][0] for case in (("periodic", "first"), "recalibrated"))
    assert not torch.equal(kept["1.running_var"], recalibrated["1.running_var"])


# What is refused


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
