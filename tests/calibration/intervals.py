"""Coverage of every 95 % interval that the package prints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import renewal
from renewal import HORIZON, PERIOD, THRESHOLD
from work import Workers

from stochreset import simulate
from stochreset.processes import Brownian
from theory import (
    PassageSample,
    Study,
    kaplan_meier,
    linear_response,
    mean_passage_time,
    measure_response,
    moments,
    predict,
    restricted_mean,
)
from theory.confirmation import confirm
from theory.optimum import best_period
from theory.search.confirming import speed_up

SIZES = ((30, 20), (100, 50), (300, 150))
"""Unperturbed and perturbed runs."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of the intervals that hold the truth, and of those that lie wholly below and above it."""

    name: str
    runs: str
    replicas: int
    covered: float
    below: float
    above: float

    @property
    def error(self) -> float:
        """Standard error of the share, at its nominal value."""
        return float(np.sqrt(0.95 * 0.05 / self.replicas))


def interval_rows(workers: Workers, replicas: int) -> list[Coverage]:
    """All intervals, at three sizes of the study."""
    rows: list[Coverage] = []
    for free, kicked in SIZES:
        found = workers.replicas(
            f"intervals, {free} + {kicked} runs", partial(_study, free, kicked), replicas
        )
        rows += _rows(found, f"{free} + {kicked}")
    for size in (20, 100, 1000):
        found = workers.replicas(f"intervals, {size} runs", partial(_sample, size), replicas)
        rows += _rows(found, str(size))
    for size in (8, 16, 64):
        found = workers.replicas(
            f"confirmation of a search, {size} + {size} runs", partial(_fresh, size), replicas
        )
        rows += _rows(found, f"{size} + {size}")
    return sorted(rows, key=lambda row: list(dict.fromkeys(r.name for r in rows)).index(row.name))


def _rows(found: list[dict[str, tuple[float, float, float]]], runs: str) -> list[Coverage]:
    rows = []
    for name in dict.fromkeys(name for each in found for name in each):
        low, high, truth = np.array([each[name] for each in found if name in each]).T
        known = np.isfinite(low) & np.isfinite(high)
        low, high, truth = low[known], high[known], truth[known]
        inside = float(np.mean((low <= truth) & (truth <= high)))
        rows.append(
            Coverage(
                name, runs, truth.size, inside, float(np.mean(high < truth)), float(np.mean(low > truth))
            )
        )
    return rows


def _study(free_runs: int, kicked_runs: int, seed: int) -> dict[str, tuple[float, float, float]]:
    """Intervals of one study of the renewal toy, each with the truth."""
    rng = np.random.default_rng([1, free_runs, seed])
    free = renewal.ensemble(free_runs, None, rng)
    kicked, other = (renewal.ensemble(kicked_runs, period, rng, 10_000) for period in (PERIOD, 12))
    response = measure_response(free, kicked, THRESHOLD, resamples=500, seed=seed)
    arrival = free.first_passage(THRESHOLD)
    found: dict[str, tuple[Any, float]] = {
        "mean residual time, direct": (response.tau_estimate, renewal.exact_tau(PERIOD)),
        "mean residual time, inverted": (response.inverted_tau, renewal.exact_tau(PERIOD)),
        "measured mean at a period": (mean_passage_time(kicked.first_passage(1)), renewal.exact_mean(PERIOD)),
        "restricted mean, censored at the horizon": (
            restricted_mean(arrival, 200),
            renewal.exact_restricted(None, 200),
        ),
        "restricted mean, runs lost at random": (
            restricted_mean(_left_early(arrival, rng), 40),
            renewal.exact_restricted(None, 40),
        ),
    }
    points = predict(response, [10, 15, PERIOD, 30], renewal.limits(), model="cycles")
    for point in points[:3]:
        found[f"prediction at {point.period} from {PERIOD}, cycles"] = point, renewal.exact_mean(point.period)
    (constant,) = predict(response, [PERIOD], renewal.limits(), model="constant")
    found[f"prediction at {PERIOD}, constant response"] = constant, renewal.exact_mean(PERIOD)
    best = best_period(response, renewal.limits(), horizon=HORIZON)
    ratio = renewal.exact_restricted(None, HORIZON) / renewal.exact_restricted(
        best.prediction.period, HORIZON
    )
    found["speed-up at the period found best"] = best.speedup, ratio
    found["mean up to the horizon at the period found best"] = (
        best.restricted,
        renewal.exact_restricted(best.prediction.period, HORIZON),
    )
    checked = confirm(Study(free, (kicked, other)), "kick", 12, THRESHOLD, HORIZON, best.restricted)
    assert checked is not None
    truth = renewal.exact_restricted(None, HORIZON) / renewal.exact_restricted(12, HORIZON)
    found["speed-up measured at another period"] = checked.speedup, truth
    result = {name: (each.low, each.high, true) for name, (each, true) in found.items()}
    optimum = min(range(9, 60), key=lambda period: renewal.exact_restricted(period, HORIZON))
    result["best period"] = (best.period_low, best.period_high, optimum)
    low, high = kaplan_meier(arrival).confidence_interval(50)
    result["survival at one time"] = (float(low), float(high), float(renewal.survival(renewal.FREE)[50]))
    return result


def _left_early(arrival: PassageSample, rng: np.random.Generator) -> PassageSample:
    """The same runs, each watched only up to a random epoch from 30 to 300."""
    watched = rng.integers(30, 300, len(arrival)).astype(float)
    watched[0] = 300
    return PassageSample(np.minimum(arrival.times, watched), arrival.censored | (watched < arrival.times))


def _sample(runs: int, seed: int) -> dict[str, tuple[float, float, float]]:
    """Intervals from one complete sample: a gamma law of shape 2 and mean 1, and a simulated one."""
    times = np.random.default_rng([2, runs, seed]).gamma(2, 0.5, runs)
    sample = PassageSample(times, np.zeros(runs, dtype=bool))
    known, linear = moments(sample), linear_response(sample)
    brownian = simulate(
        Brownian(drift=1.0, diffusion=0.5, start=0.0, target=1.0), runs=runs, seed=seed, threads=1
    )
    found = {
        "mean of a complete sample": (known.mean, 1.0),
        "second moment": (known.second, 1.5),
        "coefficient of variation": (known.cv, np.sqrt(0.5)),
        "critical residual time of linear response": (linear.critical_tau, 0.75),
        "slope of linear response": (linear.slope, 0.25),
        "`stochreset simulate`, mean": (mean_passage_time(brownian), 1.0),
    }
    return {name: (each.low, each.high, float(true)) for name, (each, true) in found.items()}


def _fresh(runs: int, seed: int) -> dict[str, tuple[float, float, float]]:
    """Speed-up by fresh runs of the renewal toy, as a search confirms it, with few and with many censored."""
    rng = np.random.default_rng([3, runs, seed])
    found = {}
    for horizon, name in ((HORIZON, "few"), (60, "half"), (15, "most")):
        kicked, free = (
            renewal.ensemble(runs, period, rng).first_passage(THRESHOLD, horizon) for period in (12, None)
        )
        ratio = renewal.exact_restricted(None, horizon) / renewal.exact_restricted(12, horizon)
        answer = speed_up(kicked, free, horizon).speedup
        found[f"speed-up confirmed by a search, {name} of the unperturbed runs censored"] = (
            answer.low,
            answer.high,
            ratio,
        )
    return found
