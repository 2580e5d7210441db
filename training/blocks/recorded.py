"""What the runs of a block have recorded, as it goes into a runs file."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.blocks.run import BlockRun
from training.protocols import Periodic
from training.run_group import RunGroup
from training.treatment import Treatment


def group_of(run: BlockRun, treatment: Treatment | None) -> RunGroup:
    """Return what the runs of a block have recorded."""
    named: dict[str, Any] = {}
    if treatment is not None:
        protocol = treatment.protocol
        named = {"perturbation": treatment.name, "parameters": treatment.perturbation.settings()}
        if isinstance(protocol, Periodic):
            named |= {"period": protocol.period, "first": protocol.first}
        else:
            named |= {"protocol": {**protocol.settings(), "label": protocol.label}}
    return RunGroup(np.array(run.seeds), run.traces, run.prepared.directions, **named)
