"""Units on other executors, units that fail, and blocks that do not fit into the memory."""

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.blocks import BlockRun  # noqa: E402
from training.study import StudyError, run_study  # noqa: E402

from .contents import contents, same  # noqa: E402


@pytest.mark.parametrize("executor", ["processes:2", "submitit-local:2"])
def test_executors_give_what_the_calling_process_gives(cases, tmp_path, executor):
    if executor.startswith("submitit"):
        pytest.importorskip("submitit", reason="SLURM needs the optional extra `slurm`")
    study = cases.small(block_size=5, treatments=cases.small().treatments[:1])
    here = run_study(study, tmp_path / "here")
    there = run_study(study, tmp_path / "there", executor=executor)
    found, expected = contents(there.path), contents(here.path)
    for name in expected:
        for metric, values in expected[name][1].items():
            np.testing.assert_allclose(found[name][1][metric], values, rtol=1e-5)
    assert there.epochs_trained == here.epochs_trained


def test_a_failed_unit_leaves_the_others(cases, tmp_path, monkeypatch):
    step = BlockRun.step

    def fail(self):
        if 3 in self.seeds and self.perturbation is not None:
            raise ArithmeticError("no luck")
        step(self)

    monkeypatch.setattr(BlockRun, "step", fail)
    with pytest.raises(
        StudyError, match="2 of 6 units failed, 4 are done and kept; .*: no luck; mend the cause"
    ):
        run_study(cases.small(), tmp_path)
    monkeypatch.undo()
    report = run_study(cases.small(), tmp_path)
    assert 0 < report.epochs_now < report.epochs_trained


def test_a_block_that_does_not_fit_is_trained_in_halves(cases, tmp_path, monkeypatch, slow_runs_file):
    expected = contents(slow_runs_file)
    step = BlockRun.step

    def no_memory(self):
        if len(self.seeds) > 1 and self.epoch >= 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        step(self)

    monkeypatch.setattr(BlockRun, "step", no_memory)
    report = run_study(cases.slow(), tmp_path / "halves")
    # Networks that are trained one by one do not depend on the block.
    assert same(contents(report.path), expected)
    monkeypatch.setattr(BlockRun, "step", never_memory)
    with pytest.raises(StudyError, match="one network of unperturbed does not fit into the memory of cpu"):
        run_study(cases.slow(), tmp_path / "none")


def test_what_is_said_to_be_saved_is_saved(cases, tmp_path, monkeypatch):
    step = BlockRun.step

    def interrupted(self):
        if len(self.seeds) > parts:
            raise torch.OutOfMemoryError("CUDA out of memory")
        step(self)
        if self.epoch == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(BlockRun, "step", interrupted)
    for parts, saved in ((2, True), (1, False)):
        folder = tmp_path / str(parts)
        with pytest.raises(KeyboardInterrupt) as caught:
            run_study(cases.slow(checkpoint_seconds=1000), folder)
        said = (
            "its state is saved" if saved else "its state is not saved, .* with a block_size of at most 1 a"
        )
        assert re.search(rf"unperturbed.* was interrupted after epoch 3; {said}", str(caught.value))
        assert bool(list((folder / "checkpoints").glob("*-0.pt"))) == saved


def never_memory(run):
    raise torch.OutOfMemoryError(f"CUDA out of memory for {run.seeds}")


def test_units_go_to_an_executor_of_ones_own(cases, tmp_path):
    with ThreadPoolExecutor(1) as executor:
        report = run_study(cases.small(), tmp_path / "own", executor=executor)
    assert report.epochs_now == report.epochs_trained > 0
    assert same(contents(report.path), contents(run_study(cases.small(), tmp_path / "here").path))
    with pytest.raises(TypeError, match="`spec` of an executor must be a text such as 'processes:4'.*got 3"):
        run_study(cases.small(), tmp_path / "other", executor=3)
    assert not (tmp_path / "other").exists()
