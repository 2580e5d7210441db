"""Hold the predictions from one measured period against Monte Carlo and exact laws, on toy models.

For each of six models: traces of unperturbed runs and of runs perturbed at one period go through the same
analysis as training runs (is there a quasi-steady state? what does it predict at other periods?); fast
simulations at those periods measure the mean first-passage time, and a closed form or the numerical solver
gives it exactly. One figure per model. Takes about 2 minutes with 2,000 runs. Usage: python
validate_toy_models.py [RUNS] [FOLDER] [MODEL ...]
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
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
    Periodic,
    Reset,
    ShrinkPerturb,
    record,
    simulate,
)
from theory import Study, predict, relaxation, respond
from theory.numerical import AffineMap, FokkerPlanck

PERIODS = (3, 5, 8, 12, 16, 20, 25, 30, 40, 50, 60, 80, 100, 140, 200)
MEASURED = 80
WIDEST = 3.0
"""Bands are drawn where their ends differ by less than this factor."""


@dataclass(frozen=True)
class Case:
    """A model with its perturbation, the length of an epoch, and its exact mean at a period (in time)."""

    title: str
    process: Any
    perturbation: Any
    unit: float
    exact: Callable[[float], float]
    epochs: int = 400


def solver_mean(affine: AffineMap, **process: Any) -> Callable[[float], float]:
    """Exact mean at a period by the numerical solver, for a perturbation x -> scale x + shift + noise xi."""
    solver = FokkerPlanck(cells=400, **process)
    kernel = solver.kernel(affine)
    return lambda period: solver.chain.mfpt_periodic(period, kernel)


def cases() -> dict[str, Case]:
    """The models, by the name of their figure."""
    interval = Interval(diffusion=1.0, start=0.5, target=1.0)
    well = DoubleWell(barrier=1.0, diffusion=0.35)
    # Three steps to the target, the last state, with a deep trap off each; a reset takes a run out of its trap.
    rates = np.zeros((7, 7))
    for state, onward in ((0, 1), (1, 2), (2, 6)):
        rates[state, onward] = 1.0
        rates[state, 3 + state], rates[3 + state, state] = 0.5, 0.02
    network = MarkovChain(rates=rates, start=0, targets=6)
    return {
        "ornstein-uhlenbeck": Case(
            "Ornstein–Uhlenbeck, kicks towards the target",
            OrnsteinUhlenbeck(target=2.0),
            Kick(noise=0.3, shift=0.8),
            0.125,
            solver_mean(
                AffineMap(1.0, shift=0.8, noise=0.3), drift=lambda x: -x, diffusion=1.0, start=0.0, target=2.0
            ),
        ),
        "interval": Case(
            "Interval with a reflecting wall, reset",
            interval,
            Reset(),
            0.02,
            lambda period: float(interval.mfpt_sharp(period)),
        ),
        "double-well": Case(
            "Double well, shrink and perturb",
            well,
            ShrinkPerturb(0.3, 0.2),
            0.05,
            solver_mean(
                AffineMap(0.3, noise=0.2),
                potential=well.potential,
                diffusion=well.diffusion,
                start=-1.0,
                target=1.0,
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
            "Quartic potential given by the user, reset to 0.9",
            Langevin(potential=lambda x: 0.25 * x**4, diffusion=0.5, start=0.0, target=1.5),
            Reset(to=0.9),
            0.1,
            solver_mean(
                AffineMap(0.0, shift=0.9),
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


def validate(case: Case, runs: int, figure: Path) -> tuple[float, float]:
    """Print a table and draw a figure; returns the worst errors of both formulas from half of P* on."""
    process, perturbation, unit = case.process, case.perturbation, case.unit
    free = record(process, runs=runs, epochs=case.epochs, seed=1, unit=unit)
    kicked = record(process, perturbation, MEASURED, runs=runs, epochs=15 * MEASURED, seed=2, unit=unit)
    study, threshold = Study(free, [kicked]), process.threshold()
    qss = relaxation(free, threshold=threshold)
    response, limits = respond(study, kicked.perturbation, MEASURED, threshold, qss)
    # An arrival is recorded at the end of its epoch, half an epoch late on average.
    predicted = {
        model: np.array([(p.mean, p.low, p.high) for p in predict(response, PERIODS, limits, model)]) - 0.5
        for model in ("constant", "cycles")
    }
    print(f"\n{case.title}\n  quasi-steady state {qss.verdict}: {qss.reason}")
    print("  period  constant  cycles  Monte Carlo          exact")
    rows = []
    for at, period in enumerate(unit * np.array(PERIODS)):
        sample = simulate(process, Periodic(period), perturbation, runs=20 * runs, seed=3)
        error = sample.times.std(ddof=1) / np.sqrt(len(sample))
        rows.append((period, sample.times.mean(), error, case.exact(period)))
        constant, cycles = (predicted[model][at, 0] * unit for model in ("constant", "cycles"))
        print(
            f"  {period:6.3g}  {constant:8.4g}  {cycles:6.4g}  {rows[-1][1]:8.4g} ± {error:<7.2g}  {rows[-1][3]:8.4g}"
        )
    rows = np.array(rows)
    draw(case, rows, {model: values * unit for model, values in predicted.items()}, qss, figure)
    late = (rows[:, 0] >= MEASURED * unit / 2) & (rows[:, 0] <= MEASURED * unit)
    errors = [np.abs(values[late, 0] * unit / rows[late, 3] - 1).max() for values in predicted.values()]
    return errors[0], errors[1]


def draw(case: Case, rows: np.ndarray, predicted: dict[str, np.ndarray], qss: Any, figure: Path) -> None:
    """One figure: both predictions with their bands, Monte Carlo with error bars, the exact curve."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    period, simulated, error, exact = rows.T
    fig, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    ax.plot(period, exact, color="black", lw=1.2, label="exact", zorder=3)
    ax.errorbar(
        period,
        simulated,
        1.96 * error,
        fmt="o",
        color="#D55E00",
        ms=4,
        capsize=2,
        label="Monte Carlo",
        zorder=4,
    )
    styles = {
        "constant": ("#009E73", ":", "constant response"),
        "cycles": ("#0072B2", "--", "cycle-resolved"),
    }
    for model, (colour, line, label) in styles.items():
        mean, low, high = predicted[model].T
        ax.plot(period, mean, color=colour, ls=line, lw=1.6, label=f"predicted, {label}")
        # A band that covers the whole axis tells nothing.
        ax.fill_between(
            period, low, high, where=(low > 0) & (high < WIDEST * low), color=colour, alpha=0.2, lw=0
        )
    ax.axvline(MEASURED * case.unit, color="0.5", ls="--", lw=1, label="measured period")
    ax.set(
        xscale="log", xlabel="period P (time)", ylabel=r"mean first-passage time $\langle T_P\rangle$ (time)"
    )
    ax.set_title(f"{case.title}\nquasi-steady state {qss.verdict.replace('_', ' ')}", fontsize="medium")
    ax.set_ylim(
        0.6 * exact.min(), 1.4 * np.median(exact) if exact.max() > 3 * np.median(exact) else 1.4 * exact.max()
    )
    ax.legend(fontsize="small", frameon=False)
    fig.savefig(figure, dpi=130)
    plt.close(fig)


def main(runs: int = 2000, folder: str = ".", *names: str) -> None:
    """Validate the models named, or all of them."""
    chosen = cases()
    for name in names or chosen:
        figure = Path(folder) / f"validate_{name}.png"
        constant, cycles = validate(chosen[name], runs, figure)
        print(
            f"  largest error from P*/2 to P*: constant {constant:.1%}, cycle-resolved {cycles:.1%}; {figure}"
        )


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]), *sys.argv[2:])
