"""Sixteen processes on one study, with or without some that are killed."""

import os
import random
import signal
import time

from training.study.plan import plan_units

from .broken_disk import temporaries
from .forking import STUDY, age, ended, logged, start
from .small_study import check_files, gathered, same

SEED = 20250403
CROWD = 16


def crowd_many(root, count, expected, killed=0):
    """Let a crowd work on a study, ``count`` times over; ``killed`` of each crowd are killed meanwhile."""
    root.mkdir()
    chance = random.Random(SEED + killed)
    names = sorted(unit.name for unit in plan_units(STUDY, root))
    seen = {"crowds": 0, "units": 0, "begun": 0, "killed": 0}
    for number in range(count):
        folder = root / f"study-{number}"
        pids = [start(folder, "in-process") for _ in range(CROWD)]
        for pid in pids[:killed]:
            time.sleep(chance.uniform(0, 0.3))
            os.kill(pid, signal.SIGKILL)
        codes = [ended(pid) for pid in pids]
        dead = codes.count(-signal.SIGKILL)
        assert set(codes[killed:]) == {0} and dead <= killed, codes
        begun, done = logged(folder, "begun"), logged(folder, "done")
        # A unit is done anew only if the process that did it was killed.
        assert len(begun) <= len(names) + dead and len(done) <= len(names) + dead
        assert sorted(set(done)) == names or dead
        if not dead:
            assert sorted(begun) == sorted(done) == names
        assert sorted(check_files(STUDY, folder, expected)) == names
        assert same(gathered(folder), gathered(expected))
        age(folder)
        assert ended(start(folder, "in-process")) == 0
        assert not temporaries(folder) and not list((folder / "claims").glob("*.claim"))
        seen["crowds"] += 1
        seen["units"] += len(names)
        seen["begun"] += len(begun)
        seen["killed"] += dead
    return seen
