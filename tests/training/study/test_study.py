"""Studies of units: what is trained, what it costs, and what survives."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training import read_runs, read_study, train_runs  # noqa: E402
from training.blocks import BlockRun  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import PartialReset, ShrinkPerturb  # noqa: E402
from training.protocols import Never, Once, Periodic  # noqa: E402
from training.runs_file import describe  # noqa: E402
from training.runs_reader import RunsFileError  # noqa: E402
from training.study import StudyError, Treatment, run_study  # noqa: E402
from training.study.plan import plan_units, unit_name  # noqa: E402
from training.study.shards import read_shard  # noqa: E402


def contents(path):
    return {
        group.name: (group.seeds.tolist(), {n: v for n, v in group.metrics.items() if n != "epoch_seconds"})
        for group in read_runs(path)
    }


def same(first, second):
    assert first.keys() == second.keys()
    return all(
        first[name][0] == second[name][0]
        and all(np.array_equal(v, second[name][1][n], equal_nan=True) for n, v in first[name][1].items())
        for name in first
    )


def test_a_study_is_what_independent_runs_are_and_costs_less(cases, tmp_path):
    study = cases.small()
    shared = [unit.branch_epoch or 0 for unit in plan_units(study, tmp_path) for _ in unit.seeds]
    report = run_study(study, tmp_path / "study")
    assert report.epochs_trained == 15 * 9 - sum(shared)
    assert report.groups == ("unperturbed", "shrink_perturb:3", "partial_reset:poisson-0.3")
    assert (report.runs, report.epochs_independent, report.diverged) == (15, 135, 0)
    assert report.epochs_trained == report.epochs_now < 135
    found = contents(report.path)
    assert found["unperturbed"][0] == [0, 1, 2, 3, 4]
    for treatment in (None, *study.treatments):
        alone = (None, None) if treatment is None else (treatment.perturbation, treatment.protocol)
        for block in ((0, 1, 2), (3, 4)):
            group = train_runs(study.task, block, 9, *alone)
            for name, values in found[group.name][1].items():
                assert np.array_equal(values[list(block)], group.metrics[name])
    summary = describe(report.path)
    assert summary["default_metric"] == "test_accuracy"
    assert summary["provenance"]["config"]["epochs_trained"] == report.epochs_trained
    assert summary["provenance"]["config"]["study"]["task"]["data"] == {
        "kind": "Digits", "train_images": 40, "split_seed": 0
    }  # fmt: skip
    assert read_study(report.path).perturbations == ("shrink_perturb",)


def test_what_is_done_is_not_done_again(cases, tmp_path):
    first = run_study(cases.small(), tmp_path)
    before = contents(first.path)
    again = run_study(cases.small(), tmp_path)
    assert again.epochs_now == 0 and again.epochs_trained == first.epochs_trained
    more = cases.small(
        treatments=(
            *cases.small().treatments,
            Treatment(ShrinkPerturb(), Periodic(3, first=6)),
            Treatment(ShrinkPerturb(), Periodic(5)),
            Treatment(PartialReset(0.5), Once(2), name="late", seeds=(7, 8)),
        )
    )
    third = run_study(more, tmp_path)
    # Both new ensembles of equal seeds branch off the latest state that was kept, after epoch 3 and before.
    assert third.epochs_now <= 2 * 5 * 6 + 2 * 9
    for name, group in contents(third.path).items():
        assert name not in before or same({name: group}, {name: before[name]})
    study = read_study(third.path)
    assert [branch.name for branch in study.branches("shrink_perturb", 3)] == ["shrink_perturb:3@6"]
    for protocol in (Periodic(3, first=6), Periodic(5)):
        alone = train_runs(more.task, (0, 1, 2), 9, ShrinkPerturb(), protocol)
        for name, values in contents(third.path)[alone.name][1].items():
            assert np.array_equal(values[:3], alone.metrics[name])


def test_other_settings_need_another_folder(cases, tmp_path):
    run_study(cases.small(), tmp_path)
    with pytest.raises(
        StudyError, match=r"shards/unperturbed-0.h5 holds runs .* other settings .* another folder"
    ):
        run_study(cases.small(epochs=10), tmp_path)
    with pytest.raises(StudyError, match=r"shrink_perturb-3-0.h5 holds runs that were trained with other"):
        run_study(cases.small(treatments=(Treatment(ShrinkPerturb(0.5), Periodic(3)),)), tmp_path)
    shard = tmp_path / "shards" / "unperturbed-1.h5"
    shard.write_bytes(shard.read_bytes()[:500])
    with pytest.raises(RunsFileError, match=r"unperturbed-1.h5 cannot be read, it may be damaged.*delete it"):
        run_study(cases.small(), tmp_path)
    shard.unlink()
    assert run_study(cases.small(), tmp_path).epochs_now == 2 * 9
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StudyError, match="`folder` .*file is a file; give the name of a folder"):
        run_study(cases.small(), file)


def test_checkpoints_are_removed_where_they_are_not_kept(cases, tmp_path):
    tmp_path = tmp_path / "study"
    run_study(cases.small(keep_checkpoints=False), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims", "runs.h5", "shards", "study.json"]
    assert json.loads((tmp_path / "study.json").read_text())["epochs"] == 9
    assert [path.name for path in (tmp_path / "claims").iterdir()] == [".claims"]


def test_runs_that_stop_at_the_threshold_cost_less(cases, tmp_path):
    whole = run_study(cases.small(), tmp_path / "whole")
    threshold = float(np.median(contents(whole.path)["unperturbed"][1]["test_accuracy"]))
    study = cases.small(threshold=threshold, stop_at_threshold=True)
    report = run_study(study, tmp_path / "stopped")
    assert report.epochs_trained < 0.8 * whole.epochs_trained and report.diverged == 0
    times = [
        {e.name: e.first_passage(threshold).times for e in read_study(each.path)} for each in (whole, report)
    ]
    assert times[0].keys() == times[1].keys()
    assert all(np.array_equal(times[0][name], times[1][name]) for name in times[0])
    unknown = cases.small(threshold=threshold, stop_at_threshold=True, metric="speed")
    with pytest.raises(
        StudyError, match="`metric` 'speed' is not recorded in this study; it has: test_accuracy"
    ):
        run_study(unknown, tmp_path / "unknown")


def test_divergence_is_reported(cases, tmp_path):
    report = run_study(cases.small(task=replace(cases.TASK, optimizer=SGD(1e20))), tmp_path)
    assert report.diverged == 15 and report.epochs_independent < 135


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


def never_memory(run):
    raise torch.OutOfMemoryError(f"CUDA out of memory for {run.seeds}")


SCRIPT = """
import sys
import study_cases
from training.study import run_study
if __name__ == "__main__":
    run_study(study_cases.slow(), sys.argv[1], executor=sys.argv[2])
    print("finished", flush=True)
"""


def launch(tmp_path, folder, executor):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), executor],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(Path.cwd())])},
    )  # fmt: skip


def wait_for(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("executor", "number"),  # a kill of the process itself: tests/faults/test_kill.py
    [
        ("in-process", signal.SIGTERM),
        ("in-process", signal.SIGINT),
        ("processes:2", signal.SIGKILL),
        ("processes:2", signal.SIGTERM),
    ],
)
def test_a_study_that_is_ended_goes_on_bit_for_bit(cases, tmp_path, slow_runs_file, executor, number):
    expected = contents(slow_runs_file)
    folder = tmp_path / "ended"
    process = launch(tmp_path, folder, executor)
    wait_for(lambda: list((folder / "checkpoints").glob("unperturbed-?.pt")), process)
    time.sleep(0.1)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert not (folder / "runs.h5").exists()
    if number == signal.SIGKILL:  # workers end when they notice
        time.sleep(1.0)
    report = run_study(cases.slow(), folder)
    assert report.epochs_now < report.epochs_trained
    assert same(contents(report.path), expected)


def test_a_second_interrupt_ends_at_once():
    from training.study.interruption import Interrupted, Interruption

    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.asked
        with pytest.raises(Interrupted, match="saved"):
            interruption.end("saved")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_two_workers_on_one_study_leave_one_result(cases, tmp_path):
    reports = []
    folder = tmp_path / "study"
    expected = contents(run_study(cases.small(), tmp_path / "alone").path)
    threads = [
        threading.Thread(target=lambda: reports.append(run_study(cases.small(), folder))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 3
    # Each unit was trained by one of them.
    assert sum(report.epochs_now for report in reports) == reports[0].epochs_trained
    assert same(contents(folder / "runs.h5"), expected)


def test_dask_workers_that_are_killed_in_the_middle(cases, tmp_path, slow_runs_file):
    distributed = pytest.importorskip("distributed", reason="Dask needs the optional extra `dask`")
    expected = contents(slow_runs_file)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        folder, reports = tmp_path / "study", []
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        thread = threading.Thread(
            target=lambda: reports.append(run_study(cases.slow(), folder, executor=address))
        )
        thread.start()
        end = time.monotonic() + 60
        while not list((folder / "checkpoints").glob("unperturbed-?.pt")):
            assert thread.is_alive() and time.monotonic() < end
            time.sleep(0.01)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        thread.join(timeout=100)
    assert same(contents(reports[0].path), expected)


def test_units_have_names_of_files():
    assert unit_name("unperturbed", 0) == "unperturbed-0"
    assert unit_name("shrink_perturb:20@60", 3) == "shrink_perturb-20@60-3"
    assert unit_name("A b:2", 0) != unit_name("a b:2", 0) != unit_name("a-b:2", 0)


def test_a_shard_names_itself_when_it_is_something_else(cases, tmp_path):
    report = run_study(cases.small(), tmp_path)
    with pytest.raises(RunsFileError, match="runs.h5: it is not a shard of a training study"):
        read_shard(report.path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "`epochs` must be a whole number of epochs, at least 1, got 0"),
        ({"block_size": 0}, "`block_size` must be a whole number of runs, at least 1, got 0"),
        ({"seeds": (1, 1)}, "`seeds` must differ from each other, 1 occurs twice"),
        ({"threshold": float("nan")}, "`threshold` must be a finite number, got nan"),
        ({"stop_at_threshold": True}, "`stop_at_threshold` needs a `threshold`"),
        ({"checkpoint_seconds": 0}, "`checkpoint_seconds` must be positive, got 0"),
        (
            {"treatments": [Treatment(ShrinkPerturb(), Periodic(2))] * 2},
            "`treatments` holds shrink_perturb:2 twice",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(s), Periodic(s + 2)) for s in (0, 1)]},
            "`treatments` calls two different perturbations 'shrink_perturb'",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(), Periodic(9))]},
            "first perturbs at or after the last epoch, 9",
        ),
    ],
)
def test_settings_are_checked(cases, changes, message):
    with pytest.raises(ValueError, match=message):
        cases.small(**changes)


def test_treatments_are_checked():
    with pytest.raises(ValueError, match="`perturbation` must be one of training.perturbations, got 3"):
        Treatment(3, Periodic(2))
    with pytest.raises(ValueError, match="`protocol` must be one of training.protocols, such as Periodic"):
        Treatment(ShrinkPerturb(), Never())


def test_units_go_to_an_executor_of_ones_own(cases, tmp_path):
    with ThreadPoolExecutor(1) as executor:
        report = run_study(cases.small(), tmp_path / "own", executor=executor)
    assert report.epochs_now == report.epochs_trained > 0
    assert same(contents(report.path), contents(run_study(cases.small(), tmp_path / "here").path))
    with pytest.raises(TypeError, match="`spec` of an executor must be a text such as 'processes:4'.*got 3"):
        run_study(cases.small(), tmp_path / "other", executor=3)
    assert not (tmp_path / "other").exists()


def test_shards_of_other_versions(cases, tmp_path):
    run_study(cases.small(), tmp_path)
    path = tmp_path / "shards" / "unperturbed-0.h5"
    known = read_shard(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(
        RunsFileError, match="format version 2, this version of stochreset reads up to 1; upgrade"
    ):
        read_shard(path)
    with h5py.File(path, "r+") as file:  # as before there were versions, and checksums
        del file.attrs["format_version"]
        remove_seals(file)
    np.testing.assert_array_equal(
        read_shard(path).group.metrics["test_loss"], known.group.metrics["test_loss"]
    )


def remove_seals(node):
    node.attrs.pop("checksum", None)
    for child in node.values() if isinstance(node, h5py.Group) else ():
        remove_seals(child)
