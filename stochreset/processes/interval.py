"""Diffusion between a reflecting wall and the target."""

from __future__ import annotations

import math
from typing import NamedTuple

from stochreset.kernels.compiling import inlined
from stochreset.kernels.diffusions import register_diffusion
from stochreset.processes.base import Diffusion
from theory import closed_forms


class Walled(NamedTuple):
    """dx = sqrt(2 diffusion) dW, reflected at ``wall`` and absorbed at ``target``."""

    wall: float
    diffusion: float
    start: float
    target: float
    sign: float


@inlined
def _drift(process, x, aux):
    return 0.0


@inlined
def _fold(process, x):
    return process.wall + process.sign * abs(x - process.wall)


register_diffusion(Walled, _drift, fold=_fold)


class Interval(Diffusion, closed_forms.Interval):
    """Diffusion from ``start`` to ``target`` with a reflecting wall behind.

    Parameters and exact answers are those of `theory.closed_forms.Interval`.
    """

    __slots__ = ()

    def parameters(self) -> Walled:
        """Return the parameters for the stepping kernels."""
        sign = math.copysign(1.0, self.target - self.wall)
        return Walled(float(self.wall), float(self.diffusion), float(self.start), float(self.target), sign)

    def time_scale(self) -> float:
        """Time to diffuse from the wall to the target."""
        return (self.target - self.wall) ** 2 / (2 * self.diffusion)
