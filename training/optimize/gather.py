"""The runs of a search as the groups of a runs file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from theory.search.evidence import padded, until_passage
from training.run_group import RunGroup
from training.study.work import merge


def search_groups(
    pilot: Sequence[RunGroup],
    branches: Sequence[RunGroup],
    fresh: Sequence[RunGroup],
    metric: str,
    goal: float,
) -> list[RunGroup]:
    """Unperturbed runs, then one group for each perturbation and period.

    Branches are of pilot runs that were alive at their period. So that their group is a fair sample, pilot runs that
    arrived before are added to it, as large a part of them as of those alive have branched.
    """
    unperturbed = together(pilot)
    found: dict[str, list[RunGroup]] = {}
    for group in branches:
        found.setdefault(group.name, []).append(group)
    for name, parts in found.items():
        found[name] = [together(parts), *_arrived_before(unperturbed, together(parts), metric, goal)]
    for group in fresh:
        found.setdefault(group.name, []).append(group)
    return [unperturbed, *(together(parts) for parts in found.values())]


def together(groups: Sequence[RunGroup]) -> RunGroup:
    """All runs of groups of one name, padded with NaN to the longest."""
    longest = max(values.shape[1] for group in groups for values in group.metrics.values())
    return merge([_longer(group, longest) for group in groups])


def _longer(group: RunGroup, epochs: int) -> RunGroup:
    return replace(group, metrics={name: padded(values, epochs) for name, values in group.metrics.items()})


def _arrived_before(pilot: RunGroup, branched: RunGroup, metric: str, goal: float) -> list[RunGroup]:
    """Pilot runs that belong to a perturbed group because they arrived before the first perturbation."""
    period = int(branched.period or 0)
    times = pilot.ensemble(metric).first_passage(goal).times
    rows = np.flatnonzero(times <= period)
    alive = times.size - rows.size
    rows = rows[: int(np.rint(rows.size * len(branched.seeds) / max(1, alive)))]
    if not rows.size:
        return []
    metrics = {name: until_passage(values[rows], times[rows]) for name, values in pilot.metrics.items()}
    return [replace(branched, seeds=pilot.seeds[rows], metrics=metrics)]
