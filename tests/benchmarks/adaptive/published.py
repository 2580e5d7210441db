"""The published traces (arXiv:2502.04121) under the policy: unperturbed runs, then dealt cycles of perturbed ones.

Half of the runs, unperturbed and perturbed at P*, make the pilot; the policy is run on the other half. An unperturbed
run is followed until it arrives or the policy perturbs it. It goes on along a run that was perturbed at P* for as
often and was alive then: one of the 15 whose distance from the median run before that perturbation (mean of 3 epochs)
is nearest to its own, for plateaus before and after a perturbation are correlated (0.4 to 0.6 here). If the policy has
not perturbed after P* epochs, the record has: the run goes on along the same record, into its next cycle.

Assumed: the quasi-steady state, in which a perturbation at any epoch acts on the same ensemble given the plateau, and
that cycles later than those recorded are like the last ones. What the data do not allow: waits of more than P* epochs
after a perturbation, and cycles shorter than the relaxation. Standard errors: bootstrap over the runs that are
dealt, with the pilot fixed.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

import numpy as np

from theory import Ensemble, Study, measure_response, relaxation
from theory.adaptive import HazardPolicy, PlateauLaw, replay
from training import import_published, read_study

NEIGHBOURS, BEFORE, MOST_CYCLES = 15, 3, 60
ARCHIVE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "published-traces.tar.xz"


def part(ensemble: Ensemble, half: int) -> Ensemble:
    """Every other run."""
    return Ensemble(
        ensemble.values[half::2], ensemble.seeds[half::2], ensemble.metric, ensemble.direction,
        ensemble.perturbation, ensemble.period,
    )  # fmt: skip


class Donors:
    """Cycles after perturbation 1, 2, ... of runs at P*, with the plateau before each and whether the run was alive."""

    def __init__(self, values: np.ndarray, period: int, threshold: float) -> None:
        self.values, self.period = values, period
        self.cycles = values.shape[1] // period - 1
        starts = period * np.arange(1, self.cycles + 1)
        self.centred = centred(values)
        self.before = np.stack(
            [self.centred[:, start - BEFORE : start].mean(axis=1) for start in starts], axis=1
        )
        best = np.maximum.accumulate(values, axis=1)
        self.alive = np.stack([best[:, start - 1] < threshold for start in starts], axis=1)

    def deal(self, cycle: int, plateaus: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """A run for each plateau, alive at perturbation ``cycle`` or the last that is recorded often enough."""
        while True:
            n = min(cycle, self.cycles) - 1
            alive = np.flatnonzero(self.alive[:, n])
            if alive.size >= NEIGHBOURS or n == 0:
                break
            cycle = n
        distance = np.abs(self.before[alive, n] - plateaus[:, None])
        near = min(NEIGHBOURS, alive.size) - 1
        nearest = np.argpartition(distance, near, axis=1)[:, : near + 1]
        return alive[nearest[np.arange(len(plateaus)), rng.integers(near + 1, size=len(plateaus))]], n


def passages(
    policy: HazardPolicy, unperturbed: np.ndarray, donors: Donors, rng: np.random.Generator
) -> np.ndarray:
    """First-passage times, one for each unperturbed run; NaN where its trace ends before either."""
    done = replay(policy, unperturbed)
    total = done.epochs.astype(float)
    total[~done.reached & ~done.perturbed] = np.nan
    open_ = np.flatnonzero(done.perturbed)
    plateaus = _means(centred(unperturbed)[open_], done.epochs[open_])
    dealt, at = np.full(open_.size, -1), np.zeros(open_.size, dtype=int)
    for cycle in range(1, MOST_CYCLES):
        if not open_.size:
            return total
        anew = dealt < 0
        if anew.any():
            dealt[anew], at[anew] = donors.deal(cycle, plateaus[anew], rng)
        starts = donors.period * (at + 1)
        cells = dealt[:, None], starts[:, None] + np.arange(donors.period)
        traces = donors.values[cells]
        done = replay(policy, traces, cycle, total[open_])
        total[open_] += done.epochs
        left = ~done.reached
        cut = ~done.perturbed & (at + 1 < donors.cycles)
        plateaus = _means(donors.centred[cells], done.epochs)[left]
        dealt, at = np.where(cut, dealt, -1)[left], (at + 1)[left]
        open_ = open_[left]
    total[open_] = np.nan
    return total


def centred(values: np.ndarray) -> np.ndarray:
    """Each run's distance from the median run of the same epoch: what it is ahead, on the plateau or on the way."""
    return values - np.median(values, axis=0)


def _means(traces: np.ndarray, epochs: np.ndarray) -> np.ndarray:
    """Mean of the last epochs before each run's perturbation."""
    columns = np.maximum(epochs[:, None] - 1 - np.arange(BEFORE), 0)
    return np.take_along_axis(traces, columns, axis=1).mean(axis=1)


def measured(
    policy: HazardPolicy, unperturbed: Ensemble, donors: Ensemble, resamples: int
) -> tuple[float, float, int]:
    """Mean first-passage time under a policy, its standard error, and runs whose trace did not suffice."""
    rng = np.random.default_rng(1)
    times = np.concatenate(
        [passages(policy, unperturbed.values, Donors(donors.values, int(donors.period or 0), policy.threshold), rng)
         for _ in range(5)]
    )  # fmt: skip
    means = []
    for _ in range(resamples):
        free = unperturbed.values[rng.integers(len(unperturbed), size=len(unperturbed))]
        kicked = donors.values[rng.integers(len(donors), size=len(donors))]
        drawn = Donors(kicked, int(donors.period or 0), policy.threshold)
        means.append(np.nanmean(passages(policy, free, drawn, rng)))
    return float(np.nanmean(times)), float(np.std(means, ddof=1)), int(np.isnan(times).sum())


def every(threshold: float, period: int) -> HazardPolicy:
    """A policy that perturbs every ``period`` epochs: its hazard is always below 1 / <tau> = 1."""
    return HazardPolicy(threshold=threshold, tau=1, settle=period, laws=PlateauLaw(0, 1, 1), readings=1)


def compare(study: Study, perturbation: str, period: int, threshold: float, resamples: int) -> None:
    """Print one block of the table."""
    free, kicked = study.unperturbed, study.ensemble(perturbation, period)
    pilot, kicked_pilot = part(free, 0), part(kicked, 0)
    rest, kicked_rest = part(free, 1), part(kicked, 1)
    response = measure_response(pilot, kicked_pilot, threshold, resamples=20)
    settled = relaxation(pilot).relaxation_epoch or 0
    fixed = {
        p: study.ensemble(perturbation, p).first_passage(threshold).times
        for p in study.periods(perturbation)
        if not study.ensemble(perturbation, p).first_passage(threshold).n_censored
    }
    best_all = min(fixed, key=lambda p: fixed[p].mean())
    best_settled = min((p for p in fixed if p >= settled), key=lambda p: fixed[p].mean())
    print(f"{perturbation}, {threshold:g} %, cycles from P* = {period}, pilot {len(pilot)} + {len(kicked_pilot)} runs, "
          f"dealt {len(rest)} + {len(kicked_rest)}")  # fmt: skip
    for name, p in (("best period", best_all), ("best at or above relaxation", best_settled)):
        error = fixed[p].std(ddof=1) / np.sqrt(fixed[p].size)
        print(f"  {name + f' ({p})':38s} {fixed[p].mean():6.2f} +- {error:.2f}  n {fixed[p].size}")
    try:
        made = HazardPolicy.from_pilot(pilot, response, threshold, perturbed=kicked_pilot)
    except ValueError as error:
        print(f"  no policy: {error}", flush=True)
        return
    policies = {
        f"check: replayed at period {period}": every(threshold, period),
        f"check: replayed at period {best_settled}": every(threshold, best_settled),
        f"replayed at relaxation ({made.settle[0]})": every(threshold, made.settle[0]),
        "pilot": made,
        "pilot, <tau> guessed": HazardPolicy.from_pilot(pilot, None, threshold, perturbed=kicked_pilot),
        "no pilot": HazardPolicy(threshold=threshold),
    }
    for name, policy in policies.items():
        mean, error, missing = measured(policy, rest, kicked_rest, resamples)
        against = fixed[best_settled].mean()
        ratio = mean / against
        ratio_error = ratio * np.hypot(
            error / mean, fixed[best_settled].std() / against / np.sqrt(fixed[best_settled].size)
        )
        more = f"  {missing} of {5 * len(rest)} unfinished" if missing else ""
        print(f"  {name:38s} {mean:6.2f} +- {error:.2f}  ratio {ratio:.3f} +- {ratio_error:.3f}{more}")
    own = fixed[period] if period in fixed else np.array([np.nan])
    print(f"  measured at period {period}: {own.mean():.2f} +- {own.std() / np.sqrt(own.size):.2f};  "
          f"settle {made.settle}, <tau> {np.round(made.tau, 1)}", flush=True)  # fmt: skip


def main(resamples: int = 15, thresholds: tuple[float, ...] = (72, 73, 74, 75)) -> None:
    """Print the table."""
    if not ARCHIVE.is_file():
        print(f"skipped: the published traces are not at {ARCHIVE}")
        return
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(Path(folder) / "published", filter="data")
        runs = import_published(Path(folder) / "published", Path(folder) / "published.h5").path
        study = read_study(runs)
    for perturbation in study.perturbations:
        for period in (20, 50):
            for threshold in thresholds:
                compare(study, perturbation, period, threshold, resamples)
