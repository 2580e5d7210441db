"""Processes that run small studies, forked from one that has torch, and what is noted of them."""

import multiprocessing
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from training.study import run_study, work

from .amount import FULL
from .broken_disk import temporaries
from .small_study import study

PATIENCE = 300.0
STUDY = study(epochs=9 if FULL else 4)
FORKED = multiprocessing.get_context("fork")


def log_units(folder):
    """Let this process, and what it forks, note when a unit is begun and when its shard is written."""
    log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    train, write = work._train, work.write_shard

    def logged_train(unit, interruption):
        os.write(log, f"begun {unit.name}\n".encode())
        return train(unit, interruption)

    def logged_write(path, shard):
        write(path, shard)
        os.write(log, f"done {path.stem}\n".encode())

    work._train, work.write_shard = logged_train, logged_write


def logged(folder, what):
    """Names of the units that the processes of a folder have noted."""
    log = folder.with_suffix(".log")
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [name for kind, name in map(str.split, lines) if kind == what]


def start(folder, executor, call=None):
    """Fork a process, in a session of its own, that runs the study; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        log_units(folder)
        code = run(folder, executor) if call is None else call()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def run(folder, executor):
    """Run the study in this process, on workers that are forked and have torch at once, or spawned and import it."""
    if executor.startswith("forked:"):
        executor = executor.replace("forked", "processes")
        multiprocessing.get_context = lambda method=None: FORKED
    run_study(STUDY, folder, executor=executor)
    return 0


def ended(pid, seconds=None):
    """Wait for a process; return its exit code, negative if a signal ended it, or None if it has not in ``seconds``."""
    deadline = time.monotonic() + (PATIENCE if seconds is None else seconds)
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            break
        time.sleep(0.001)
    if seconds is not None:
        return None
    os.killpg(pid, signal.SIGKILL)
    raise TimeoutError(f"process {pid} did not end within {PATIENCE} seconds")


def of_session(session):
    """Living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


def no_orphans(session, seconds=20.0):
    """Wait until nothing of a session is left; return how long that took."""
    began = time.monotonic()
    while left := of_session(session):
        if time.monotonic() - began > seconds:
            os.killpg(session, signal.SIGKILL)
            raise AssertionError(f"processes {left} outlive the study that started them")
        time.sleep(0.002)
    return time.monotonic() - began


def age(folder):
    """Make all temporary files so old that nobody can still be writing them."""
    for path in temporaries(folder):
        os.utime(path, (0, 0))
