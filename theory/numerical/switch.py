r"""A perturbation that changes the dynamics for good: another potential from then on.

With the mean times m2 = (-A2)^{-1} 1 of the second process on the same grid, the residual time from state i
is m2_i (after the kernel, if the switch also moves the state), and the decomposition at the first
activation is exact:

    at time t:    <T> = int_0^t S + p e^{A t} m2,
    at rate r:    (r - A) m = 1 + r m2.

Formulas (1) and (2) of arXiv:2502.04121 with a residual that depends on the state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.numerical import cycles
from theory.numerical.checks import positive
from theory.numerical.elimination import Array
from theory.numerical.fokker_planck import FokkerPlanck
from theory.numerical.kernels import StateMap

_WAY_OUT = "for the process before the switch use `before.chain.mfpt()`"


@dataclass(frozen=True, eq=False)
class SwitchPotential:
    """Follow ``before`` until the switch, ``after`` from then on.

    Parameters
    ----------
    before, after : FokkerPlanck
        Two problems; ``after`` is put on the grid of ``before`` (its own start, wall and cells do not
        matter).
    perturbation : StateMap, optional
        What the switch does to the coordinate at that moment. Default: nothing.

    Examples
    --------
    Free diffusion between a wall at 0 and a target at 1, ten times faster after the switch:

    >>> slow, fast = (
    ...     FokkerPlanck(drift=lambda x: 0 * x, diffusion=d, target=1.0, start=0.0, wall=0.0, cells=200)
    ...     for d in (0.1, 1.0)
    ... )
    >>> switch = SwitchPotential(slow, fast)
    >>> round(switch.mfpt_once(0.0), 3), round(switch.mfpt_once(100.0), 3)
    (0.5, 5.0)
    """

    before: FokkerPlanck
    after: FokkerPlanck
    perturbation: StateMap | None = None

    def __post_init__(self) -> None:
        if self.after.grid.absorbs != self.before.grid.absorbs:
            raise ValueError(
                f"`after` must have its target on the same side as `before`, got {self.after.target!r} and "
                f"{self.before.target!r}"
            )
        if not np.array_equal(np.atleast_1d(self.after.target), np.atleast_1d(self.before.target)):
            raise ValueError(
                f"`after` must have the target of `before`, {self.before.target!r}, got "
                f"{self.after.target!r}; shift its coordinate"
            )

    @property
    def residual(self) -> Array:
        """Mean time still to go after a switch in each state, (n,)."""
        before, after = self.before, self.after
        second = FokkerPlanck(
            potential=after.potential,
            drift=after.drift,
            diffusion=after.diffusion,
            target=before.target,
            start=before.start,
            wall=before.wall,
            cells=before.cells,
        )
        means = second.chain.mean_times()
        if self.perturbation is None:
            return means
        return cycles.after(before.kernel(self.perturbation), means)

    def mfpt_once(self, time: float) -> float:
        """<T> with the switch at ``time``."""
        time = positive("time", time, _WAY_OUT, zero=True)
        return cycles.mean_once(self.before.chain, time, self.residual)

    def tau(self, time: float) -> float:
        """Mean residual time after the switch at ``time``, given survival until then."""
        time = positive("time", time, _WAY_OUT, zero=True)
        return cycles.weighted(cycles.state_before(self.before.chain, time), self.residual)

    def mfpt_poisson(self, rate: float) -> float:
        """<T> with the switch at Poisson ``rate``, that is at the first activation."""
        rate = positive("rate", rate, _WAY_OUT, zero=True)
        return cycles.mean_first(self.before.chain, rate, self.residual)
