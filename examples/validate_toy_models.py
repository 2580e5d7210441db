"""Hold the predictions from one measured period against Monte Carlo and exact laws, on toy models.

For each of six models: traces of unperturbed runs and of runs perturbed at one period go through the same
analysis as training runs (is there a quasi-steady state? what does it predict at other periods?); fast
simulations at those periods measure the mean first-passage time, and a closed form or the numerical solver
gives it exactly. One figure per model. Takes about 2 minutes with 2,000 runs. Usage: python
validate_toy_models.py [RUNS] [FOLDER] [MODEL ...]
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stochreset import (
    DoubleWell,
    Interval,
    Kick,
    Langevin,
    MarkovChain,
    OrnsteinUhlenbeck,
    PartialReset,
    Periodic,
    Reset,
    ShrinkPerturb,
    record,
    simulate,
)
from theory import Study, predict, relaxation, respond
from theory.numerical import AffineMap, FokkerPlanck

PERIODS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 140)
MEASURED = 40


@dataclass(frozen=True)
class Case:
    """A model with its perturbation, the length of an epoch, and its exact mean at a period (in time)."""

    title: str
    process: Any
    perturbation: Any
    unit: float
    exact: Callable[[float], float]
    epochs: int = 200
    note: str = field(default="")


def solver_mean(affine: AffineMap, **process: Any) -> Callable[[float], float]:
    """Exact mean at a period by the numerical solver, for a perturbation x -> scale x + shift + noise xi."""
    solver = FokkerPlanck(cells=400, **process)
    kernel = solver.kernel(affine)
    return lambda period: solver.chain.mfpt_periodic(period, kernel)


def cases() -> dict[str, Case]:
    """The models, by the name of their figure."""
    interval = Interval(diffusion=1.0, start=0.5, target=1.0)
    well = DoubleWell(barrier=1.0, diffusion=0.35)
    # A funnel: three traps off a line of states; a reset takes a run out of its trap.
    rates = np.zeros((7, 7))
    for state in range(3):
        rates[state, state + 1] = 1.0
        rates[state, 4 + state], rates[4 + state, state] = 0.5, 0.02
    network = MarkovChain(rates=rates, start=0, targets=3)
    return {
        "ornstein-uhlenbeck": Case(
            "Ornstein–Uhlenbeck, shrink and perturb",
            OrnsteinUhlenbeck(target=2.0),
            ShrinkPerturb(-0.4, 0.8),
            0.125,
            solver_mean(AffineMap(-0.4, noise=0.8), drift=lambda x: -x, diffusion=1.0, start=0.0, target=2.0),
        ),
        "interval": Case(
            "Interval with a reflecting wall, reset",
            interval,
            Reset(),
            0.02,
            lambda period: float(interval.mfpt_sharp(period)),
        ),
        "double-well": Case(
            "Double well, partial reset",
            well,
            PartialReset(0.3),
            0.05,
            solver_mean(
                AffineMap(0.3), potential=well.potential, diffusion=well.diffusion, start=-1.0, target=1.0
            ),
        ),
        "markov": Case(
            "Kinetic network with traps, reset",
            network,
            Reset(),
            0.25,
            lambda period: float(network.mfpt_sharp(period)),
        ),
        "quartic": Case(
            "Quartic potential given by the user, kicks",
            Langevin(potential=lambda x: 0.25 * x**4, diffusion=0.5, start=0.0, target=1.5),
            Kick(noise=0.7),
            0.1,
            solver_mean(
                AffineMap(1.0, noise=0.7),
                potential=lambda x: 0.25 * x**4,
                diffusion=0.5,
                start=0.0,
                target=1.5,
            ),
        ),
        "biased": Case(
            "Ornstein–Uhlenbeck with the target near the start, reset",
            OrnsteinUhlenbeck(start=1.0, target=1.3),
            Reset(),
            0.05,
            lambda period: float(OrnsteinUhlenbeck(start=1.0, target=1.3).mfpt_sharp(period)),
        ),
    }


def validate(case: Case, runs: int, figure: Path) -> float:
    """Print a table and draw a figure; returns the largest error of the valid predictions, relative."""
    process, perturbation, unit = case.process, case.perturbation, case.unit
    free = record(process, runs=runs, epochs=case.epochs, seed=1, unit=unit)
    kicked = record(process, perturbation, MEASURED, runs=runs, epochs=20 * MEASURED, seed=2, unit=unit)
    study, threshold = Study(free, [kicked]), process.target
    qss = relaxation(free, threshold=threshold)
    response, limits = respond(study, kicked.perturbation, MEASURED, threshold, qss)
    points = predict(response, PERIODS, limits)
    print(f"\n{case.title}\n  quasi-steady state {qss.verdict}: {qss.reason}")
    print("  period  predicted            Monte Carlo          exact    status")
    rows, worst = [], 0.0
    for point in points:
        period = point.period * unit
        sample = simulate(process, Periodic(period), perturbation, runs=20 * runs, seed=3)
        error = sample.times.std(ddof=1) / np.sqrt(len(sample))
        exact = case.exact(period)
        # An arrival is recorded at the end of its epoch, half an epoch late on average.
        mean, low, high = ((value - 0.5) * unit for value in (point.mean, point.low, point.high))
        rows.append((period, mean, low, high, sample.times.mean(), error, exact, point.status))
        print(
            f"  {period:6.3g}  {mean:8.4g} ± {point.stderr * unit:<7.2g}  {rows[-1][4]:8.4g} ± {error:<7.2g}  "
            f"{exact:8.4g}  {point.status}"
        )
        if point.status == "valid":
            worst = max(worst, abs(mean / exact - 1))
    draw(case, rows, MEASURED * unit, qss, figure)
    return worst


def draw(case: Case, rows: list[tuple], measured: float, qss: Any, figure: Path) -> None:
    """One figure: predictions with their bands, Monte Carlo with error bars, the exact curve."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    period, mean, low, high, simulated, error, exact = (np.array([r[k] for r in rows]) for k in range(7))
    valid = np.array([r[7] == "valid" for r in rows])
    fig, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    ax.plot(period, exact, color="black", lw=1.2, label="exact")
    ax.errorbar(
        period, simulated, 1.96 * error, fmt="o", color="#D55E00", ms=4, capsize=2, label="Monte Carlo"
    )
    ax.plot(period, mean, color="#0072B2", ls=":", lw=1.2, label="predicted, not valid")
    shown = np.where(valid, mean, np.nan)
    ax.plot(period, shown, color="#0072B2", lw=1.8, label="predicted, valid")
    ax.fill_between(period, np.where(valid, low, np.nan), high, color="#0072B2", alpha=0.25, lw=0)
    ax.axvline(measured, color="0.5", ls="--", lw=1, label="measured period")
    if qss.relaxation_epoch is not None:
        ax.axvline(qss.relaxation_epoch * case.unit, color="0.5", ls="-.", lw=1, label="relaxation time")
    ax.set(xscale="log", xlabel="period P (time)", ylabel="mean first-passage time ⟨T_P⟩ (time)")
    ax.set_title(case.title, fontsize="medium")
    ax.set_ylim(0.8 * min(exact.min(), simulated.min()), 1.25 * max(exact.max(), simulated.max()))
    ax.legend(fontsize="small", frameon=False)
    fig.savefig(figure, dpi=130)
    plt.close(fig)


def main(runs: int = 2000, folder: str = ".", *names: str) -> None:
    """Validate the models named, or all of them."""
    chosen = cases()
    for name in names or chosen:
        figure = Path(folder) / f"validate_{name}.png"
        worst = validate(chosen[name], runs, figure)
        print(f"  largest error of a valid prediction: {worst:.1%}; figure: {figure}")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]), *sys.argv[2:])
