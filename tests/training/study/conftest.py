import importlib
import sys

import pytest

# Worker processes import the functions and classes that they are given, which test modules are not.
CASES = '''
import time
from torch import nn
from training.data import Digits
from training.networks import MLP
from training.optimizers import SGD
from training.perturbations import PartialReset, ShrinkPerturb
from training.protocols import Once, Periodic, Poisson
from training.study import Treatment, TrainingStudy
from training.task import Hardware, Task

TASK = Task(Digits(40), MLP((8,)), SGD(0.1), batch_size=10, hardware=Hardware(device="cpu"))


def small(**changes):
    settings = dict(
        task=TASK,
        epochs=9,
        seeds=range(5),
        treatments=(Treatment(ShrinkPerturb(), Periodic(3)), Treatment(PartialReset(0.5), Poisson(0.3))),
        block_size=3,
    )
    return TrainingStudy(**(settings | changes))


class Sleeper(nn.Sequential):
    def forward(self, inputs):
        time.sleep(0.004)
        return super().forward(inputs)


def sleeper():
    return Sleeper(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))


def slow(**changes):
    """About 0.03 s per epoch and run."""
    task = Task(Digits(40), sleeper, SGD(0.1), batch_size=10, hardware=Hardware(device="cpu", engine="single"))
    settings = dict(
        task=task,
        epochs=12,
        seeds=range(4),
        treatments=(Treatment(ShrinkPerturb(), Periodic(4)),),
        block_size=2,
        checkpoint_seconds=0.01,
    )
    return TrainingStudy(**(settings | changes))
'''


@pytest.fixture(scope="session")
def folder_of_slow_study(tmp_path_factory):
    return tmp_path_factory.mktemp("slow")


@pytest.fixture
def slow_runs_file(cases, folder_of_slow_study):
    """Runs file of the slow study, undisturbed; trained for the first test that asks for it."""
    from training.study import run_study

    return run_study(cases.slow(), folder_of_slow_study).path


@pytest.fixture
def cases(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
    pytest.importorskip(
        "sklearn", reason="the digits come with scikit-learn, of the optional extra `training`"
    )
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "study_cases.py").write_text(CASES, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)
    sys.modules.pop("study_cases", None)
    yield importlib.import_module("study_cases")
    sys.modules.pop("study_cases", None)
