"""A training study that is killed or told to end at any moment loses the unfinished unit at most, and goes on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.blocks import BlockRun  # noqa: E402
from training.study import run_study  # noqa: E402
from training.study.plan import plan_units  # noqa: E402

from .amount import FULL  # noqa: E402
from .small_study import study  # noqa: E402

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or not Path("/proc").is_dir(), reason="needs Linux")
ROOT = Path(__file__).parents[2]
WAYS = (
    [["in-process=100"], ["forked:2=95", "processes:2=5"], ["terminated=40"]]
    if FULL
    else [["in-process=3", "forked:2=3", "terminated=1"]]
)


def end_many(folder, *wanted):
    """Run the script; return what it has seen."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.script", str(folder), *wanted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1800 if FULL else 300,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("ways", WAYS, ids=" ".join)
def test_what_a_kill_costs(tmp_path, ways, record_property):
    seen = end_many(tmp_path, *ways)
    record_property("seen", json.dumps(seen))
    print(seen)
    for way in ways:
        kind, count = way.split("=")
        if kind == "terminated":
            assert seen[kind]["terminated"] == int(count)
            continue
        assert seen[kind]["kills"] == int(count)
        assert seen[kind]["most_units_lost"] <= (1 if kind == "in-process" else 2)
        assert seen[kind]["units_finished"] > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_last_epoch_of_a_unit_is_not_forgotten(tmp_path, monkeypatch, number):
    settings = study(treatments=())
    step, asked = BlockRun.step, []

    def step_and_ask(self):
        step(self)
        if self.finished and not asked:
            asked.append(self.seeds)
            signal.raise_signal(number)

    monkeypatch.setattr(BlockRun, "step", step_and_ask)
    with pytest.raises(KeyboardInterrupt):
        run_study(settings, tmp_path)
    first, second = plan_units(settings, tmp_path)
    assert first.shard.exists() and not first.checkpoint.exists()
    assert not second.shard.exists() and not list((tmp_path / "claims").glob("*.claim"))
    assert run_study(settings, tmp_path).epochs_now == len(second.seeds) * settings.epochs
