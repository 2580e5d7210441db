import json
import os
import subprocess
import sys
import time

import pytest

from training.executors import claim, claims

CONTEST = """
import multiprocessing, sys, time
from contextlib import nullcontext
from pathlib import Path
from training.executors import claim

def contend(folder, rounds, barrier, results):
    wins = overlaps = 0
    barrier.wait()
    for _ in range(rounds):
        with {claim} as mine:
            if mine:
                wins += 1
                try:
                    (folder / "inside").open("x").close()
                except FileExistsError:
                    overlaps += 1
                time.sleep({hold})
                (folder / "inside").unlink(missing_ok=True)
    results.put((wins, overlaps))

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(16), context.Queue()
    arguments = (Path(sys.argv[1]), {rounds}, barrier, results)
    processes = [context.Process(target=contend, args=arguments) for _ in range(16)]
    for process in processes:
        process.start()
    counts = [results.get(timeout=30) for _ in processes]
    print(sum(wins for wins, _ in counts), sum(overlaps for _, overlaps in counts))
"""


def contest(folder, *, rounds, hold, claim="claim(folder, 'a')"):
    """Let 16 processes contend; return how often one won, and how often it found another inside."""
    (folder / "contest.py").write_text(CONTEST.format(rounds=rounds, hold=hold, claim=claim))
    done = subprocess.run(
        [sys.executable, folder / "contest.py", folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    wins, overlaps = map(int, done.stdout.split())
    return wins, overlaps


def write_claim(folder, *, age=0.0, **changes):
    pid = os.getpid()
    holder = {
        "host": claims._machine(),
        "pid": pid,
        "started": claims._start_of(pid),
        "token": "other",
    } | changes
    path = folder / "a.claim"
    path.write_text(json.dumps(holder))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def is_free(folder):
    with claim(folder, "a") as mine:
        return mine


def test_of_16_processes_one_holds_the_claim(tmp_path):
    wins, overlaps = contest(tmp_path, rounds=30, hold=0.001)
    # How often depends on the load of the machine: all rounds may pass while the holder waits for a core.
    assert wins > 0 and overlaps == 0
    assert not (tmp_path / "a.claim").exists()


def test_the_contest_notices_a_claim_that_all_hold(tmp_path):
    assert contest(tmp_path, rounds=30, hold=0.001, claim="nullcontext(True)")[1] > 0


def test_a_dead_claim_is_taken_over_by_one_of_16(tmp_path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from training.executors import claim\n"
            "with claim(Path(sys.argv[1]), 'a') as mine:\n    print(mine, flush=True); time.sleep(60)",
            tmp_path,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "True\n"
    assert not is_free(tmp_path)
    holder.kill()
    holder.communicate()
    assert (tmp_path / "a.claim").exists()
    assert contest(tmp_path, rounds=1, hold=1.0) == (1, 0)


def test_the_claim_is_given_up_on_an_exception_and_can_be_taken_again(tmp_path):
    with pytest.raises(LookupError), claim(tmp_path / "new", "a") as mine:
        assert mine and (tmp_path / "new" / "a.claim").exists()
        with claim(tmp_path / "new", "a") as again, claim(tmp_path / "new", "b") as other:
            assert not again and other
        raise LookupError
    assert not list((tmp_path / "new").glob("*.claim"))
    assert is_free(tmp_path / "new")


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs the start times of /proc")
def test_on_this_machine_the_process_decides(tmp_path):
    write_claim(tmp_path, age=3600)  # as after the sleep of a laptop
    assert not is_free(tmp_path)
    write_claim(tmp_path, started="1")  # the same id, but another process
    assert is_free(tmp_path)


@pytest.mark.parametrize(("age", "free"), [(0, False), (50, False), (70, True)])
def test_on_other_machines_the_heartbeat_decides(tmp_path, age, free):
    write_claim(tmp_path, age=age, host="elsewhere", pid=1)
    assert is_free(tmp_path) == free
    path = write_claim(tmp_path, age=age)
    path.write_text("")  # its writer died in between
    os.utime(path, (time.time() - age, time.time() - age))
    assert is_free(tmp_path) == free


def test_without_proc_the_process_id_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "_start_of", lambda pid: None)
    write_claim(tmp_path)
    assert not is_free(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_claim(tmp_path, pid=gone.pid)
    assert is_free(tmp_path)


def test_a_living_claim_that_is_renamed_by_mistake_is_put_back(tmp_path, monkeypatch):
    path = write_claim(tmp_path, token="dead")

    def replaced_after_the_look(*_):
        write_claim(tmp_path, token="living")
        return True

    monkeypatch.setattr(claims, "_is_dead", replaced_after_the_look)
    assert not is_free(tmp_path)
    assert json.loads(path.read_text())["token"] == "living"


def test_the_heartbeat_touches_the_claim_and_a_lost_claim_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "HEARTBEAT_SECONDS", 0.02)
    path = tmp_path / "a.claim"
    with claim(tmp_path, "a") as mine:
        assert mine
        os.utime(path, (0, 0))
        deadline = time.monotonic() + 5
        while path.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > 0
        write_claim(tmp_path, token="other")
    assert json.loads(path.read_text())["token"] == "other"


@pytest.mark.parametrize("name", ["", "../a", ".a", "a:b"])
def test_names_that_are_no_file_names(tmp_path, name):
    with (
        pytest.raises(ValueError, match="`name` of a claim must be usable as a file name"),
        claim(tmp_path, name),
    ):
        pass
