"""Warm restart of the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from training.perturbations.base import OptimizerAfter, Perturbation, check_choice, finish
from training.perturbations.state import NetworkState


@dataclass(frozen=True, slots=True)
class WarmRestart(Perturbation):
    """Warm restart: the learning-rate schedule goes back to its start, the weights stay (arXiv:1608.03983).

    Attributes
    ----------
    optimizer : {"keep", "reset"}
        Keep the optimizer's momenta (default), or start afresh.
    """

    name: ClassVar[str] = "warm_restart"
    optimizer: OptimizerAfter = "keep"

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, OptimizerAfter)

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        state.restart_schedule()
        finish(state, self.optimizer)

    @property
    def restarts(self) -> bool:
        """Whether it sets the learning-rate schedule back to its start."""
        return True
