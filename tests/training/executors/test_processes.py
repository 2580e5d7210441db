import os
import signal
import subprocess
import sys
import time
import traceback

import pytest

from training.cores import available_cores
from training.executors import Unit, open_executor, run_units
from training.executors.gpus import open_gpus, parse_listing, parse_visible, visible_gpus

SCRIPT = """
import sys
import executors_work as work
from training.executors import Unit, run_units

if {guard}:
    run_units([Unit(name, work.slow, (sys.argv[1], name, 60)) for name in "abcd"], "processes:2")
"""


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(folder):
    return [int(path.name.split(".")[1]) for path in folder.glob("*.pid")]


def test_workers_share_the_cores_and_do_not_import_torch(work):
    with open_executor("processes:2") as executor:
        threads = executor.submit(work.environment, "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        assert threads.result() == [str(max(1, available_cores() // 2))] * 2
        assert executor.submit(work.loaded, "torch", "distributed", "submitit").result() == [False] * 3
        assert executor.submit(work.signals).result()


def test_each_gpu_worker_sees_its_own_gpu(work, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    with open_gpus(2, ids=("5", "GPU-8f1c", "7")) as executor:
        both = [executor.submit(work.together, tmp_path, name, 2) for name in "ab"]
        counts, gpus, processes = zip(*(future.result() for future in both), strict=True)
    assert counts == (2, 2) and set(gpus) == {"5", "GPU-8f1c"} and len(set(processes)) == 2
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1,2"


def test_a_new_pool_hands_out_the_gpus_again(work, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    units = [
        Unit("a", work.die_once, (tmp_path / "marker",)),
        Unit("b", work.environment, ("CUDA_VISIBLE_DEVICES",), after=("a",)),
    ]
    assert run_units(units, "gpus:all")["b"].value == ["3"]


def test_gpus_are_found_without_torch(monkeypatch):
    mig = (
        "GPU 0: NVIDIA A100 (UUID: GPU-1a)\n"
        "  MIG 1g.5gb Device  0: (UUID: MIG-2b)\n"
        "  MIG 1g.5gb Device  1: (UUID: MIG-3c)\n"
        "GPU 1: NVIDIA A100 (UUID: GPU-4d)\n"
    )
    assert parse_listing(mig) == ("MIG-2b", "MIG-3c", "GPU-4d")
    assert parse_listing("No devices were found\n") == ()
    assert parse_visible("") == parse_visible("-1") == parse_visible("NoDevFiles") == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1, 3")
    assert visible_gpus() == ("1", "3")


def test_missing_gpus_are_an_error(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with (
        pytest.raises(ValueError, match="none is visible: CUDA_VISIBLE_DEVICES is ''"),
        open_executor("gpus"),
    ):
        pass
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with (
        pytest.raises(ValueError, match="`workers` must be at most the 2 visible GPUs; got 3"),
        open_executor("gpus:3"),
    ):
        pass


def test_a_study_with_failures_on_processes(work):
    units = [
        Unit("a", divmod, (7, 2)),
        Unit("b", work.fail, ("no",), after=("a",)),
        Unit("c", int, after=("b",)),
        Unit("d", work.fail_awkwardly),
        Unit("e", work.leave),
        Unit("f", len, (lambda: 0,)),
        Unit("g", compile, ("lambda: 0", "text", "eval")),
        Unit("h", divmod, (9, 2), after=("a",)),
    ]
    outcomes = run_units(units, "processes:2")
    statuses = "".join(outcome.status[0] for outcome in outcomes.values())
    assert statuses == "dfsffffd", outcomes
    assert isinstance(outcomes["b"].error, LookupError)
    assert "in fail" in "".join(traceback.format_exception(outcomes["b"].error))
    assert isinstance(outcomes["d"].error, RuntimeError) and "Awkward: this and that" in str(
        outcomes["d"].error
    )
    assert isinstance(outcomes["e"].error, SystemExit)
    assert outcomes["h"].value == (4, 1)
    assert {outcome.attempts for outcome in outcomes.values() if outcome.status != "skipped"} == {1}


def test_a_killed_worker_does_not_lose_the_study(work, tmp_path):
    events = []
    units = [
        Unit("a", divmod, (7, 2)),
        Unit("b", work.die_once, (tmp_path / "marker",)),
        Unit("c", work.slow, (tmp_path, "c", 0.5)),
        Unit("d", divmod, (9, 2), after=("b", "c")),
    ]
    outcomes = run_units(units, "processes:2", on_event=lambda event: events.append((event.kind, event.name)))
    assert [outcome.value for outcome in outcomes.values()] == [(3, 1), "survived", "c", (4, 1)]
    assert outcomes["b"].attempts == 2 and ("retried", "b") in events
    assert outcomes["d"].attempts == 1


def test_a_unit_that_always_kills_its_worker_takes_no_other_with_it(work, tmp_path):
    units = [Unit("a", work.die), Unit("b", work.slow, (tmp_path, "b", 0.3)), Unit("c", int, after=("a",))]
    outcomes = run_units(units, "processes:2", retries=1)
    assert [outcome.status for outcome in outcomes.values()] == ["failed", "done", "skipped"]
    assert outcomes["a"].attempts == 2
    assert "terminated abruptly" in str(outcomes["a"].error)


def start_study(folder, work_folder, guard):
    script = work_folder / f"study_{guard == 'True'}.py"
    script.write_text(SCRIPT.format(guard=guard))
    return subprocess.Popen(
        [sys.executable, script, folder], stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_ends_the_study_and_its_workers(work, work_folder, tmp_path, whole_group):
    study = start_study(tmp_path, work_folder, "__name__ == '__main__'")
    wait_for(lambda: len(pids(tmp_path)) == 2)
    began = time.monotonic()
    if whole_group:  # as a terminal does
        os.killpg(study.pid, signal.SIGINT)
    else:
        study.send_signal(signal.SIGINT)
    _, errors = study.communicate(timeout=10)
    assert time.monotonic() - began < 5
    assert study.returncode != 0 and errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1, errors
    assert len(pids(tmp_path)) == 2, "nothing new may start"
    assert len(list(tmp_path.glob("*.closed"))) == 2, "the units could close what they had open"
    wait_for(lambda: not is_group_alive(study.pid), 3)


def is_group_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_end_with_a_parent_that_is_killed(work, work_folder, tmp_path):
    study = start_study(tmp_path, work_folder, "__name__ == '__main__'")
    wait_for(lambda: len(pids(tmp_path)) == 2)
    study.kill()
    study.communicate(timeout=10)
    wait_for(lambda: not any(map(is_running, pids(tmp_path))), 5)


def test_a_script_without_main_guard_is_told_so(work, work_folder, tmp_path):
    study = start_study(tmp_path, work_folder, "True")
    _, errors = study.communicate(timeout=20)
    assert study.returncode == 1
    assert "must stand under `if __name__ == '__main__':`" in errors.splitlines()[-1]
