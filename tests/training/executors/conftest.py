import importlib
import sys

import pytest

# Spawned processes, Dask workers and jobs import the functions that they are given, which test modules are not.
WORK = '''
import os, signal, sys, time
from pathlib import Path


class Awkward(Exception):
    """Pickles, but cannot be unpickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def fail(text):
    raise LookupError(text)


def fail_awkwardly():
    raise Awkward("this", "that")


def leave():
    sys.exit(3)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(marker):
    if Path(marker).exists():
        return "survived"
    Path(marker).touch()
    die()


def environment(*names):
    return [os.environ.get(name) for name in names]


def loaded(*names):
    return [name in sys.modules for name in names]


def signals():
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def slow(folder, name, seconds, again=None):
    """Leave one's process id in the folder; started once more, take only ``again`` seconds."""
    seconds = seconds if again is None or not list(Path(folder).glob(f"{name}.*.pid")) else again
    Path(folder, f"{name}.{os.getpid()}.tmp").touch()
    try:  # who sees the id may send a signal at once
        os.rename(Path(folder, f"{name}.{os.getpid()}.tmp"), Path(folder, f"{name}.{os.getpid()}.pid"))
        time.sleep(seconds)
    finally:
        Path(folder, f"{name}.closed").touch()
    return name


def together(folder, name, count, seconds=10.0):
    """Wait for ``count`` such calls to run at once; return how many there are, and the GPU and process of this one."""
    Path(folder, name).touch()
    deadline = time.monotonic() + seconds
    while (seen := len(list(Path(folder).iterdir()))) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen, os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid()
'''


@pytest.fixture(scope="session")
def work_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "executors_work.py").write_text(WORK)
    return folder


@pytest.fixture
def work(work_folder, monkeypatch):
    monkeypatch.syspath_prepend(work_folder)
    monkeypatch.setenv("PYTHONPATH", str(work_folder))
    yield importlib.import_module("executors_work")
    sys.modules.pop("executors_work", None)
