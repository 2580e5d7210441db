"""Toy models whose perturbation is a full reset, so that cycles are independent: plateaus, a double well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from adaptive.optimum import best_tau
from stochreset import DoubleWell, OrnsteinUhlenbeck, PlateauMixture
from stochreset.traces import record
from theory import Ensemble
from theory.adaptive import HazardPolicy, PlateauLaw, replay

Deal = Callable[[int, np.random.Generator], np.ndarray]
"""Traces of so many runs of LONGEST epochs."""
LONGEST = 400
"""All policies perturb after so many epochs in any case: the length of the traces."""
PILOT_RUNS, PILOT_EPOCHS, PILOT_SEED = 200, 120, 99
MOST_CYCLES = 10_000

BASE = {"plateau_mean": 71.9, "plateau_spread": 0.5, "noise": 0.15, "depth": 30, "relaxation_time": 3}
MIXTURES = {
    "goal near": (BASE, 72.0),
    "goal": (BASE, 72.5),
    "goal far": (BASE, 73.0),
    "spread 0.25": (BASE | {"plateau_spread": 0.25}, 72.3),
    "spread 1": (BASE | {"plateau_spread": 1.0}, 73.0),
    "noise 0.4": (BASE | {"plateau_spread": 0.3, "noise": 0.4}, 72.5),
    "all on one plateau": (BASE | {"plateau_spread": 0.0}, 72.2),
    "slow": (BASE | {"relaxation_time": 6}, 72.5),
    "shallow": (BASE | {"depth": 2}, 72.5),
}


DIFFUSIONS = {
    "double well": (DoubleWell(barrier=1.0, diffusion=0.3), 1.0),
    "Ornstein-Uhlenbeck": (OrnsteinUhlenbeck(target=2), 0.25),
}


def adaptive_times(policy: HazardPolicy, deal: Deal, runs: int, seed: int) -> np.ndarray:
    """First-passage times of ``runs`` runs, each cycle dealt anew."""
    rng = np.random.default_rng(seed)
    policy = replace(policy, longest=LONGEST)
    total = np.zeros(runs, dtype=np.int64)
    open_ = np.arange(runs)
    for cycle in range(MOST_CYCLES):
        if not open_.size:
            return total
        done = replay(policy, deal(open_.size, rng), cycle, total[open_])
        total[open_] += done.epochs
        open_ = open_[~done.reached]
    raise RuntimeError(f"{open_.size} runs have not arrived after {MOST_CYCLES} cycles")


def fixed_policy(threshold: float, period: int) -> HazardPolicy:
    """A policy that perturbs every ``period`` epochs: its hazard is always below 1 / <tau> = 1."""
    return HazardPolicy(
        threshold=threshold, tau=1, settle=period, laws=PlateauLaw(threshold, 1, 1), readings=1
    )


def deal_mixture(model: PlateauMixture) -> Deal:
    """Cycles of a mixture of plateaus, as in its module docstring, all at once."""

    def deal(runs: int, rng: np.random.Generator) -> np.ndarray:
        levels = model.plateau_mean + model.plateau_spread * rng.standard_normal((runs, 1))
        rise = model.recovery(0, np.arange(1, LONGEST + 1))
        return levels - rise + model.noise * rng.standard_normal((runs, LONGEST))

    return deal


def policies(pilot: Ensemble, threshold: float) -> dict[str, HazardPolicy]:
    """Policies with and without a pilot; the full reset's <tau> at twice the relaxation epoch, from the same runs."""
    guessed = HazardPolicy.from_pilot(pilot, None, threshold)
    period = 2 * guessed.settle[0]
    sample = pilot.first_passage(threshold, period)
    rate = np.mean(~sample.censored)
    tau = sample.times.mean() / max(rate, 0.5 / len(pilot))
    return {
        "pilot": replace(guessed, tau=(float(tau),)),
        "pilot, <tau> guessed": guessed,
        "no pilot": HazardPolicy(threshold=threshold),
        "no pilot, alpha 0.2": HazardPolicy(threshold=threshold, alpha=0.2),
    }


def show(name: str, times: np.ndarray, against: float, error: float = 0.0) -> None:
    """Print a row: the mean, its standard error, and the ratio to the best fixed period."""
    mean, stderr = times.mean(), times.std(ddof=1) / np.sqrt(times.size)
    ratio = mean / against
    both = ratio * np.hypot(stderr / mean, error / against)
    print(f"  {name:26s} {mean:8.2f} +- {stderr:.2f}   ratio {ratio:.3f} +- {both:.3f}", flush=True)


def mixture(name: str, settings: dict[str, float], threshold: float, runs: int) -> None:
    """Print one block: a mixture of plateaus, for which the fixed periods are exact."""
    model = PlateauMixture(**settings)
    deal = deal_mixture(model)
    exact = {}
    for period in [*range(4, 40), *range(40, 120, 4)]:
        try:
            exact[period] = model.mfpt(threshold, period)
        except ValueError:  # too short a period never arrives
            continue
    best = min(exact, key=lambda period: exact[period])
    pilot = model.simulate(PILOT_RUNS, PILOT_EPOCHS, seed=PILOT_SEED)
    made = policies(pilot, threshold)
    guessed = made["pilot, <tau> guessed"]
    law, settle = guessed.laws[0], guessed.settle[0]
    print(f"{name}: {settings}, goal {threshold:g}; best period {best}: {exact[best]:.2f} (exact)")
    check = adaptive_times(fixed_policy(threshold, best), deal, runs, 1)
    show(f"check: simulated period {best}", check, exact[best])
    for label, policy in made.items():
        show(label, adaptive_times(policy, deal, runs, 2), exact[best])
    if model.plateau_spread:
        args = threshold, model.plateau_mean, model.plateau_spread, model.noise, settle - 1
        ideal, step = best_tau(*args), best_tau(*args, one_step=True)
        print(
            f"  settled at once at epoch {settle}: optimum {ideal:.2f}, one-step rule {step:.2f} (both exact)"
        )
    print(f"  pilot {PILOT_RUNS} runs: settle {settle}, {law}, <tau> {made['pilot'].tau[0]:.1f}")


def diffusion(name: str, process: Any, unit: float, runs: int) -> None:
    """Print one block: a memoryless process, whose best fixed period is found by Monte Carlo."""
    threshold = process.threshold()
    pool = record(process, runs=5 * runs, epochs=LONGEST, seed=1, unit=unit)
    sample = pool.first_passage(threshold)
    alive = np.array([np.mean(sample.times > t) for t in range(LONGEST)])
    periods = np.arange(1, LONGEST)
    with np.errstate(divide="ignore"):
        means = np.cumsum(alive)[:-1] / (1 - alive[1:])
    best = int(periods[np.argmin(means)])
    error = means[best - 1] / np.sqrt(len(pool))
    pilot = record(process, runs=PILOT_RUNS, epochs=PILOT_EPOCHS, seed=2, unit=unit)
    print(f"{name}, epoch {unit:g}: best period {best}: {means[best - 1]:.2f} +- {error:.2f} (n {len(pool)}), "
          f"none {sample.times.mean():.2f}, {sample.n_censored} censored")  # fmt: skip

    def deal(count: int, rng: np.random.Generator) -> np.ndarray:
        return pool.values[rng.integers(len(pool), size=count)]

    for label, policy in policies(pilot, threshold).items():
        show(label, adaptive_times(policy, deal, runs, 2), means[best - 1], error)


def main(runs: int = 4_000, mixtures: Sequence[str] = tuple(MIXTURES)) -> None:
    """Print the table."""
    print(f"Toy models, full reset, mean first-passage time in epochs, {runs} runs under each policy")
    for name in mixtures:
        mixture(name, *MIXTURES[name], runs)
    for name, (process, unit) in DIFFUSIONS.items():
        diffusion(name, process, unit, runs)
