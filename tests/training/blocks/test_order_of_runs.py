"""A stacked block that goes on from the states of runs keeps each run its own, in whatever order they come."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training.blocks import BlockRun  # noqa: E402
from training.blocks import stacked as stacked_block  # noqa: E402
from training.perturbations import PartialReset  # noqa: E402
from training.protocols import Periodic  # noqa: E402
from training.study.work import _joined  # noqa: E402

from .small_tasks import METRICS, task  # noqa: E402

EPOCHS = 7


def start(seeds, perturbed=True):
    own = (PartialReset(0.4), Periodic(3)) if perturbed else ()
    return BlockRun(task(engine="stacked").prepare(), seeds, EPOCHS, *own)


def finish(run):
    while not run.finished:
        run.step()
    return np.stack([run.traces[name] for name in METRICS])


def trunk_of(seeds):
    run = start(seeds, perturbed=False)
    run.step()
    run.step()
    return run.state_dict()


@pytest.mark.parametrize("seeds", [(5, 1), (5, 0, 4, 1), (2, 5, 3)])
def test_a_branch_may_have_its_seeds_in_another_order_than_the_trunk(seeds, monkeypatch):
    monkeypatch.setattr(stacked_block, "CHUNK", 2)
    branch = start(seeds)
    branch.branch_off(trunk_of(range(6)))
    assert [seed for chunk in branch.block._chunks for seed in chunk.seeds] == list(seeds)
    branch.step()
    resumed = start(seeds)
    resumed.load_state_dict(branch.state_dict())
    found, expected = finish(branch), finish(start(seeds))
    np.testing.assert_allclose(found, expected, rtol=2e-4)
    assert np.array_equal(finish(resumed), found)
    assert np.abs(expected[:, 0] / expected[:, 1] - 1).max() > 0.01


def test_a_branch_off_halves_that_were_joined_keeps_its_runs_apart(monkeypatch):
    monkeypatch.setattr(stacked_block, "CHUNK", 2)
    seeds = range(6)
    joined = _joined(trunk_of(seeds[:3]), trunk_of(seeds[3:]))
    assert [run["chunk"] for run in joined["runs"]] == [0, 0, 1, 0, 0, 1]
    branch = start(seeds)
    branch.branch_off(joined)
    np.testing.assert_allclose(finish(branch), finish(start(seeds)), rtol=2e-4)


def test_chunks_stay_small_where_quarters_of_a_block_were_joined(monkeypatch):
    monkeypatch.setattr(stacked_block, "CHUNK", 2)
    seeds = range(5)
    joined = trunk_of(seeds[:1])
    for seed in seeds[1:]:
        joined = _joined(joined, trunk_of([seed]))
    branch = start(seeds)
    branch.branch_off(joined)
    assert [chunk.seeds for chunk in branch.block._chunks] == [[0, 1], [2, 3], [4]]
