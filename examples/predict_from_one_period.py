"""Predict every period from runs at one, on a toy with known answers. Takes about 5 seconds.

The toy is a mixture of plateaus: each run settles on a level of its own and fluctuates there; a perturbation
throws it back and gives it a new level. Runs at period 20 predict the mean first-passage time at the others,
which are held against the exact values. Usage: python predict_from_one_period.py [RUNS] [FIGURE.png]
"""

import sys

from stochreset import PlateauMixture
from theory import Study, predict, relaxation, respond
from theory.estimates import Estimate
from theory.measured import MeasuredPoint
from theory.plots import plot_predictions

THRESHOLD, MEASURED, PERIODS = 72.0, 20, (5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)


def main(runs: int = 1000, figure: str | None = None) -> None:
    toy = PlateauMixture(
        plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=2, depth_after=8
    )
    study = Study(
        toy.simulate(runs, 120, seed=1),
        [toy.simulate(runs, 300, period=MEASURED, seed=2, perturbation="shrink_perturb")],
    )
    qss = relaxation(study.unperturbed)
    print(f"quasi-steady state {qss.verdict}: {qss.reason}")
    response, limits = respond(study, "shrink_perturb", MEASURED, THRESHOLD, qss)
    print(f"mean residual time after a perturbation: {response.tau_estimate} epochs")
    predictions = predict(response, PERIODS, limits)
    print("period  predicted      exact  status")
    for point in predictions:
        exact = toy.mfpt(THRESHOLD, point.period)
        print(f"{point.period:6d}  {point.mean:6.1f} ± {point.stderr:4.1f} {exact:6.1f}  {point.status}")
    if figure:
        truth = [(p, toy.mfpt(THRESHOLD, p)) for p in PERIODS]
        exact_points = [MeasuredPoint(p, Estimate(v, 0.0, v, v), runs, 0) for p, v in truth]
        axes = plot_predictions(predictions, exact_points, limits, measured_label="exact")
        axes.figure.savefig(figure, dpi=150)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]), *sys.argv[2:3])
