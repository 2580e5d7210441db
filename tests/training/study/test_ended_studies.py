"""Studies that are ended, trained by several at once, or lose their workers."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.study import run_study  # noqa: E402

from .contents import contents, same  # noqa: E402

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
