"""Perturbations in any PyTorch training loop when the run's own metric calls for them."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from theory.adaptive import HazardPolicy, PlateauWatch
from training.distributed import of_first_process
from training.perturbations import Perturbation
from training.perturber import Perturber
from training.protocols import Never


class AdaptivePerturber:
    """Perturbs a network that sits on its plateau with little hope that its next epochs reach the goal.

    Call `step` with the metric once per epoch, last: train, evaluate, record, then perturb. When is the policy's
    matter (`theory.adaptive`), what and how that of `training.Perturber`, which does it: mixed precision,
    `torch.compile` and `DistributedDataParallel` as there. Under `DistributedDataParallel` every process calls
    `step`, and the metric of process 0 counts.

    Parameters
    ----------
    model, optimizer, perturbation
        As for `Perturber`.
    policy : theory.adaptive.HazardPolicy
        When. `HazardPolicy.from_pilot` makes one of runs that were trained before. `HazardPolicy(threshold=93)`
        needs nothing else, but takes long to be sure of a plateau: on the digits and the published traces about
        1.6 times as long as the best fixed period of at least the relaxation time.
    **needed
        ``seed``, ``factory``, ``scheduler`` and ``calibration``, as for `Perturber`.

    Raises
    ------
    ValueError
        If an argument is not what it should be.

    Examples
    --------
    A policy that knows the law of the plateaus, and one's own loop:

    >>> from torch import nn, optim
    >>> from theory.adaptive import HazardPolicy, PlateauLaw
    >>> from training import AdaptivePerturber
    >>> from training.perturbations import ShrinkPerturb
    >>> model = nn.Linear(3, 2)
    >>> policy = HazardPolicy(threshold=93, tau=20, settle=3, laws=PlateauLaw(92.4, 0.5, 0.1))
    >>> perturber = AdaptivePerturber(model, optim.SGD(model.parameters(), 0.1), ShrinkPerturb(0.4, 0.1), policy)
    >>> for accuracy in [80, 91, 92.3, 92.4, 92.4, 85, 92, 92.8, 93.1]:  # train, evaluate
    ...     if perturber.step(accuracy):
    ...         print(f"perturbed after epoch {perturber.epoch}")
    ...     if perturber.reached:
    ...         break
    perturbed after epoch 5
    >>> perturber.epoch, perturber.count
    (9, 1)
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        perturbation: Perturbation,
        policy: HazardPolicy,
        **needed: Any,
    ) -> None:
        self.watch = PlateauWatch(policy)
        self.perturber = Perturber(model, optimizer, perturbation, Never(), **needed)

    @property
    def epoch(self) -> int:
        """Epochs so far."""
        return self.watch.epoch

    @property
    def count(self) -> int:
        """Perturbations so far."""
        return self.perturber.count

    @property
    def reached(self) -> bool:
        """Whether the metric has reached the goal; the network is not perturbed any more then."""
        return self.watch.reached

    def step(self, metric: float) -> bool:
        """Count one more epoch with its metric, perturb if it is time, and return whether that was done.

        Raises
        ------
        ValueError
            If the metric is NaN or infinite. Nothing has been counted or perturbed then.
        """
        due = self.watch.update(of_first_process(self.perturber.model, float(metric)))
        self.perturber.step()
        if due:
            self.perturber.perturb()
        return due

    def perturb(self) -> None:
        """Perturb now, whatever the policy says; the run has to settle anew."""
        self.perturber.perturb()
        self.watch.perturbed()

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, for ``torch.load(weights_only=True)`` too."""
        return {"watch": self.watch.state_dict(), "perturber": self.perturber.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned, with the seed that is in it.

        Raises
        ------
        ValueError
            If it is of another policy, perturbation or kind of schedule; nothing is changed then.
        """
        if not isinstance(state, dict) or not {"watch", "perturber"} <= state.keys():
            raise ValueError("`state` must be what AdaptivePerturber.state_dict returned")
        before = copy.deepcopy(self.watch.state_dict())
        self.watch.load_state_dict(state["watch"])
        try:
            self.perturber.load_state_dict(state["perturber"])
        except ValueError:
            self.watch.load_state_dict(before)
            raise
