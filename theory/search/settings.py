"""What a search is asked for, and what it may spend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """Settings of a search.

    Attributes
    ----------
    thresholds : tuple of float
        Values of the metric to reach, each with an answer of its own.
    budget : int
        Epochs to spend at most, in all. The run under way when it is used up is still finished.
    confirm_share : float
        Part of the budget that is kept for the confirmation; 0 leaves it out.
    pilot_share : float
        Part of the rest that the pilot may take.
    batch : int
        Runs of one measurement: with 1 the search costs the fewest epochs, with more it needs fewer rounds.
    precision : float
        The confirmation aims at a speed-up that is known within this factor above and below (0.1: 10 %), 95 %.
    gain : float
        A measurement must promise to shorten the mean time by this fraction, else the search ends.
    seed : int
        Of everything random in the search itself.
    """

    thresholds: tuple[float, ...]
    budget: int
    confirm_share: float = 0.5
    pilot_share: float = 0.4
    batch: int = 1
    precision: float = 0.1
    gain: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.thresholds, Iterable) or isinstance(self.thresholds, str):
            raise TypeError(
                f"`thresholds` must be a sequence of numbers, got {self.thresholds!r}; put it in brackets"
            )
        thresholds = tuple(float(value) for value in self.thresholds)
        object.__setattr__(self, "thresholds", thresholds)
        if not thresholds or not np.isfinite(thresholds).all() or len(set(thresholds)) < len(thresholds):
            raise ValueError(
                f"`thresholds` must be finite numbers, all different, at least one, got {list(thresholds)}"
            )
        for name, least in (("budget", 1), ("batch", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"`{name}` must be a whole number of at least {least}, got {value!r}")
        for name, low, high in (
            ("confirm_share", 0.0, 0.95),
            ("pilot_share", 0.05, 0.95),
            ("precision", 1e-3, 1.0),
            ("gain", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"`{name}` must lie between {low:g} and {high:g}, got {value}")

    @property
    def search_budget(self) -> int:
        """Epochs for the search without its confirmation."""
        return int(self.budget * (1 - self.confirm_share))

    @property
    def pilot_budget(self) -> int:
        """Epochs for the pilot."""
        return int(self.search_budget * self.pilot_share)
