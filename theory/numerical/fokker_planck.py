r"""Overdamped Langevin motion in one dimension, dx = f(x) dt + sqrt(2 D) dW with f = -U'.

Finite volumes after Scharfetter and Gummel (IEEE Trans. Electron Devices 16, 64, 1969; as a jump process
Wang, Peskin and Elston, J. Theor. Biol. 221, 491, 2003): between cell centres a distance d apart

    rate(i -> j) = D / (h d) B((U_j - U_i) / D),    B(z) = z / (e^z - 1),

so that detailed balance with e^{-U/D} holds exactly on any grid. A target lies on a cell face, half a cell
from the last centre. All results are second order in the spacing h. A force that diverges at the target, as
in a logarithmic potential, costs a factor log(1 / h), and extrapolation gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy import sparse

from theory.numerical.boundaries import natural_wall
from theory.numerical.chain import AbsorbingChain
from theory.numerical.checks import positive
from theory.numerical.elimination import Array
from theory.numerical.grid import Grid, law_integrals
from theory.numerical.kernels import Kernel, StateMap, matrix

Profile = Callable[[Array], Any]

STEEPEST = 700.0
"""Largest difference of U / D between two centres; beyond it the exponential overflows."""


def bernoulli(z: Array) -> Array:
    """Bernoulli function z / (e^z - 1), 1 at z = 0."""
    z = np.clip(z, -STEEPEST, STEEPEST)
    small = np.abs(z) < 1e-8
    safe = np.where(small, 1.0, z)
    return np.where(small, 1 - z / 2, safe / np.expm1(safe))


def energy_steps(x: Array, potential: Profile | None, drift: Profile | None, diffusion: float) -> Array:
    """(U(x_{j+1}) - U(x_j)) / D, (m - 1,); a drift is integrated by Gauss-Legendre quadrature of order 10."""
    if potential is not None:
        with np.errstate(divide="ignore"):
            values = _evaluate("potential", potential, x)
        steps = np.diff(values) / diffusion
    elif drift is not None:
        points, weights = np.polynomial.legendre.leggauss(5)
        half = np.diff(x)[:, None] / 2
        inner = x[:-1, None] + half * (points + 1)
        force = _evaluate("drift", drift, inner.ravel()).reshape(inner.shape)
        steps = -np.sum(force * weights * half, axis=1) / diffusion
    else:
        raise ValueError("`potential` or `drift` must be given")
    if np.isnan(steps).any():
        raise ValueError(
            "`potential` or `drift` must be a number everywhere between target and wall, got NaN; move the "
            "target or the wall out of that range"
        )
    return steps


def _evaluate(name: str, function: Profile, x: Array) -> Array:
    values = np.asarray(function(x), dtype=float)
    if values.shape not in ((), x.shape):
        raise ValueError(
            f"`{name}` must map an array to one value each, got shape {values.shape} for {x.shape}"
        )
    return np.broadcast_to(values, x.shape)


@dataclass(frozen=True, eq=False, kw_only=True)
class FokkerPlanck:
    """A diffusing coordinate between a target and a wall, or between two targets.

    Parameters
    ----------
    potential, drift : callable
        Exactly one of U(x) and f(x) = -U'(x), vectorised; in units of D (U) and of D / x (f).
    diffusion : float
        D, units of x squared / time.
    target : float or (float, float)
        Absorbing end, or both ends.
    start : float or frozen scipy distribution
        Where the motion begins.
    wall : float, optional
        Reflecting end. Default: where the process by itself spends a share of 1e-13 of its time
        (`theory.numerical.boundaries`); give it where a perturbation throws the state further out.
    cells : int
        At least 8.
    method : {"auto", "spectral", "doubling"}
        See `AbsorbingChain`.

    Examples
    --------
    Diffusion from a wall at 0 to a target at 1 takes 1 / (2 D):

    >>> free = FokkerPlanck(drift=lambda x: 0 * x, diffusion=1.0, target=1.0, start=0.0, wall=0.0, cells=100)
    >>> round(free.chain.mfpt(), 3)
    0.5
    """

    diffusion: float
    target: float | tuple[float, float]
    start: Any
    potential: Profile | None = None
    drift: Profile | None = None
    wall: float | None = None
    cells: int = 1000
    method: Literal["auto", "spectral", "doubling"] = "auto"

    def __post_init__(self) -> None:
        if (self.potential is None) == (self.drift is None):
            raise ValueError("`potential` or `drift` must be given, and not both")
        positive("diffusion", self.diffusion, "motion without noise is no Fokker-Planck problem")
        if int(self.cells) != self.cells or self.cells < 8:
            raise ValueError(f"`cells` must be a whole number of at least 8, got {self.cells!r}; try 1000")
        targets = np.atleast_1d(np.asarray(self.target, dtype=float))
        if (
            targets.size > 2
            or not np.isfinite(targets).all()
            or (targets.size == 2 and targets[0] >= targets[1])
        ):
            raise ValueError(
                f"`target` must be one finite end, or two in ascending order, got {self.target!r}"
            )
        low, high = self._range()
        if targets.size == 2:
            if self.wall is not None:
                raise ValueError("`wall` must be None between two targets: both ends are taken")
            inside = targets[0] < low and high < targets[1]
        elif self.wall is None:
            if not (low > targets[0] or high < targets[0]):
                raise ValueError(
                    f"`start` must lie on one side of the target {targets[0]:g}, got {self.start!r}"
                )
            object.__setattr__(self, "wall", self._natural_wall(high if low > targets[0] else low))
            inside = True
        else:
            ends = sorted((float(targets[0]), float(self.wall)))
            inside = (
                np.isfinite(ends[1] - ends[0]) and ends[0] <= low <= high <= ends[1] and ends[0] < ends[1]
            )
            inside = inside and targets[0] not in (low, high)
        if not inside:
            raise ValueError(
                f"`start` must lie between the target {self.target!r} and the wall {self.wall!r}, "
                f"got {self.start!r}; a passage that starts on a target takes no time"
            )

    def _range(self) -> tuple[float, float]:
        """Extremes of the start."""
        if hasattr(self.start, "ppf"):
            low, high = (float(edge) for edge in self.start.support())
            return (
                low if np.isfinite(low) else float(self.start.ppf(1e-14)),
                high if np.isfinite(high) else float(self.start.isf(1e-14)),
            )
        start = float(self.start)
        if not np.isfinite(start):
            raise ValueError(f"`start` must be finite or a frozen scipy distribution, got {self.start!r}")
        return start, start

    def _natural_wall(self, start: float) -> float:
        target = float(self.target)  # type: ignore[arg-type]

        def energy(x: Array) -> Array:
            steps = energy_steps(x, self.potential, self.drift, self.diffusion)
            return np.concatenate([[0.0], np.cumsum(steps)])

        return natural_wall(energy, target, start)

    @cached_property
    def grid(self) -> Grid:
        """Cells between the ends."""
        if np.ndim(self.target):
            low, high = (float(edge) for edge in self.target)  # type: ignore[union-attr]
            return Grid(low, high, int(self.cells), (True, True))
        target, wall = float(self.target), float(self.wall)  # type: ignore[arg-type]
        return Grid(min(target, wall), max(target, wall), int(self.cells), (target < wall, target > wall))

    @cached_property
    def chain(self) -> AbsorbingChain:
        """The jump process between the cells."""
        grid, h = self.grid, self.grid.spacing
        steps = energy_steps(grid.nodes, self.potential, self.drift, self.diffusion)
        scale = self.diffusion / h / np.diff(grid.nodes)
        forth, back = scale * bernoulli(steps), scale * bernoulli(-steps)
        first, absorption = int(grid.absorbs[0]), np.zeros(grid.cells)
        if grid.absorbs[0]:
            absorption[0] = back[0]
        if grid.absorbs[1]:
            absorption[-1] += forth[-1]
        inner = slice(first, first + grid.cells - 1)
        rates = sparse.diags_array([back[inner], forth[inner]], offsets=[-1, 1], format="csr")
        return AbsorbingChain(rates, absorption, self._start(grid), grid.centres, method=self.method)

    def _start(self, grid: Grid) -> Array:
        if hasattr(self.start, "ppf"):
            rows = grid.deposit(*law_integrals(grid.nodes, self.start), np.array([self.start.median()]))
        else:
            rows = grid.point(float(self.start))[None]
        inner, absorbed = grid.split(rows)
        if absorbed[0] and not hasattr(self.start, "ppf"):
            raise ValueError(
                f"`cells` must leave more than half a cell between the start {self.start!r} and the target, "
                f"got {self.cells} of width {grid.spacing:g}; take more"
            )
        first: Array = inner[0] / (1 - absorbed[0])
        return first

    def kernel(self, perturbation: StateMap) -> Kernel:
        """``perturbation`` as a matrix on the cells."""
        return matrix(perturbation, self.grid)

    def with_cells(self, cells: int) -> FokkerPlanck:
        """The same problem, ends included, on another number of cells."""
        return replace(self, cells=cells)
