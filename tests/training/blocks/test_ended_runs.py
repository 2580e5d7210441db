"""Runs that diverge or are interrupted."""

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training.blocks import BlockRun  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import ShrinkPerturb  # noqa: E402
from training.train import train_runs  # noqa: E402

from .small_tasks import task, train  # noqa: E402


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


def test_progress_counts_epochs_and_an_interruption_passes_through():
    seen = []
    train_runs(task(), range(3), 4, progress=lambda *done: seen.append(done))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_runs(task(), range(3), 4, progress=interrupt)
