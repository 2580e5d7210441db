"""From the traces of your own training to a recommendation. Takes about 3 seconds.

Replace `my_training` by your own: it returns the metric after each epoch, for one seed, with or without a
perturbation every `period` epochs. Usage: python own_runs.py [RUNS] [FILE.h5]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from theory import rank
from training import RunGroup, read_study, write_runs

EPOCHS = 120


def my_training(seed: int, period: int | None = None) -> list[float]:
    """Stand-in for a real training: accuracy on a plateau that differs from run to run."""
    rng = np.random.default_rng([seed, period or 0])
    plateau, since, trace = rng.normal(90, 0.5), 0, []
    for epoch in range(1, EPOCHS + 1):
        since += 1
        trace.append(float(plateau - 8 * np.exp(-since / 2) + rng.normal(0, 0.2)))
        if period and epoch % period == 0:
            plateau, since = rng.normal(90.2, 0.5), 0
    return trace


def main(runs: int = 200, path: str | None = None) -> None:
    groups = []
    for number, (name, period) in enumerate(((None, None), ("shrink_perturb", 25))):
        seeds = np.arange(number * runs, (number + 1) * runs)
        traces = np.array([my_training(int(seed), period) for seed in seeds])
        groups.append(
            RunGroup(seeds, {"accuracy": traces}, {"accuracy": "at_least"}, perturbation=name, period=period)
        )
    with tempfile.TemporaryDirectory() as folder:
        file = write_runs(path or Path(folder) / "runs.h5", groups)
        ranking = rank(read_study(file), threshold=90.8)
    best = ranking.optima[0]
    print(f"without perturbation: {ranking.unperturbed} epochs, up to epoch {ranking.horizon}")
    print(f"{best.perturbation} every {best.prediction.period}: {best.prediction.mean:.1f} epochs")
    print(f"speed-up {best.speedup}, {best.prediction.status}; {best.advice}")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]), *sys.argv[2:3])
