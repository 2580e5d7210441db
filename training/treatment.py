"""A treatment: one perturbation under one protocol, and whom it is given to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.perturbations.base import Perturbation
from training.protocols import Never, Once, Periodic, Protocol
from training.run_group import check_name


@dataclass(frozen=True, slots=True)
class Treatment:
    """One perturbation under one protocol.

    Attributes
    ----------
    perturbation : Perturbation
        What is done; see `training.perturbations`.
    protocol : Protocol
        When; see `training.protocols`.
    name : str
        What the runs file calls the perturbation; its own name where empty. Two perturbations with different
        settings need different names.
    seeds : tuple of int, optional
        Seeds of these runs. Default: those of the unperturbed runs, whose history they share until the first
        perturbation, and which is then not trained again.
    """

    perturbation: Perturbation
    protocol: Protocol
    name: str = ""
    seeds: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.perturbation, Perturbation):
            raise ValueError(
                f"`perturbation` must be one of training.perturbations, got {self.perturbation!r}"
            )
        if not isinstance(self.protocol, Protocol) or isinstance(self.protocol, Never):
            raise ValueError(
                f"`protocol` must be one of training.protocols, such as Periodic(20), got {self.protocol!r}"
            )
        if not self.name:
            object.__setattr__(self, "name", self.perturbation.name)
        # What the runs file cannot hold would come to light after the training.
        check_name("name", self.name, "/:")
        check_name("protocol", self.protocol.label, "/:")
        if self.seeds is not None:
            object.__setattr__(self, "seeds", check_seeds(self.seeds))

    @property
    def group(self) -> str:
        """Name of the ensemble in the runs file."""
        return f"{self.name}:{self.protocol.label}"

    def check_length(self, epochs: int) -> None:
        """Raise where runs of so many epochs are over before the protocol perturbs them, whatever their seeds."""
        protocol = self.protocol
        first = protocol.interval(0, 1) if isinstance(protocol, Periodic | Once) else None
        if first is None or first < epochs:
            return
        way_out = "shorten the period" if isinstance(protocol, Periodic) else "perturb earlier"
        raise ValueError(
            f"`protocol` of {self.group} first perturbs at or after the last epoch, {epochs}; "
            f"{way_out} or train more epochs"
        )


def check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Return seeds as a tuple; they must be whole numbers, not negative, all different, at least one."""
    try:
        listed = list(seeds)
    except TypeError:
        raise ValueError(
            f"`seeds` must be a sequence of whole numbers, got {seeds!r}; range(200) gives 200 runs"
        ) from None
    bad = [
        seed
        for seed in listed
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63
    ]
    if bad or not listed:
        raise ValueError(
            f"`seeds` must be whole numbers of at least 0, at least one, got {bad[0] if bad else listed!r}; "
            "range(200) gives 200 runs"
        )
    if len(set(listed)) < len(listed):
        twice = next(seed for seed in listed if listed.count(seed) > 1)
        raise ValueError(
            f"`seeds` must differ from each other, {twice} occurs twice; such runs would be the same"
        )
    return tuple(int(seed) for seed in listed)
