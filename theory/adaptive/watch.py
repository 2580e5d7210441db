"""One run under a policy, epoch by epoch, with a state of plain numbers."""

from __future__ import annotations

import math
from typing import Any

from theory.adaptive.policy import HazardPolicy
from theory.passages import reaches


class PlateauWatch:
    """Follows the metric of one run and says when to perturb it.

    Parameters
    ----------
    policy : HazardPolicy
        The rule.

    Attributes
    ----------
    epoch : int
        Epochs so far.
    cycle : int
        Perturbations so far.
    values : list of float
        The metric since the start or the last perturbation.
    reached : bool
        Whether the goal has been reached; from then on the answer is no.

    Examples
    --------
    >>> from theory.adaptive import PlateauLaw
    >>> watch = PlateauWatch(HazardPolicy(threshold=72, tau=10, settle=3, laws=PlateauLaw(71.5, 0.5, 0.15)))
    >>> [watch.update(value) for value in (60, 70, 71.6, 71.8, 71.7, 65)]
    [False, False, False, False, True, False]
    >>> watch.cycle, watch.values
    (1, [65.0])
    """

    def __init__(self, policy: HazardPolicy) -> None:
        if not isinstance(policy, HazardPolicy):
            raise ValueError(f"`policy` must be a theory.adaptive.HazardPolicy, got {policy!r}")
        self.policy = policy
        self.epoch = self.cycle = 0
        self.values: list[float] = []
        self.reached = False

    def update(self, metric: float) -> bool:
        """Take the metric of one more epoch; return whether to perturb now, and if so begin a new cycle.

        Raises
        ------
        ValueError
            If the metric is NaN or infinite; the state is then as before.
        """
        value = float(metric)
        if not math.isfinite(value):
            raise ValueError(
                f"`metric` must be finite, got {value} at epoch {self.epoch + 1}: the run has diverged. Nothing was "
                "counted or perturbed; stop it, go back to a checkpoint, or perturb by hand (stochastic resetting "
                "restores a diverged network, shrinking does not)"
            )
        self.epoch += 1
        self.values.append(value)
        policy = self.policy
        self.reached |= bool(reaches(value, policy.threshold, policy.direction))
        if self.reached:
            return False
        if not policy.perturbs([self.values], self.cycle, self.epoch - len(self.values))[0]:
            return False
        self.perturbed()
        return True

    def perturbed(self) -> None:
        """Begin a new cycle: the run has been perturbed, for whatever reason."""
        self.cycle += 1
        self.values = []

    def state_dict(self) -> dict[str, Any]:
        """Return policy and state as plain numbers, text, lists and dicts."""
        return {
            "policy": self.policy.settings(),
            "epoch": self.epoch,
            "cycle": self.cycle,
            "values": list(self.values),
            "reached": self.reached,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises
        ------
        ValueError
            If it is of another policy; nothing is changed then.
        """
        own = self.state_dict()
        missing = own.keys() - (state.keys() if isinstance(state, dict) else set())
        if missing:
            raise ValueError(
                f"`state` must be what state_dict returned, it lacks {', '.join(sorted(missing))}"
            )
        if state["policy"] != own["policy"]:
            raise ValueError(
                f"`state` was saved with the policy {state['policy']}, this one has {own['policy']}; "
                "build it with the same one, or start anew"
            )
        self.epoch, self.cycle, self.reached = state["epoch"], state["cycle"], state["reached"]
        self.values = list(state["values"])
