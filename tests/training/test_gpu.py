"""The engine on a CUDA device: against the CPU, captured steps against plain ones, memory, resuming."""

import gc
from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training import Hardware, Perturber, Task, train_runs  # noqa: E402
from training.blocks import BlockRun  # noqa: E402
from training.data.base import Data  # noqa: E402
from training.digits import digits_task  # noqa: E402
from training.networks import ResNet18, SmallCNN  # noqa: E402
from training.optimizers import SGD, AdamW, Cosine  # noqa: E402
from training.perturbations import PartialReset, ShrinkPerturb  # noqa: E402
from training.protocols import Periodic  # noqa: E402

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def images(count=256, size=16):
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (count + 64, 3, size, size), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count + 64) % 4
    pixels[:, 0] //= (labels + 1)[:, None, None].to(torch.uint8)
    half = torch.full((3,), 0.5)
    return Data(pixels[:count], labels[:count], pixels[count:], labels[count:], half, half)


def task(network=None, optimizer=None, device="cuda", **hardware):
    return Task(
        images(),
        network or SmallCNN((8, 8), "batch"),
        optimizer or SGD(0.02),
        Cosine(5),  # ends at a tenth of the rate: a step that missed the change would be seen
        batch_size=48,  # the last batch is smaller
        hardware=Hardware(device=device, engine="single", **hardware),
    )


LOSSES = ("train_loss", "test_loss")


@dataclass(frozen=True)
class HostRate(SGD):
    """One whose learning rate is a number of the host, as an optimizer of one's own may have it."""

    def build(self, parameters, capturable=False):
        return torch.optim.SGD(parameters, lr=self.learning_rate, momentum=self.momentum)


OPTIMIZERS = {"SGD": SGD(0.02), "plain SGD": SGD(0.05, 0.0), "AdamW": AdamW(0.002), "host": HostRate(0.02)}
PERTURBATIONS = {"shrink": ShrinkPerturb(buffers="recalibrate"), "partial": PartialReset(0.4)}


@pytest.mark.parametrize("graphs", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("perturbation", PERTURBATIONS.values(), ids=PERTURBATIONS)
def test_the_gpu_gives_what_the_cpu_gives(graphs, optimizer, perturbation):
    # Rounding grows from epoch to epoch, by a few per cent in five.
    expected = train_runs(task(None, optimizer, "cpu"), range(3), 4, perturbation, Periodic(2))
    found = train_runs(
        task(None, optimizer, cuda_graphs=graphs, concurrent=2), range(3), 4, perturbation, Periodic(2)
    )
    for name in LOSSES:
        np.testing.assert_allclose(found.metrics[name], expected.metrics[name], rtol=0.03)
    plain = train_runs(task(None, optimizer, "cpu"), range(3), 4)
    assert np.abs(plain.metrics["train_loss"] / found.metrics["train_loss"] - 1).max() > 0.05


def test_captured_steps_are_plain_steps():
    found = [
        train_runs(task(ResNet18(), SGD(0.002), cuda_graphs=graphs), [1], 2).metrics["train_loss"]
        for graphs in (False, True)
    ]
    np.testing.assert_allclose(*found, rtol=0.02)


def test_networks_in_flight_do_not_disturb_each_other():
    together = train_runs(task(concurrent=4), range(4), 4)
    alone = train_runs(task(concurrent=1), range(4), 4)
    for name in LOSSES:
        np.testing.assert_allclose(together.metrics[name], alone.metrics[name], rtol=0.01)


@pytest.mark.parametrize("graphs", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_resumed_run_goes_on(graphs, optimizer):
    settings = task(None, optimizer, cuda_graphs=graphs)
    whole = BlockRun(settings.prepare(), range(2), 6, PartialReset(0.4), Periodic(2))
    for _ in range(3):
        whole.step()
    resumed = BlockRun(settings.prepare(), range(2), 6, PartialReset(0.4), Periodic(2))
    resumed.load_state_dict(whole.state_dict())
    for run in (whole, resumed):
        while not run.finished:
            run.step()
    for name in LOSSES:
        np.testing.assert_allclose(resumed.traces[name], whole.traces[name], rtol=0.01)


def test_mixed_precision_trains():
    settings = task(ResNet18(), precision="bfloat16", channels_last=True)
    group = train_runs(settings, [1, 2], 3)
    assert (group.metrics["train_loss"][:, -1] < group.metrics["train_loss"][:, 0]).all()
    compiled = replace(settings, hardware=replace(settings.hardware, compile=True))
    np.testing.assert_allclose(
        train_runs(compiled, [1, 2], 1).metrics["train_loss"], group.metrics["train_loss"][:, :1], rtol=0.1
    )


def test_too_many_networks_are_trained_in_halves(tmp_path):
    from training import TrainingStudy, run_study

    gc.collect()
    torch.cuda.empty_cache()
    total = torch.cuda.mem_get_info()[1]
    # Room for two or three networks with their momenta and activations.
    room = torch.cuda.memory_reserved() + 0.6e9
    torch.cuda.set_per_process_memory_fraction(min(1.0, room / total))
    try:
        study = TrainingStudy(task(ResNet18(), cuda_graphs=False), 1, tuple(range(8)))
        assert run_study(study, tmp_path).runs == 8
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_a_finished_network_leaves_no_memory_behind():
    # Without the collector: nothing that holds tensors may be part of a cycle. The first one leaves workspaces.
    held = []
    gc.collect()
    gc.disable()
    try:
        for seed in range(3):
            run = BlockRun(task(ResNet18()).prepare(), [seed], 1)
            run.step()
            del run
            held.append(torch.cuda.memory_allocated())
    finally:
        gc.enable()
    assert held[2] <= held[1] + 2**20


@pytest.mark.parametrize("optimizer", [SGD(0.05), AdamW(0.002)], ids=["SGD", "AdamW"])
def test_stacked_networks_train_as_on_the_cpu(optimizer):
    found, expected = (
        train_runs(
            replace(digits_task(), optimizer=optimizer, hardware=Hardware(device=device, engine="stacked")),
            range(4),
            4,
            ShrinkPerturb(),
            Periodic(2),
        ).metrics
        for device in ("cuda", "cpu")
    )
    for name in LOSSES:
        np.testing.assert_allclose(found[name], expected[name], rtol=0.01)


@pytest.mark.parametrize("perturbation", PERTURBATIONS.values(), ids=PERTURBATIONS)
def test_a_loop_of_ones_own_is_perturbed_as_on_the_cpu(perturbation):
    generator = torch.Generator().manual_seed(5)
    batches = [torch.randn(32, 6, generator=generator) for _ in range(3)]
    found = []
    for device in ("cuda", "cpu"):
        torch.manual_seed(1)
        network = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 2))
        network.to(device)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        moved = [batch.to(device) for batch in batches]
        perturber = Perturber(network, optimizer, perturbation, Periodic(1), seed=3, calibration=moved)
        assert perturber.step()
        found.append({name: value.cpu() for name, value in network.state_dict().items()})
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("precision", "low", "high"), [("float32", 0, 1e-5), ("tf32", 1e-5, 1e-2)])
def test_convolutions_have_the_precision_asked_for(precision, low, high):
    task(precision=precision).prepare()
    generator = torch.Generator("cuda").manual_seed(0)
    shapes = ((64, 64, 16, 16), (64, 64, 3, 3))
    exact = [torch.randn(shape, generator=generator, device="cuda", dtype=torch.float64) for shape in shapes]
    expected = torch.nn.functional.conv2d(*exact)
    found = torch.nn.functional.conv2d(*(each.float() for each in exact))
    assert low <= (found - expected).abs().max() / expected.abs().max() < high
