"""What a perturbation does to the position, as plain data: one kernel serves all perturbations.

x -> scale * x + shift + noise * xi, with xi standard normal, covers reset to a point, partial reset, shrink
and perturb, and kicks. A reset to any other law is a table of its quantiles at the normal scores z: x =
Q(Phi(z)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.clocks import NO_TABLE, interpolate
from stochreset.kernels.compiling import inlined
from stochreset.kernels.dispatch import begin, renew
from stochreset.kernels.normals import normal

STAY, RESTART, AFFINE, TABLE, SWITCH = range(5)
FARTHEST = 8.2
"""A table reaches from z = -8.2 to 8.2, beyond which a normal number lies with probability 2e-16."""


class Move(NamedTuple):
    """What happens to x: nothing, a new start, an affine map, or a draw; or the potential is switched."""

    kind: int
    scale: float = 1.0
    shift: float = 0.0
    noise: float = 0.0
    table: NDArray[np.float64] = NO_TABLE  # quantiles on a uniform grid of z from -FARTHEST to FARTHEST

    @property
    def forgets(self) -> bool:
        """Whether the new state does not depend on the old one."""
        return self.kind in (RESTART, TABLE) or (self.kind == AFFINE and self.scale == 0)

    @property
    def confines(self) -> bool:
        """Whether it keeps a process that would otherwise spread for ever: resets do, and shrinking."""
        return self.kind in (RESTART, TABLE) or (self.kind == AFFINE and abs(self.scale) < 1)


@inlined
def perturb(process, move, x, aux, stream):
    """State after a perturbation."""
    if move.kind == RESTART:
        return begin(process, stream)
    if move.kind == SWITCH:
        return x, 1.0
    z = normal(stream) if move.kind == TABLE or move.noise != 0.0 else 0.0
    if move.kind == AFFINE:
        x = move.scale * x + (move.shift + move.noise * z)
    elif move.kind == TABLE:
        x = interpolate(move.table, -FARTHEST, FARTHEST, z)
    return renew(process, x, aux, stream)
