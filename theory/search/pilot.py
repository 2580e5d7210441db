"""The pilot: unperturbed runs, as many and as long as the question needs."""

from __future__ import annotations

import numpy as np

from theory.ensembles import Ensemble
from theory.relaxation import FACTOR, MIN_RUNS, MIN_WINDOW, relaxation
from theory.search.state import SearchState, Step
from theory.settling import correlation_time, settling_epoch

FEWEST = 6
"""Runs at first: enough to see the mean curve settle."""
FIRST = 0.05
"""Length at first, as a fraction of the horizon; at least 10 epochs."""
LONGER = 1.5
SETTLED = 0.05
"""Settled: all but this fraction of the rise of the mean is over."""
MEMORY = 5.0
"""Correlation times within a run after which it has forgotten its start."""


def run_pilot(state: SearchState) -> None:
    """Run the pilot: first until its mean curve settles, then, if the budget allows, until the verdict on a QSS.

    It sets ``settled``, the epoch from which a run is taken to be relaxed, ``qss``, and the pilot of the evidence.
    """
    budget = state.settings.pilot_budget
    pilot = _grow(state, FEWEST, first_length(state.environment.horizon), "to see how long the metric rises")
    settled = _settled(pilot)
    while settled is None and _affordable(state, len(pilot), _longer(state, pilot), budget):
        before = pilot.horizon
        pilot = _grow(state, len(pilot), _longer(state, pilot), "the mean of the metric still moves")
        if pilot.horizon == before:  # all runs have ended or diverged
            break
        settled = _settled(pilot)
    state.settled = pilot.horizon if settled is None else settled
    if settled is not None:
        _decide(state, pilot, budget)
        state.settled = max(state.settled, _memory(state.evidence.pilot or pilot, state.settled))


def _memory(pilot: Ensemble, settled: int) -> int:
    """Epochs that runs remember their start for, by the correlation of their fluctuations."""
    plateau = pilot.recorded[:, min(settled, pilot.horizon // 2) :]
    plateau = plateau[np.isfinite(plateau).all(axis=1)]
    return min(pilot.horizon, int(np.ceil(MEMORY * correlation_time(plateau)))) if len(plateau) else 1


def _decide(state: SearchState, pilot: Ensemble, budget: int) -> None:
    """Add runs and epochs until the verdict is there, or the next ones would cost too much."""
    runs = max(MIN_RUNS, len(pilot))
    epochs = max(
        pilot.horizon, min(state.environment.horizon, max(FACTOR * state.settled, state.settled + MIN_WINDOW))
    )
    why = "to decide whether there is a quasi-steady state"
    while _affordable(state, runs, epochs, budget):
        before = (len(pilot), pilot.horizon)
        pilot = _grow(state, runs, epochs, why)
        state.qss = verdict = relaxation(
            pilot, seed=state.settings.seed, onsets=_onsets(state.settled, pilot.horizon)
        )
        if verdict.verdict == "reached" and verdict.relaxation_epoch is not None:
            state.settled = max(state.settled, verdict.relaxation_epoch)
            return
        if verdict.verdict == "undecided":
            runs, why = int(np.ceil(runs * LONGER)), "more runs to see smaller shifts"
        else:
            epochs, why = _longer(state, pilot), "the law of the metric still changes"
        if (len(pilot), pilot.horizon) == before:
            return


def _onsets(settled: int, epochs: int) -> list[int]:
    """Epochs to test as the onset, a tenth apart: none long before the mean has settled."""
    first = max(1, min(settled // 2, epochs - MIN_WINDOW, epochs // 2))
    count = int(np.ceil(np.log(epochs / first) / np.log(1.1))) + 1
    return sorted({int(first * 1.1**k) for k in range(count)})


def _grow(state: SearchState, runs: int, epochs: int, why: str) -> Ensemble:
    known, before = state.evidence.pilot, state.spent
    had = 0 if known is None else len(known)
    pilot = state.environment.pilot(runs, epochs)
    state.evidence.pilot = pilot
    if state.spent > before:
        state.note(Step("pilot", None, None, len(pilot) - had, state.spent - before, why))
    return pilot


def first_length(horizon: int) -> int:
    """Length of the first runs of the pilot, epochs."""
    return min(horizon, max(10, int(np.ceil(FIRST * horizon))))


def _longer(state: SearchState, pilot: Ensemble) -> int:
    return min(state.environment.horizon, int(np.ceil(LONGER * pilot.horizon)))


def _affordable(state: SearchState, runs: int, epochs: int, budget: int) -> bool:
    pilot = state.evidence.pilot
    had = 0 if pilot is None else len(pilot) * pilot.horizon
    return 0 < runs * epochs - had <= state.left(budget)


def _settled(pilot: Ensemble) -> int | None:
    """Epoch from which the mean stays near that of the last quarter; None if it does not lie well before the end."""
    values = pilot.recorded
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) < 2:
        return None
    late = max(1, values.shape[1] // 4)
    epoch = settling_epoch(values, float(values[:, -late:].mean()), SETTLED)
    return epoch if epoch is not None and epoch <= 0.75 * pilot.horizon else None
