"""Two processes without a quasi-steady state, and what the diagnostics say. Takes about half a minute.

A continuous-time random walk with power-law waiting times ages: the longer a run has not arrived, the longer
it is likely to sit where it is. A Lévy flight spreads for ever, by ever longer jumps. In both the hazard
keeps falling and a constant response measured at one period is wrong at others. For the Lévy flight the verdict
on the quasi-steady state is not_reached. The walk passes the test at first: its metric is stationary for a while
although its waiting times age; the test is necessary, not sufficient. There the falling hazard, the refusal of
moments and the status out_of_range at every period but the measured one give the warning. Usage: python
where_it_fails.py [RUNS] [FIGURE.png]
"""

import sys
from typing import Any

import numpy as np

from stochreset import CTRW, LevyFlight, Periodic, Reset, record, simulate, summarize
from theory import CensoredSampleError, Study, linear_response, predict, relaxation, respond

MEASURED = 20
PERIODS = (5, 7, 10, 15, 20, 30, 50, 80, 100)
TICKS = (5, 10, 20, 50, 100)
CASES: dict[str, tuple[Any, Any]] = {
    "CTRW, waiting times ~ t^-1.6, reset": (CTRW(exponent=0.6, target=3.0), Reset()),
    "Lévy flight, index 1.2, reset": (LevyFlight(alpha=1.2, target=12.0), Reset()),
}


def diagnose(process: Any, perturbation: Any, runs: int) -> tuple[np.ndarray, ...]:
    """Print what the diagnostics say; returns periods, constant-response predictions, measured means."""
    free = record(process, runs=runs, epochs=200, seed=1)
    kicked = record(process, perturbation, MEASURED, runs=runs, epochs=2000, seed=2)
    qss = relaxation(free, threshold=process.target)
    print(f"  quasi-steady state {qss.verdict}: {qss.reason}")
    try:
        linear_response(free.first_passage(process.target))
    except CensoredSampleError as refusal:
        print(f"  linear response refused: {refusal}")
    grid = np.array([10.0, 20, 40, 80, 160])
    survival = summarize(process, runs=50 * runs, seed=3, horizon=200.0, grid=grid).survival
    hazard = -np.diff(np.log(survival)) / np.diff(grid)
    print("  hazard between 10, 20, 40, 80, 160: " + ", ".join(f"{h:.4f}" for h in hazard))
    study = Study(free, [kicked])
    response, limits = respond(study, kicked.perturbation, MEASURED, process.target, qss)
    points = predict(response, PERIODS, limits, "constant")
    measured = []
    print("  period  constant response  measured  status")
    for point in points:
        sample = simulate(process, Periodic(point.period), perturbation, runs=5 * runs, seed=4)
        measured.append((sample.times.mean(), sample.times.std(ddof=1) / np.sqrt(len(sample))))
        print(
            f"  {point.period:6d}  {point.mean:17.1f}  {measured[-1][0]:8.1f}  {point.status}: {point.reason}"
        )
    return np.array(PERIODS), np.array([point.mean for point in points]), np.array(measured).T


def main(runs: int = 2000, figure: str | None = None) -> None:
    """Diagnose both processes, and draw predictions against measurements where a figure is named."""
    results = {}
    for title, (process, perturbation) in CASES.items():
        print(title)
        results[title] = diagnose(process, perturbation, runs)
    if figure is None:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(results), figsize=(9, 4.1), layout="constrained")
    for ax, (title, (periods, predicted, measured)) in zip(axes, results.items(), strict=True):
        mean, error = measured
        ax.errorbar(periods, mean, 1.96 * error, fmt="o", color="#D55E00", capsize=2, label="Monte Carlo")
        ax.plot(periods, predicted, color="#0072B2", ls=":", label="constant response")
        ax.axvline(MEASURED, color="0.5", ls="--", lw=1, label="measured period")
        ax.set(
            xscale="log", yscale="log", xlabel="period P (epochs)", ylabel=r"$\langle T_P\rangle$ (epochs)"
        )
        ax.set_xticks(TICKS, [str(tick) for tick in TICKS])
        ax.set_xticks([], minor=True)
        ax.yaxis.set_minor_formatter("{x:g}")
        ax.set_title(title.replace("t^-1.6", "$t^{-1.6}$"), fontsize="medium")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small", frameon=False)
    fig.savefig(figure, dpi=130)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]), *sys.argv[2:3])
