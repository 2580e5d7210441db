"""Full stochastic resetting."""

from __future__ import annotations

import os
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
from training.tensor_files import TensorFileError, load_tensors


@dataclass(frozen=True, slots=True)
class StochasticReset(Perturbation):
    """Full stochastic resetting: every parameter becomes that of a fresh initialisation, or of a checkpoint.

    Attributes
    ----------
    checkpoint : str, optional
        File with a ``state_dict`` of the network, written by `torch.save`, to go back to. It is read at each
        perturbation, and no code in it is run. Default: a fresh initialisation, another one each time.
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
        if self.checkpoint is not None:
            object.__setattr__(self, "checkpoint", os.fspath(self.checkpoint))
        check_choice("buffers", self.buffers, BuffersAfter)
        check_choice("optimizer", self.optimizer, OptimizerAfter)
        if self.buffers == "scale":
            raise ValueError('`buffers` "scale" belongs to shrink and perturb; a reset has "reset" instead')

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        parameters, buffers = state.fresh() if self.checkpoint is None else self._load(state)
        for name, value in state.parameters.items():
            value.copy_(parameters[name])
        finish(state, self.optimizer, self.buffers, buffers)

    @property
    def initialises(self) -> bool:
        """Whether it draws fresh initialisations of the network."""
        return self.checkpoint is None

    def _load(self, state: NetworkState) -> tuple[Stacked, Stacked]:
        path = Path(str(self.checkpoint))
        if not path.is_file():
            raise FileNotFoundError(f"`checkpoint` {path} does not exist")
        try:
            stored = load_tensors(path)
        except (TensorFileError, OSError) as problem:
            raise ValueError(
                f"`checkpoint` {path} cannot be read as the state_dict of a network, {problem}; "
                "write it by torch.save(network.state_dict(), path)"
            ) from problem
        if not isinstance(stored, dict):
            raise ValueError(f"`checkpoint` {path} must hold a state_dict, got a {type(stored).__name__}")
        asked = state.buffers if self.buffers == "reset" else {}
        for name, value in {**state.parameters, **asked}.items():
            found = stored.get(name)
            if not isinstance(found, torch.Tensor) or found.shape != value.shape[1:]:
                what = "lacks it" if found is None else f"has {tuple(getattr(found, 'shape', ()))}"
                raise ValueError(
                    f"`checkpoint` {path} is of another network: {name!r} has shape {tuple(value.shape[1:])} here, "
                    f"the file {what}; save the state_dict of the network itself, not of a wrapper around it"
                )
        return (
            {name: stored[name].expand_as(value) for name, value in state.parameters.items()},
            {name: stored[name].expand_as(value) for name, value in asked.items()},
        )
