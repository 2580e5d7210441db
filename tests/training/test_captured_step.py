"""When a step is captured again: without a GPU, the capture itself replaced by a record of the rate."""

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training import Hardware  # noqa: E402
from training.blocks import make_block  # noqa: E402
from training.blocks.cuda_graph import CapturedStep  # noqa: E402
from training.digits import digits_task  # noqa: E402


class Recorded(CapturedStep):
    """Replays what the capture saw."""

    def __init__(self):
        super().__init__()
        self.captured, self.warmed, self.replayed = 0, 0, []

    def _warm_up(self, run, indices):
        self.warmed += 1

    def _capture(self, run, indices):
        self.captured += 1
        rates = [float(group["lr"]) for group in run.optimizer.param_groups]
        return SimpleNamespace(replay=lambda: self.replayed.append((*rates, *indices.tolist())))


def run_with(*rates):
    groups = [{"lr": rate} for rate in rates]
    return SimpleNamespace(optimizer=SimpleNamespace(param_groups=groups))


def test_a_step_follows_the_learning_rate_and_the_batch():
    step, run = Recorded(), run_with(0.1, 0.2)
    for rate, batch in ((0.1, 1), (0.1, 2), (0.3, 3), (0.3, 4), (0.1, 5)):
        run.optimizer.param_groups[0]["lr"] = rate
        step(run, torch.tensor([batch]))
    assert step.replayed == [(0.1, 0.2, 1), (0.1, 0.2, 2), (0.3, 0.2, 3), (0.3, 0.2, 4), (0.1, 0.2, 5)]
    assert (step.captured, step.warmed) == (3, 1)


def test_a_rate_in_a_tensor_of_the_host_is_a_number_too():
    rate = torch.tensor(0.5)
    step, run = Recorded(), run_with(rate)
    step(run, torch.tensor([1]))
    rate.fill_(0.25)
    step(run, torch.tensor([2]))
    assert step.replayed == [(0.5, 1), (0.25, 2)]


def test_a_block_is_freed_without_the_collector():
    task = replace(digits_task(), hardware=Hardware(device="cpu", engine="single"))
    make_block(task.prepare(), [0])  # the first optimizer loads modules, whose exceptions hold frames
    gc.collect()
    gc.disable()
    try:
        block = make_block(task.prepare(), [1])
        run = block._runs[0]
        run.captured = Recorded()
        run.optimizer.param_groups[0]["lr"] = 0.1
        run.captured(run, torch.tensor([1]))
        kept = weakref.ref(run.network)
        del block, run
        assert kept() is None
    finally:
        gc.enable()
