"""Full stochastic resetting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from training.perturbations.base import (
    BuffersAfter,
    OptimizerAfter,
    Perturbation,
    check_choice,
    finish,
)
from training.perturbations.state import NetworkState, Stacked


@dataclass(frozen=True, slots=True)
class StochasticReset(Perturbation):
    """Full stochastic resetting: every parameter becomes that of a fresh initialisation, or of a checkpoint.

    Attributes
    ----------
    checkpoint : str, optional
        File with a ``state_dict`` of the network, written by `torch.save`, to go back to. It is read with
        ``weights_only=True``, at each perturbation. Default: a fresh initialisation, another one each time.
    buffers : {"reset", "keep", "recalibrate"}
        What becomes of the running statistics of batch norm; "reset" takes those of the fresh network, or those
        in the checkpoint.
    optimizer : {"reset", "keep"}
        Start with a fresh optimizer, its momentum zero (default), or keep it.
    """

    name: ClassVar[str] = "stochastic_reset"
    checkpoint: str | None = None
    buffers: BuffersAfter = "reset"
    optimizer: OptimizerAfter = "reset"

    def __post_init__(self) -> None:
        check_choice("buffers", self.buffers, BuffersAfter)
        check_choice("optimizer", self.optimizer, OptimizerAfter)
        if self.buffers == "scale":
            raise ValueError('`buffers` "scale" belongs to shrink and perturb; a reset has "reset" instead')

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        parameters, buffers = state.fresh() if self.checkpoint is None else self._load(state)
        for name, value in state.parameters.items():
            value.copy_(parameters[name])
        finish(state, self.optimizer, self.buffers, buffers)

    def _load(self, state: NetworkState) -> tuple[Stacked, Stacked]:
        path = Path(str(self.checkpoint))
        if not path.is_file():
            raise FileNotFoundError(f"`checkpoint` {path} does not exist")
        try:
            stored = torch.load(path, map_location="cpu", weights_only=True)
        # torch raises its own and pickle's errors for what is no checkpoint, or one that would run code.
        except Exception as problem:
            raise ValueError(
                f"`checkpoint` {path} cannot be read as the state_dict of a network: {problem}"
            ) from problem
        if not isinstance(stored, dict):
            raise ValueError(f"`checkpoint` {path} must hold a state_dict, got a {type(stored).__name__}")
        for name, value in {**state.parameters, **state.buffers}.items():
            found = stored.get(name)
            if not isinstance(found, torch.Tensor) or found.shape != value.shape[1:]:
                what = "lacks it" if found is None else f"has {tuple(getattr(found, 'shape', ()))}"
                raise ValueError(
                    f"`checkpoint` {path} is of another network: {name!r} has shape {tuple(value.shape[1:])} here, "
                    f"the file {what}"
                )
        parts = (
            {name: stored[name].expand_as(value) for name, value in part.items()}
            for part in (state.parameters, state.buffers)
        )
        parameters, buffers = parts
        return parameters, buffers
