"""Time and memory of `stochreset predict` against the number of runs. Usage: python scale.py [EPOCHS]

Files of 1,000, 10,000 and 100,000 runs (four fifths unperturbed, one fifth perturbed) of EPOCHS epochs (default 1,000:
0.8 GB for the last) are written to a temporary folder and analysed in a process of their own each; its peak memory is
the largest resident set, which `python -c "import stochreset"` alone already has most of. About three minutes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from stochreset import PlateauMixture
from theory.hdf5 import LIBVER, seal
from training.runs_header import KNOWN
from training.runs_reader import FORMAT, FORMAT_VERSION

SIZES = (1_000, 10_000, 100_000)
PERIOD, THRESHOLD = 20, 72.0
BLOCK = 2_000
MODEL = PlateauMixture(plateau_mean=71.5, plateau_spread=0.3, noise=0.15, depth=30, relaxation_time=3)


def write(path: Path, runs: int, epochs: int) -> None:
    """A runs file of a toy model, written a block of runs at a time."""
    with h5py.File(path, "w", libver=LIBVER) as file:
        file.attrs.update(
            format=FORMAT, format_version=FORMAT_VERSION, provenance="{}", default_metric="accuracy"
        )
        for period, size in ((None, runs * 4 // 5), (PERIOD, runs // 5)):
            group = file.create_group("unperturbed" if period is None else f"kick:{period}")
            if period is not None:
                group.attrs.update(perturbation="kick", period=period, parameters="{}")
            first = 0 if period is None else runs
            for name, values in (
                ("seed", np.arange(first, first + size)),
                ("epoch", np.arange(1, epochs + 1)),
            ):
                group.create_dataset(name, data=values.astype(np.int64), track_times=False)
            traces = group.create_dataset(
                "accuracy",
                (size, epochs),
                "f8",
                compression="gzip",
                compression_opts=1,
                shuffle=True,
                track_times=False,
            )
            traces.attrs["direction"] = "at_least"
            for start in range(0, size, BLOCK):
                seeds = np.arange(first + start, first + min(size, start + BLOCK))
                traces[start : start + len(seeds)] = MODEL.traces(seeds, epochs, period)
        seal(file, KNOWN)


def analyse(arguments: list[str]) -> tuple[float, float, float, str]:
    """Wall and CPU seconds, peak resident MiB, and what a command prints."""
    start = time.perf_counter()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} failed with exit code {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed


def main(epochs: str = "1000") -> None:
    """Print the table."""
    command = [sys.executable, "-c", "import sys; from stochreset.cli import main; sys.exit(main())"]
    alone = analyse([sys.executable, "-c", "import stochreset, theory, training, h5py, scipy.stats"])
    print(f"imports alone: {alone[0]:.1f} s, {alone[2]:,.0f} MiB\n")
    print(
        f"{'runs':>8s} {'values':>9s} {'file':>9s} {'predict':>9s} {'CPU':>9s} {'peak':>10s}   mean at period {PERIOD}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for runs in SIZES:
            path = Path(folder) / f"{runs}.h5"
            write(path, runs, int(epochs))
            options = [
                str(path),
                "--threshold",
                str(THRESHOLD),
                "--perturbation",
                "kick",
                "--measured",
                str(PERIOD),
            ]
            seconds, cpu, peak, printed = analyse(
                [*command, "predict", *options, "--periods", "10,20,50", "--json"]
            )
            found = {each["period"]: each for each in json.loads(printed)["predictions"]}[PERIOD]
            mean = f"{found['mean']:.3f} ± {found['stderr']:.3f} (exact {MODEL.mfpt(THRESHOLD, PERIOD):.3f})"
            print(
                f"{runs:8,d} {runs * int(epochs) * 8 / 1e6:6,.0f} MB {path.stat().st_size / 1e6:6,.0f} MB "
                f"{seconds:7.1f} s {cpu:7.1f} s {peak:6,.0f} MiB   {mean}",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:2])
