"""What 24 traces of ResNet-18 on CIFAR-10 say, and what they are too few for. Takes a few seconds.

Reads examples/data/resnet18_cifar10.h5 (its README.md says how the traces were made on a GPU): 8 networks,
unperturbed and perturbed once after epoch 20 in two ways. Usage: python resnet18_traces.py [THRESHOLD] [FIGURE.png]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from theory import Study, predict, rank, relaxation, respond
from training import read_study

FILE = Path(__file__).parent / "data" / "resnet18_cifar10.h5"
PERIODS = (10, 15, 20, 22, 25, 30)


def draw(runs: Study, threshold: float, path: str) -> None:
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    for each in (runs.unperturbed, *runs.perturbed):
        name = (each.perturbation or "unperturbed").replace("_", " ")
        epochs = np.arange(1, each.horizon + 1)
        mean, spread = each.values.mean(axis=0), each.values.std(axis=0, ddof=1)
        axes.plot(epochs, mean, label=name)
        axes.fill_between(epochs, mean - spread, mean + spread, alpha=0.25)
    axes.axhline(threshold, color="0.4", lw=0.8, ls="--")
    axes.set(xlabel="epoch", ylabel="test accuracy (%), mean and spread of 8 runs", ylim=(55, 76))
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=150)


def main(threshold: float = 67.0, figure: str | None = None) -> None:
    runs = read_study(FILE)
    qss = relaxation(runs.unperturbed)
    print(f"quasi-steady state {qss.verdict}: {qss.reason}")
    censored = runs.unperturbed.first_passage(threshold).censored
    print(f"unperturbed: {np.sum(~censored)} of {censored.size} runs reach {threshold:g} %")
    for each in runs.perturbed:
        response, limits = respond(runs, each.perturbation, each.period, threshold, qss)
        print(f"{each.perturbation}: mean residual time {response.tau_estimate} epochs")
        for point in predict(response, PERIODS, limits):
            print(
                f"  every {point.period:2d} epochs: {point.mean:5.1f} ± {point.stderr:3.1f}  {point.status}"
            )
    for optimum in rank(runs, threshold, qss=qss).optima:
        print(f"{optimum.perturbation}: speed-up {optimum.speedup}; {optimum.advice}")
    if figure:
        draw(runs, threshold, figure)


if __name__ == "__main__":
    main(*(float(each) for each in sys.argv[1:2]), *sys.argv[2:3])
