"""When to perturb a run, decided from its own metric instead of at a fixed period.

`HazardPolicy` holds the rule: perturb a run that sits on its plateau once the probability that its next epoch
reaches the threshold, given its own values there, is below ``1 / <tau>``. `HazardPolicy.from_pilot` makes one of runs
that were trained before; without them the plateau is recognised by a sequential test on the run itself
(`theory.adaptive.trend`). `PlateauWatch` follows one run, epoch by epoch; `replay` runs the rule along traces that
are there already. `training.AdaptivePerturber` does it in a training loop.

It never perturbs before a run has settled, so its cycles are at least as long as the relaxation: where the goal takes
many cycles that each draw a new plateau it gains most (up to a factor of 2), where completion takes one or two it
is as fast as the best such period, and where the best period lies below the relaxation time, that period is faster.
Measured in tests/benchmarks/adaptive.py.
"""

from theory.adaptive.levels import PlateauLaw, estimate_law, next_epoch_hazard
from theory.adaptive.policy import HazardPolicy
from theory.adaptive.replay import Stretches, replay
from theory.adaptive.trend import check_epochs, settled_since
from theory.adaptive.watch import PlateauWatch

__all__ = [
    "HazardPolicy",
    "PlateauLaw",
    "PlateauWatch",
    "Stretches",
    "check_epochs",
    "estimate_law",
    "next_epoch_hazard",
    "replay",
    "settled_since",
]
