"""How long a user waits at first: the import, and the first result with and without compiled code at hand."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

COMMAND = ["simulate", "ornstein-uhlenbeck", "--runs", "1000"]


def seconds(command: list[str], cache: str | None = None) -> float:
    environment = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    start = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    elapsed = perf_counter() - start
    if done.returncode:
        words = [line for line in (done.stderr + done.stdout).splitlines() if any(map(str.isalnum, line))]
        raise RuntimeError(words[-1].strip(" │") if words else f"exit status {done.returncode}")
    return elapsed


def imports(statement: str, repeats: int) -> float:
    return median(seconds([sys.executable, "-c", statement]) for _ in range(repeats))


def first_results(repeats: int) -> tuple[float, float]:
    """Median whole-process seconds with an empty folder of compiled code, and with the same one again."""
    command = [str(Path(sys.executable).with_name("stochreset")), *COMMAND]
    cold, warm = [], []
    for _ in range(repeats):
        with TemporaryDirectory() as folder:
            cold.append(seconds(command, folder))
            warm.append(seconds(command, folder))
    return median(cold), median(warm)


def render(repeats: int) -> str:
    bare, package = imports("pass", repeats), imports("import stochreset", repeats)
    lines = [
        "Start-up, seconds of the whole process",
        f"  python -c pass {bare:.3f}, import stochreset {package:.3f}",
    ]
    try:
        cold, warm = first_results(repeats)
        lines.append(f"  stochreset {' '.join(COMMAND)}: {cold:.2f} cold, {warm:.2f} warm")
    except (RuntimeError, OSError) as reason:
        lines.append(f"  stochreset {' '.join(COMMAND)}: {reason}"[:99])
    return "\n".join(lines)
