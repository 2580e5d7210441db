"""Size and power of the verdict on a quasi-steady state, on simulated traces whose laws are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from work import Workers

from theory import Ensemble, relaxation, test_stationarity

EPOCHS, SETTLED = 60, 12
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """Share of the studies in which something happened, beside what is promised of it."""

    name: str
    runs: int
    replicas: int
    share: float
    promised: str

    @property
    def error(self) -> float:
        """Standard error of the share."""
        return float(np.sqrt(max(self.share * (1 - self.share), 1 / self.replicas) / self.replicas))


def correlated(runs: int, memory: float, rng: np.random.Generator) -> Array:
    """Autoregression of unit variance, (runs, epochs)."""
    values = np.empty((runs, EPOCHS))
    values[:, 0] = rng.standard_normal(runs)
    for epoch in range(1, EPOCHS):
        kick = rng.standard_normal(runs)
        values[:, epoch] = memory * values[:, epoch - 1] + np.sqrt(1 - memory**2) * kick
    return values


def heterogeneous(runs: int, rng: np.random.Generator) -> Array:
    """Each run on a plateau of its own, with nine tenths of the variance."""
    return np.sqrt(0.9) * rng.standard_normal((runs, 1)) + np.sqrt(0.1) * correlated(runs, 0.5, rng)


def skewed(runs: int, rng: np.random.Generator) -> Array:
    """Plateaus of an exponential law, recorded to two digits, so that values tie."""
    return np.round(rng.exponential(1, (runs, 1)) + 0.3 * correlated(runs, 0.5, rng), 1)


def ending(runs: int, rng: np.random.Generator) -> Array:
    """As the heterogeneous ones, but a third of the runs end early."""
    values = heterogeneous(runs, rng)
    end = np.where(rng.random(runs) < 1 / 3, rng.integers(20, EPOCHS, runs), EPOCHS)
    return np.where(np.arange(EPOCHS) < end[:, None], values, np.nan)


KINDS: dict[str, Callable[[int, np.random.Generator], Array]] = {
    "independent epochs": lambda runs, rng: correlated(runs, 0.0, rng),
    "correlated in time (0.95 per epoch)": lambda runs, rng: correlated(runs, 0.95, rng),
    "a plateau of its own for each run": heterogeneous,
    "skewed plateaus, rounded": skewed,
    "plateaus, a third of the runs end early": ending,
}


def verdict_rows(workers: Workers, replicas: int) -> list[Share]:
    """All shares."""
    rows = []
    for kind in KINDS:
        for runs in (30, 100, 400):
            once = partial(_onset, kind, runs, 0.0)
            epochs = np.array(workers.replicas(f"verdict, {kind}, {runs} runs", once, replicas))
            late = float(np.mean(np.isfinite(epochs) & (epochs > SETTLED)))
            rows.append(
                Share(f"epoch found later than the law settles: {kind}", runs, replicas, late, "≤ 5 %")
            )
    for drift, promised in ((0.01, "tolerated"), (0.03, "power"), (0.1, "power")):
        for runs in (30, 100, 400):
            once = partial(_onset, "a plateau of its own for each run", runs, drift)
            epochs = np.array(workers.replicas(f"verdict, drift {drift}, {runs} runs", once, replicas))
            seen = float(np.mean(epochs > EPOCHS))
            name = f"no quasi-steady state found: drift of {drift:g} spreads an epoch"
            rows.append(Share(name, runs, replicas, seen, promised))
    for shift in (0.25, 0.5, 1.0):
        for runs in (30, 100, 400):
            once = partial(_rejected, runs, shift)
            seen = float(np.mean(workers.replicas(f"verdict, shift {shift}, {runs} runs", once, replicas)))
            promised = "≤ 5 %" if shift == 0.25 else "power"
            rows.append(Share(f"shift of {shift:g} spreads rejected", runs, replicas, seen, promised))
    for runs in (30, 100, 400):
        seen = float(
            np.mean(workers.replicas(f"stated shift, {runs} runs", partial(_stated, runs), replicas))
        )
        rows.append(Share("shift stated as detectable rejected", runs, replicas, seen, "80 %"))
    return rows


def _onset(kind: str, runs: int, drift: float, seed: int) -> float:
    """Relaxation epoch found where the law rises up to the settling epoch and then drifts; infinite if none is."""
    rng = np.random.default_rng([4, list(KINDS).index(kind), runs, int(1000 * drift), seed])
    rise = -4.0 * np.clip(1 - np.arange(1, EPOCHS + 1) / SETTLED, 0, None)
    values = KINDS[kind](runs, rng) + rise + drift * np.arange(EPOCHS)
    found = relaxation(Ensemble(values, np.arange(runs)), seed=seed)
    return float("inf") if found.relaxation_epoch is None else float(found.relaxation_epoch)


def _columns(runs: int, shift: float, seed: int) -> Array:
    rng = np.random.default_rng([5, runs, int(1000 * shift), seed])
    values = heterogeneous(runs, rng)[:, :5]
    values[:, 0] -= shift
    return values


def _rejected(runs: int, shift: float, seed: int) -> bool:
    found = test_stationarity(_columns(runs, shift, seed), tolerance=0.25, seed=seed)
    return found.p_value <= 0.05


def _stated(runs: int, seed: int) -> bool:
    """Whether the shift that one study states as detectable is seen in another one."""
    stated = test_stationarity(
        _columns(runs, 0.0, seed), tolerance=0.25, power=True, seed=seed
    ).detectable_shift
    other = _columns(runs, 0.0, seed + 1_000_000)
    other[:, 0] -= stated
    return test_stationarity(other, tolerance=0.25, seed=seed).p_value <= 0.05
