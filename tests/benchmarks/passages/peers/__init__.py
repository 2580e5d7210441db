"""Packages from PyPI, run by $STOCHRESET_PEERS_PYTHON or else this Python, in a process that times itself.

They have no resetting, so they take part in W1 and W3 only.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from passages.methods import Draw, Method, Unavailable
from passages.works import Work

PACKAGES = {"ssm": "ssm-simulators", "dx": "diffusionx", "ddm": "pyddm"}
MODULES = {"ssm": "ssms", "dx": "diffusionx", "ddm": "pyddm"}
TIMEOUT = 180  # seconds


def interpreter() -> str:
    return os.environ.get("STOCHRESET_PEERS_PYTHON") or sys.executable


@cache
def version(peer: str) -> str | None:
    """Of the package in the peers' interpreter; None where it is not there."""
    code = f"import importlib.metadata as m; print(m.version({PACKAGES[peer]!r}))"
    done = subprocess.run([interpreter(), "-c", code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def draw(peer: str, work: Work, runs: int, seed: int) -> Draw:
    if version(peer) is None:
        raise Unavailable(f"not installed: pip install {PACKAGES[peer]}")
    command = [interpreter(), "-m", "passages.peers", peer, work.name, str(runs), str(seed)]
    folder = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"no answer within {TIMEOUT} s") from None
    if done.returncode:
        raise Unavailable(done.stderr.strip().splitlines()[-1])
    return Draw(**json.loads(done.stdout.splitlines()[-1]))


METHODS = [
    Method("ssm-simulators", lambda *call: draw("ssm", *call), never=("W3", "never (a)")),
    Method("diffusionx", lambda *call: draw("dx", *call), never=("W3", "never (b)")),
    Method("pyddm", lambda *call: draw("ddm", *call), euler=False, samples=False),
]
NOTES = """\
(a) Its clock is a float32 sum of steps: with the step that 0.1 % needs, it stands still from 8 on.
(b) Independent of the step: it starts a path that has not arrived by an inner horizon afresh.
    With drift (W1) it calls Python at each step; only one path at a time, its moments deadlock.
pyddm solves for the law: its time is one solve at the default grid, and the time to 0.1 % is one at
the coarsest grid that gets there. The peers have no resetting. On ssm-simulators: two processes,
max_t = 60 or 200, since it returns a path that has not arrived by max_t as an arrival at max_t."""
