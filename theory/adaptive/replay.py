"""A policy along traces that are there already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.adaptive.policy import HazardPolicy
from theory.passages import reaches


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """What a policy did along traces.

    Attributes
    ----------
    epochs : (runs,) int array
        Epochs until the goal was reached, the run was perturbed, or its trace ended.
    reached, perturbed : (runs,) bool arrays
        Which of these it was; neither where the trace ended.
    """

    epochs: NDArray[np.int64]
    reached: NDArray[np.bool_]
    perturbed: NDArray[np.bool_]


def replay(policy: HazardPolicy, traces: Any, cycle: int = 0, spent: Any = 0) -> Stretches:
    """Run a policy along traces until each run reaches the goal or is perturbed.

    Parameters
    ----------
    policy : HazardPolicy
        The rule.
    traces : (runs, epochs) array
        The metric since the start (cycle 0) or since perturbation number ``cycle``; NaN from the end of a run on.
    cycle, spent
        As for `HazardPolicy.perturbs`.

    Examples
    --------
    >>> from theory.adaptive import PlateauLaw
    >>> policy = HazardPolicy(threshold=72, tau=10, settle=3, laws=PlateauLaw(71.5, 0.5, 0.15))
    >>> done = replay(policy, [[60, 70, 71.6, 71.8, 71.7, 71.6], [60, 70, 71.8, 71.9, 71.9, 72.1]])
    >>> done.epochs, done.reached
    (array([5, 6]), array([False,  True]))
    """
    traces = np.asarray(traces, dtype=float)
    runs, horizon = traces.shape
    spent = np.broadcast_to(spent, runs)
    epochs = np.full(runs, horizon, dtype=np.int64)
    reached, perturbed = np.zeros(runs, dtype=bool), np.zeros(runs, dtype=bool)
    open_ = np.arange(runs)
    for epoch in range(1, horizon + 1):
        value = traces[open_, epoch - 1]
        ended = ~np.isfinite(value)
        epochs[open_[ended]] = epoch - 1
        there = ~ended & reaches(value, policy.threshold, policy.direction)
        epochs[open_[there]], reached[open_[there]] = epoch, True
        open_ = open_[~ended & ~there]
        if not open_.size:
            break
        due = policy.perturbs(traces[open_, :epoch], cycle, spent[open_])
        epochs[open_[due]], perturbed[open_[due]] = epoch, True
        open_ = open_[~due]
    return Stretches(epochs, reached, perturbed)
