"""Several perturbations at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training.perturbations.base import Perturbation
from training.perturbations.state import NetworkState


@dataclass(frozen=True, slots=True)
class Composed(Perturbation):
    """Perturbations applied one after the other, at the same moment.

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
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts or not all(isinstance(part, Perturbation) for part in self.parts):
            raise ValueError(f"`parts` must be perturbations, at least one, got {self.parts!r}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """Names of the parts, joined by a plus."""
        return "+".join(part.name for part in self.parts)

    def apply(self, state: NetworkState) -> None:
        """Change ``state`` in place."""
        for part in self.parts:
            part.apply(state)

    def settings(self) -> dict[str, Any]:
        """Return kind and the settings of the parts, ready for JSON."""
        return {"kind": "composed", "parts": [part.settings() for part in self.parts]}
