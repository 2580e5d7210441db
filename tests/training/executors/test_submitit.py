import time
from concurrent.futures import wait

import pytest

from training.executors import ExecutorSettings, Unit, WorkerLostError, open_executor, run_units

pytest.importorskip("submitit", reason="submitit is an optional library")


def local(folder, **options):
    return ExecutorSettings("submitit-local", workers=2, options=options, log_folder=str(folder / "jobs"))


def test_a_study_of_local_jobs(work, tmp_path):
    units = [
        Unit("a", divmod, (7, 2)),
        Unit("b", work.fail, ("no",)),
        Unit("c", divmod, (9, 2), after=("a",)),
        Unit("d", work.die_once, (tmp_path / "marker",)),
        Unit("e", int, after=("b",)),
    ]
    outcomes = run_units(units, local(tmp_path, timeout_min=1))
    assert [outcome.status for outcome in outcomes.values()] == ["done", "failed", "done", "done", "skipped"]
    assert [outcome.value for outcome in outcomes.values()] == [(3, 1), None, (4, 1), "survived", None]
    assert isinstance(outcomes["b"].error, LookupError) and "in fail" in outcomes["b"].error.__notes__[0]
    assert outcomes["d"].attempts == 2 and outcomes["b"].attempts == 1


def test_the_error_of_a_lost_job_ends_with_its_log(work, tmp_path):
    with open_executor(local(tmp_path)) as executor:
        future = executor.submit(work.die)
        error = future.exception()
    assert isinstance(error, WorkerLostError)
    assert "ended without a result; the end of" in str(error) and "_log.err is:" in str(error)


def test_an_exception_cancels_the_jobs(work, tmp_path):
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), open_executor(local(tmp_path)) as executor:
        futures = [executor.submit(work.slow, tmp_path, name, 60) for name in "abc"]
        while len(list(tmp_path.glob("*.pid"))) < 2:
            assert time.monotonic() - began < 20
            time.sleep(0.02)
        stopped = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - stopped < 8
    assert all(future.cancelled() for future in futures) and not wait(futures, 0).not_done
    assert len(list(tmp_path.glob("*.closed"))) == 2


def test_wrong_options_and_a_machine_without_slurm_are_errors(tmp_path, monkeypatch):
    with (
        pytest.raises(ValueError, match="`options` must be parameters of submitit"),
        open_executor(local(tmp_path, gpus=2)),
    ):
        pass
    monkeypatch.setenv("PATH", "")
    settings = ExecutorSettings("slurm", log_folder=str(tmp_path))
    with (
        pytest.raises(RuntimeError, match="needs a machine that can submit SLURM jobs"),
        open_executor(settings),
    ):
        pass
