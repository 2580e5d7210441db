import json
import os
import signal
import threading
import time
import traceback

import pytest

from training.executors import Unit, open_executor, run_units

distributed = pytest.importorskip("distributed", reason="Dask's distributed is an optional library")


@pytest.fixture
def cluster(work):
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster


def kill_first_worker(folder):
    deadline = time.monotonic() + 20
    while not (found := list(folder.glob("slow.*.pid"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(int(found[0].name.split(".")[1]), signal.SIGKILL)


def test_a_study_on_dask_outlives_a_worker(cluster, work, tmp_path):
    (tmp_path / "cluster.json").write_text(
        json.dumps({"address": cluster.scheduler_address, "type": "Scheduler"})
    )
    killer = threading.Thread(target=kill_first_worker, args=(tmp_path,))
    killer.start()
    units = [
        Unit("a", divmod, (7, 2)),
        Unit("b", divmod, (7, 2)),
        Unit("slow", work.slow, (tmp_path, "slow", 30, 0.1)),
        Unit("bad", work.fail, ("no",)),
        Unit("after", divmod, (9, 2), after=("a", "slow")),
        Unit("skipped", int, after=("bad",)),
    ]
    outcomes = run_units(units, f"dask:{tmp_path / 'cluster.json'}")
    killer.join()
    assert [outcome.status for outcome in outcomes.values()] == ["done"] * 3 + ["failed", "done", "skipped"]
    assert [outcome.value for outcome in outcomes.values()] == [(3, 1), (3, 1), "slow", None, (4, 1), None]
    assert len(list(tmp_path.glob("slow.*.pid"))) == 2
    assert isinstance(outcomes["bad"].error, LookupError)
    assert "in fail" in "".join(traceback.format_exception(outcomes["bad"].error))

    # Leaving by an exception drops what has not started.
    with (
        pytest.raises(KeyboardInterrupt),
        open_executor(cluster.scheduler_address.replace("tcp", "dask")) as executor,
    ):
        futures = [executor.submit(work.slow, tmp_path, f"late{index}", 1) for index in range(8)]
        raise KeyboardInterrupt
    deadline = time.monotonic() + 5
    while not all(future.done() for future in futures) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert any(future.cancelled() for future in futures)
    time.sleep(1.0)
    assert len(list(tmp_path.glob("late*.pid"))) <= 2


def test_a_wrong_address_is_an_error_within_seconds(unused_tcp_port, monkeypatch):
    monkeypatch.setattr("training.executors.dask.CONNECT_SECONDS", 1)
    began = time.monotonic()
    with (
        pytest.raises(ConnectionError, match="no Dask scheduler answers at `address` 'tcp://127.0.0.1"),
        open_executor(f"dask://127.0.0.1:{unused_tcp_port}"),
    ):
        pass
    assert time.monotonic() - began < 4


@pytest.fixture
def unused_tcp_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_a_missing_scheduler_file_is_an_error(tmp_path):
    with (
        pytest.raises(ValueError, match="`address` must be a scheduler file that exists"),
        open_executor(f"dask:{tmp_path / 'none.json'}"),
    ):
        pass
