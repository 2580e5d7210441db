r"""What happens between two perturbations, from every state at once.

A `Step` over a time t (or a mixture of times) holds E = e^{At}, the probability to be absorbed on the way and
the mean time spent. E times a perturbation kernel is a discrete chain of cycles, solved in
`theory.numerical.cycles`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from theory.numerical.elimination import Array


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One stretch of unperturbed motion.

    Attributes
    ----------
    survive : (n, n) array
        Probability to be in state j at the end, not absorbed, from state i.
    absorbed : (n,) array
        Probability of absorption on the way. Kept apart from 1 - sum(survive), which would lose small ones.
    spent : (n,) array
        Mean time until absorption or the end.
    """

    survive: Array
    absorbed: Array
    spent: Array

    @property
    def alive(self) -> Array:
        """Probability to survive the step from each state, shape (n,)."""
        share: Array = self.survive.sum(axis=1)
        return share

    def normalised(self) -> Step:
        """The same with survive + absorbed = 1 in each row: rounding must not act like absorption."""
        total = self.survive.sum(axis=1) + self.absorbed
        return Step(self.survive / total[:, None], self.absorbed / total, self.spent)


class Propagator(Protocol):
    """Solves dp/dt = p A."""

    def evolve(self, start: Array, times: Array) -> Array:
        """Occupation ``start`` e^{At} at each time, shape (m, n)."""
        ...

    def backward(self, values: Array, times: Array) -> Array:
        """e^{At} ``values`` at each time, shape (m, n)."""
        ...

    def step(self, times: Array, weights: Array) -> Step:
        """Mixture of steps over ``times`` with ``weights`` that sum to 1."""
        ...


def mix(parts: Iterable[tuple[float, Step]]) -> Step:
    """Weighted mean of steps: the step over a random time."""
    survive, absorbed, spent = np.zeros((1, 1)), np.zeros(1), np.zeros(1)
    for weight, step in parts:
        survive = survive + weight * step.survive
        absorbed, spent = absorbed + weight * step.absorbed, spent + weight * step.spent
    return Step(survive, absorbed, spent)
