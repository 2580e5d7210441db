"""Whole-process times of the command line on the published runs. Usage: python published.py [REPEATS]

Needs ../shared/data/published-traces.tar.xz beside the project.
"""

import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ARCHIVE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "published-traces.tar.xz"
COMMAND = Path(sys.executable).with_name("stochreset")


def seconds(arguments: list[str], repeats: int) -> list[float]:
    """Wall time of each repeat, seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(
            [COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        times.append(time.perf_counter() - start)
    return times


def main(repeats: int = 5) -> None:
    """Print the table."""
    if not ARCHIVE.is_file():
        sys.exit(f"the published traces are not at {ARCHIVE}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(Path(folder) / "published", filter="data")
        runs = f"{folder}/published.h5"
        at = ["--threshold", "74"]
        predict = ["predict", runs, *at, "--perturbation", "partial_reset", "--measured", "20", "--json"]
        commands = {
            "import-traces --published": ["import-traces", runs, "--published", f"{folder}/published"],
            "qss": ["qss", runs, "--json"],
            "predict, 2,000 resamples": predict,
            "rank, 2,000 resamples": ["rank", runs, *at, "--json"],
            "report": ["report", runs, *at, "--out", f"{folder}/report"],
            "--help": ["--help"],
        }
        print(f"{'stochreset ...':28s} {'median':>7s} {'min':>7s} {'max':>7s}   seconds, {repeats} runs")
        for name, arguments in commands.items():
            times = seconds(arguments, repeats)
            print(f"{name:28s} {statistics.median(times):7.2f} {min(times):7.2f} {max(times):7.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
