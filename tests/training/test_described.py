"""Settings as JSON: what differs is told apart, and nothing depends on the process."""

import json
import os
import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training.described import describe  # noqa: E402
from training.networks import MLP  # noqa: E402


class Maker:
    def __init__(self, units):
        self.units = units

    def build(self):
        return self.units


class Slotted:
    __slots__ = ("units", "unset")

    def __init__(self, units):
        self.units = units


ADDRESSES = count(0xABC)


class Masked:
    def __init__(self, units):
        self.units = units

    def __repr__(self):
        return f"Masked({self.units}, <lock at 0x{next(ADDRESSES):x}>)"


WAYS = [
    lambda units: partial(Maker, units),
    lambda units: partial(Maker, units=units),
    lambda units: partial(Maker(units).build),
    lambda units: Maker(units),
    lambda units: Maker({units, "a", "b", "c"}),
    lambda units: Maker(units).build,
    lambda units: Slotted(units),
    lambda units: Masked(units),
    lambda units: MLP((units,)),
    lambda units: {"each": (units, None)},
]


@pytest.mark.parametrize("make", WAYS)
def test_equal_settings_are_described_alike_and_others_not(make):
    assert json.dumps(describe(make(2))) == json.dumps(describe(make(2)))
    assert json.dumps(describe(make(2))) != json.dumps(describe(make(3)))


def test_functions_and_classes_go_by_name():
    assert describe(Maker) == f"{__name__}.Maker"
    assert describe(MLP) == "training.networks.mlp.MLP"
    assert describe(len) == "builtins.len"
    assert describe(partial(len)) == {"kind": "partial", "func": "builtins.len", "args": [], "keywords": {}}


SCRIPT = """
import sys
from functools import partial
from torch import nn
from training import Hardware, Task, TrainingStudy, run_study
from training.data import Regression

class Source:
    def __init__(self, samples):
        self.samples = samples

    def load(self):
        return Regression(self.samples, 20).load()

class Named(Source):
    def __repr__(self):
        return f"Named({self.samples})"

def network(units):
    return nn.Sequential(nn.Linear(10, units), nn.ReLU(), nn.Linear(units, 1))

def small():
    return network(3)

if __name__ == "__main__":
    for number, (data, made) in enumerate([(Source(30), small), (Named(30), partial(network, 3))]):
        task = Task(data, made, hardware=Hardware(device="cpu"))
        study = TrainingStudy(task, epochs=2, seeds=range(2))
        print(run_study(study, f"{sys.argv[1]}/{number}", executor=sys.argv[2]).epochs_now)
"""


def test_what_the_main_script_defines_is_known_again_in_workers_and_later(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    for executor, trained in (("processes:1", "4\n4\n"), ("in-process", "0\n0\n")):
        done = subprocess.run(
            [sys.executable, str(script), str(tmp_path), executor],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            timeout=120,
        )
        assert done.stdout == trained, done.stderr
