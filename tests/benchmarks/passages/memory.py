"""Memory of the exact sampler, streaming and keeping, each in a process of its own (Linux only)."""

import subprocess
import sys

STREAMED = 100_000_000
KEPT = 20_000_000

PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
bare = peak()
"""
PROCESS = """
import numpy as np
from stochreset import Brownian
work = Brownian(drift=1.0, diffusion=0.5, start=0.0, target=1.0)
"""
STREAM = """
from stochreset import summarize
grid = np.linspace(0.0, 10.0, 201)
def go(runs): return summarize(work, None, None, runs=runs, seed=1, grid=grid)
"""
KEEP = """
from stochreset import simulate
def go(runs): return simulate(work, runs=runs, seed=1)
"""
# The small call loads and compiles everything.
MEASURE = """
go(10_000); warm = peak()
result = go({runs})
print(bare, warm, peak())
"""


def peaks(call: str, runs: int) -> tuple[int, int, int]:
    """Peak bytes of the bare interpreter, after a small call, and after the large one."""
    code = PEAK + PROCESS + call + MEASURE.format(runs=runs)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    bare, warm, full = (int(word) for word in done.stdout.split())
    return bare, warm, full


def render() -> str:
    lines = ["Memory, exact W1 samples"]
    if not sys.platform.startswith("linux"):
        return lines[0] + ": measured on Linux only"
    try:
        bare, warm, full = peaks(STREAM, STREAMED)
        lines.append(
            f"  {STREAMED:.0e} streamed: peak {(full - bare) / 1e6:.0f} MB above the bare interpreter, "
            f"{(full - warm) / 1e6:.1f} MB above a small call"
        )
    except RuntimeError as reason:
        lines.append(f"  streamed: {reason}"[:99])
    try:
        bare, warm, full = peaks(KEEP, KEPT)
        lines.append(
            f"  {KEPT:.0e} kept: peak {(full - bare) / 1e6:.0f} MB above the bare interpreter, "
            f"{(full - warm) / KEPT:.1f} bytes a sample above a small call"
        )
    except RuntimeError as reason:
        lines.append(f"  kept: {reason}"[:99])
    return "\n".join(lines)
