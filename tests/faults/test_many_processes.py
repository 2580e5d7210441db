"""Many processes on one study do each unit once; what dead ones have left is taken over and cleared away."""

import json
import os
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.executors import claim, claims  # noqa: E402
from training.study import run_study  # noqa: E402
from training.study.plan import plan_units  # noqa: E402

from .amount import FULL  # noqa: E402
from .broken_disk import temporaries  # noqa: E402
from .small_study import study  # noqa: E402
from .test_kill import end_many, pytestmark  # noqa: E402, F401

SMALL = study(epochs=3, seeds=range(2), treatments=())


def test_16_processes_do_each_unit_once(tmp_path):
    crowds = 10 if FULL else 1
    seen = end_many(tmp_path, f"crowd={crowds}", *([f"crowd:4={crowds}"] if FULL else []))
    print(seen)
    assert seen["crowd"] == {"crowds": crowds, "units": 6 * crowds, "begun": 6 * crowds, "killed": 0}
    assert not FULL or seen["crowd:4"]["crowds"] == crowds


def holder(**changes):
    return {"host": claims._machine(), "pid": 2**22 + 1, "started": "1", "token": "dead"} | changes


DEAD = {
    "a process that is gone": json.dumps(holder()),
    "another process of that id": json.dumps(holder(pid=os.getpid())),
    "another machine, long ago": json.dumps(holder(host="elsewhere", pid=os.getpid())),
    "no process": json.dumps(holder(pid="many")),
    "no holder": json.dumps({"host": claims._machine()}),
    "empty": "",
    "half": json.dumps(holder())[:20],
    "another text": "\x00\xff",
    "a list": "[1, 2]",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", DEAD.values(), ids=DEAD)
def test_a_claim_that_nobody_alive_holds_is_taken_over(tmp_path, text):
    (unit,) = plan_units(SMALL, tmp_path)
    path = tmp_path / "claims" / f"{unit.name}.claim"
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    long_ago = time.time() - claims.STALE_SECONDS - 10
    os.utime(path, (long_ago, long_ago))
    assert run_study(SMALL, tmp_path).epochs_now == 6
    assert not list(path.parent.glob("*.claim"))


UNCLEAR = {name: text for name, text in DEAD.items() if "process" not in name}


@pytest.mark.parametrize("text", UNCLEAR.values(), ids=UNCLEAR)
def test_a_claim_that_may_just_be_written_is_left_alone(tmp_path, text):
    path = tmp_path / "a.claim"
    path.write_bytes(text.encode("latin-1"))
    with claim(tmp_path, "a") as mine:
        assert not mine
    assert path.read_bytes() == text.encode("latin-1")


def test_what_killed_processes_leave_is_cleared_away(tmp_path):
    (unit,) = plan_units(SMALL, tmp_path)
    mark = "0123456789abcdef" * 2
    for path in (unit.shard, unit.checkpoint, tmp_path / "study.json", tmp_path / "runs.h5"):
        path.parent.mkdir(exist_ok=True)
        path.with_name(f".{path.name}.{mark}.tmp").write_bytes(b"half")
    for name in ("study.json", "runs.h5"):  # of those that all may write, only what is old
        os.utime(tmp_path / f".{name}.{mark}.tmp", (0, 0))
    (tmp_path / "progress").mkdir()
    (tmp_path / "progress" / f"{unit.name}.1.tmp").write_bytes(b"half")
    (tmp_path / "claims").mkdir()
    dead = tmp_path / "claims" / "other-unit.claim"
    dead.write_text(json.dumps(holder()), encoding="utf-8")
    run_study(SMALL, tmp_path)
    assert not temporaries(tmp_path)
    assert not (tmp_path / "progress").exists() and not dead.exists()


def test_a_claim_taken_from_the_dead_is_not_left_half_way(tmp_path, monkeypatch):
    grave = tmp_path / f".a.claim.{'0' * 32}"
    grave.write_text(json.dumps(holder()), encoding="utf-8")
    with claim(tmp_path, "a") as mine:
        assert mine and grave.exists()  # somebody may just be looking at it
    monkeypatch.setattr(claims, "STALE_SECONDS", -1.0)
    with claim(tmp_path, "a") as mine:
        assert mine and not Path(grave).exists()
