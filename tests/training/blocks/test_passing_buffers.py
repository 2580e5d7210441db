"""Buffers that are in no ``state_dict`` are part of the state of a run all the same."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.blocks import BlockRun  # noqa: E402
from training.study.checkpoints import read_checkpoint, write_checkpoint  # noqa: E402
from training.task import SECONDS  # noqa: E402

from .small_tasks import task  # noqa: E402


class Running(nn.Module):
    """Subtracts the running mean of its inputs; the first pass makes a second buffer."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(5, 3))
        self.inner.register_buffer("mean", torch.zeros(5), persistent=False)
        self.register_buffer("scale", None, persistent=False)

    def forward(self, inputs):
        if self.training:
            self.inner.mean.mul_(0.9).add_(0.1 * inputs.mean(0))
            if self.scale is None:
                self.scale = inputs.std(0)
        return self.inner((inputs - self.inner.mean) / self.scale)


def start():
    return BlockRun(task(Running).prepare(), [3, 1], 5)


def finish(run):
    while not run.finished:
        run.step()
    return np.stack([values for name, values in run.traces.items() if name != SECONDS])


def test_a_run_resumes_with_them_bit_for_bit(tmp_path):
    whole = start()
    whole.step()
    whole.step()
    write_checkpoint(tmp_path / "state.pt", "mark", whole.state_dict())
    state = read_checkpoint(tmp_path / "state.pt", "mark")
    assert set(state["runs"][0]["passing"]) == {"inner.mean", "scale"}
    resumed = start()
    resumed.load_state_dict(state)
    branch = start()
    branch.branch_off(state)
    expected = finish(whole)
    assert np.array_equal(finish(resumed), expected)
    assert np.array_equal(finish(branch), expected)


def test_states_from_before_they_were_kept_are_read():
    whole = start()
    whole.step()
    state = whole.state_dict()
    for run in state["runs"]:
        del run["passing"]
    resumed = start()
    resumed.load_state_dict(state)
    assert np.isfinite(finish(resumed)).all()
