"""Ends small studies in many ways: ``python -m tests.faults.script FOLDER KIND=COUNT ...`` prints what was seen.

A process of its own, because it forks: torch is imported once, and there is a single thread.
"""

import json
import os
import sys
from pathlib import Path

import torch

from training.study import work
from training.study.plan import plan_units

from .crowding import crowd_many
from .forking import STUDY, ended, start
from .killing import kill_many
from .terminating import terminate_many


def main(folder, *wanted):
    """Do each KIND in ``wanted`` COUNT times, and print what was counted."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):  # more cores would make other pools, and other sums
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    root = Path(folder)
    work._prepare(plan_units(STUDY, root)[0])  # the data, once for all
    expected = root / "expected"
    assert ended(start(expected, "in-process")) == 0
    seen = {}
    for kind, count in (each.split("=") for each in wanted):
        into, count = root / kind.replace(":", "-"), int(count)
        if kind == "terminated":
            seen[kind] = terminate_many(into, count, expected)
        elif kind.startswith("crowd"):
            killed = int(kind.partition(":")[2] or 0)
            seen[kind] = crowd_many(into, count, expected, killed)
        else:
            seen[kind] = kill_many(into, count, kind, expected)
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
