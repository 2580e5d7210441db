"""Several perturbations at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from training.perturbations.base import Perturbation
from training.perturbations.state import NetworkState


@dataclass(frozen=True, slots=True)
class Composed(Perturbation):
    """Perturbations applied one after the other, at the same moment; each draws random numbers of its own.

    Should one of them fail, the network is as it was before the first; an optimizer or a learning-rate schedule
    that a part before has reset stays so.

    Attributes
    ----------
    parts : tuple of Perturbation
        At least one; the first acts first.

    Examples
    --------
    >>> from training.perturbations import ShrinkPerturb, WarmRestart
    >>> Composed((ShrinkPerturb(0.4, 0.1), WarmRestart())).name
    'shrink_perturb+warm_restart'
    """

    parts: tuple[Perturbation, ...]

    def __post_init__(self) -> None:
        if isinstance(self.parts, Iterable):
            object.__setattr__(self, "parts", tuple(self.parts))
        parts = self.parts if isinstance(self.parts, tuple) else ()
        if not parts or not all(isinstance(part, Perturbation) for part in parts):
            raise ValueError(
                f"`parts` must be perturbations, at least one, got {self.parts!r}; "
                "give a tuple, such as (ShrinkPerturb(), WarmRestart())"
            )

    @property
    def name(self) -> str:  # type: ignore[override]
        """Names of the parts, joined by a plus."""
        return "+".join(part.name for part in self.parts)

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        self.check(state)
        values = [*state.parameters.values(), *state.buffers.values()]
        before = [value.clone() for value in values]
        try:
            for part in self.parts:
                part.apply(state)
        except BaseException:
            for value, old in zip(values, before, strict=True):
                value.copy_(old)
            raise

    @property
    def initialises(self) -> bool:
        """Whether one of the parts does."""
        return any(part.initialises for part in self.parts)

    @property
    def restarts(self) -> bool:
        """Whether one of the parts does."""
        return any(part.restarts for part in self.parts)

    @property
    def recalibrates(self) -> bool:
        """Whether one of the parts does."""
        return any(part.recalibrates for part in self.parts)

    @property
    def resets_optimizer(self) -> bool:
        """Whether one of the parts does."""
        return any(part.resets_optimizer for part in self.parts)

    def check(self, state: NetworkState) -> None:
        """Raise ValueError where one of the parts cannot be done to ``state``."""
        for part in self.parts:
            part.check(state)

    def settings(self) -> dict[str, Any]:
        """Return kind and the settings of the parts, ready for JSON."""
        return {"kind": "composed", "parts": [part.settings() for part in self.parts]}
