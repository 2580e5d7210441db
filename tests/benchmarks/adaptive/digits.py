"""Real networks: handwritten digits to 93 %, each run perturbed at epochs of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from theory import Ensemble, measure_response, restricted_mean
from theory.adaptive import HazardPolicy, PlateauWatch
from theory.passages import PassageSample
from training.blocks import BlockRun, make_block
from training.blocks.run import Stop
from training.digits import digits_task, train_digits
from training.perturbations import ShrinkPerturb
from training.protocols import Periodic

THRESHOLD, HORIZON, METRIC = 93.0, 160, "test_accuracy"
PILOT_SEED, PILOT_PERIOD = 10_000, 40


def fixed(seeds: Sequence[int], period: int) -> PassageSample:
    """First-passage times at a fixed period."""
    stop = Stop(METRIC, THRESHOLD, "at_least")
    run = BlockRun(digits_task().prepare(), seeds, HORIZON, ShrinkPerturb(), Periodic(period), stop)
    while not run.finished:
        run.step()
    return Ensemble(run.traces[METRIC], np.array(seeds)).first_passage(THRESHOLD, HORIZON)


def adaptive(seeds: Sequence[int], policy: HazardPolicy) -> tuple[PassageSample, float]:
    """First-passage times under a policy, and perturbations per run; streams of random numbers as in `fixed`."""
    block, perturbation = make_block(digits_task().prepare(), seeds), ShrinkPerturb()
    watches = [PlateauWatch(policy) for _ in seeds]
    running = list(range(len(seeds)))
    for _ in range(HORIZON):
        record = block.advance()[METRIC]
        due = [watches[run].update(value) for run, value in zip(running, record, strict=True)]
        rows = np.flatnonzero(due).tolist()
        if rows:
            block.perturb(perturbation, rows, [watches[running[row]].cycle for row in rows])
        going = [row for row, run in enumerate(running) if not watches[run].reached]
        if len(going) < len(running):
            running = [running[row] for row in going]
            block.keep(going)
        if not running:
            break
    times = np.array([watch.epoch for watch in watches], dtype=float)
    sample = PassageSample(times, np.array([not watch.reached for watch in watches]))
    return sample, float(np.mean([watch.cycle for watch in watches]))


def policies(runs: int) -> tuple[dict[str, HazardPolicy], int]:
    """Policies with and without a pilot, and the epochs that the pilot took."""
    seeds = range(PILOT_SEED, PILOT_SEED + runs)
    perturbed_seeds = range(PILOT_SEED + runs, PILOT_SEED + 2 * runs)
    free, kicked = (
        train_digits(seeds, 2 * PILOT_PERIOD + 20),
        train_digits(perturbed_seeds, 3 * PILOT_PERIOD, ShrinkPerturb(), PILOT_PERIOD),
    )
    unperturbed = Ensemble(free.metrics[METRIC], np.array(seeds), METRIC)
    perturbed = Ensemble(
        kicked.metrics[METRIC],
        np.array(perturbed_seeds),
        METRIC,
        perturbation="shrink_perturb",
        period=PILOT_PERIOD,
    )
    response = measure_response(unperturbed, perturbed, THRESHOLD, resamples=200)
    made = {
        "pilot": HazardPolicy.from_pilot(unperturbed, response, THRESHOLD, perturbed=perturbed),
        "pilot, <tau> guessed": HazardPolicy.from_pilot(unperturbed, None, THRESHOLD, perturbed=perturbed),
        "unperturbed pilot, <tau> guessed": HazardPolicy.from_pilot(unperturbed, None, THRESHOLD),
        "no pilot": HazardPolicy(threshold=THRESHOLD),
    }
    return made, free.metrics[METRIC].size + kicked.metrics[METRIC].size


def main(runs: int = 200, pilot_runs: int = 60, periods: Sequence[int] = (14, 18, 25, 30, 40)) -> None:
    """Print the table."""
    seeds = range(runs)
    print(
        f"Digits to {THRESHOLD:g} %, shrink and perturb, mean of min(T, {HORIZON}) +- standard error, {runs} runs"
    )
    for period in periods:
        _row(f"fixed period {period}", fixed(seeds, period))
    made, cost = policies(pilot_runs)
    for name, policy in made.items():
        started = time.perf_counter()
        sample, perturbations = adaptive(seeds, policy)
        seconds = time.perf_counter() - started
        _row(name, sample, f"{perturbations:5.2f} perturbations per run, {seconds:.0f} s")
        if policy.laws:
            print(f"    settle {policy.settle}, <tau> {np.round(policy.tau, 1)}, {policy.laws}")
    print(f"the pilot took {cost} epochs, {2 * pilot_runs} runs of other seeds", flush=True)


def _row(name: str, sample: PassageSample, more: str = "") -> None:
    mean = restricted_mean(sample, HORIZON)
    arrived = 100 * np.mean(~sample.censored)
    print(
        f"  {name:34s} {mean.value:6.1f} +- {mean.stderr:.1f}   {arrived:3.0f} % arrived   {more}", flush=True
    )
