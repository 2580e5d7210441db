r"""A diffusing coordinate in a trap, observed once an epoch: an autoregression with its exact passage times.

From one epoch to the next, and at each perturbation,

.. math:: x \leftarrow a x + \sqrt{1 - a^2}\, \xi, \qquad
          x \leftarrow x_0 + \lambda (x - x_0) + \gamma\, \xi, \qquad \xi \sim N(0, 1),

with a the memory, :math:`x_0` the start, :math:`\lambda` what a perturbation keeps of the way from there, and
:math:`\gamma` the noise that it adds. The trap has its centre at 0 and unit width: a start above the centre makes a
return to it worth its while, after a time that is long enough to arrive and not too long to drift away.

The law of x among the runs still below the threshold is carried from epoch to epoch by a product with the kernel on
Gauss-Legendre nodes (Nyström's method). The kernels are Gaussian, so that the error falls exponentially with their
number once they resolve the width of one step.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from theory.closed_forms import checks

Array = NDArray[np.float64]
RANGE = 9.0
"""The grid reaches so many standard deviations below the centre and the start."""
NODES_PER_STEP = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoregression:
    """A coordinate in a trap of unit width; arrival when it is at least the threshold.

    Attributes
    ----------
    memory : float
        Correlation a of successive epochs, from 0 to below 1; the relaxation time is -1 / ln a epochs.
    start : float
        Position at epoch 0, and where a perturbation goes back to.
    keep : float
        Part of the way from the start that a perturbation keeps: 0 resets, 1 leaves it.
    noise : float
        Standard deviation that a perturbation adds.

    Examples
    --------
    >>> model = Autoregression(memory=0.98, start=0.5)
    >>> [round(model.restricted_mean(1.5, 400, period), 2) for period in (5, 20, 80, None)]
    [287.65, 138.45, 152.89, 181.0]
    """

    memory: float
    start: float
    keep: float = 0.0
    noise: float = 0.0
    metric: ClassVar[str] = "position"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            checks.finite(field.name, value)
        if not 0 <= self.memory < 1:
            raise ValueError(f"`memory` must be at least 0 and below 1, got {self.memory}")
        if not 0 <= self.keep <= 1:
            raise ValueError(f"`keep` must lie between 0 (reset) and 1 (left as it is), got {self.keep}")
        if self.noise < 0:
            raise ValueError(f"`noise` must not be negative, got {self.noise}")

    @property
    def unperturbed_law(self) -> tuple[float, ...]:
        """All that decides how runs go without perturbation."""
        return self.memory, self.start

    def traces(
        self,
        seeds: NDArray[np.int64],
        epochs: int,
        period: int | None = None,
        *,
        later: NDArray[np.int64] | None = None,
    ) -> Array:
        """Traces of the runs of these seeds, shape (runs, epochs); as `PlateauMixture.traces`."""
        normals = run_normals(seeds, epochs, period, later)
        position, traces = np.full(len(seeds), self.start), np.empty((len(seeds), epochs))
        step = np.sqrt(1 - self.memory**2)
        for epoch in range(epochs):
            if period is not None and epoch and epoch % period == 0:
                position = self.start + self.keep * (position - self.start)
                position = position + self.noise * normals[:, epoch, 1]
            position = self.memory * position + step * normals[:, epoch, 0]
            traces[:, epoch] = position
        return traces

    def survival(
        self, threshold: float, epochs: int, period: int | None = None, *, refine: float = 1.0
    ) -> Array:
        """Exact Pr(T > t) for t = 0, 1, ..., ``epochs``, shape (epochs + 1,).

        ``refine`` multiplies the number of nodes, to see that it does not matter.
        """
        checks.finite("threshold", threshold)
        _check_count("epochs", epochs, 0)
        if period is not None:
            _check_count("period", period, 1)
        nodes, weights = self._nodes(threshold, refine)
        variance = 1 - self.memory**2
        step = _kernel(self.memory * nodes, variance, nodes) * weights
        kicked = self.start + self.keep * (nodes - self.start)
        # What a perturbation does, and the epoch after it, in one kernel: a reset alone has no density.
        after = _kernel(self.memory * kicked, variance + (self.memory * self.noise) ** 2, nodes) * weights
        alive = _kernel(np.array([self.memory * self.start]), variance, nodes)[0] * weights
        survival = np.ones(epochs + 1)
        if epochs:
            # Before any epoch there is a point, whose first step is known without a grid.
            survival[1] = ndtr((threshold - self.memory * self.start) / np.sqrt(variance))
        for epoch in range(1, epochs):
            alive = alive @ (after if period is not None and epoch % period == 0 else step)
            survival[epoch + 1] = alive.sum()
        return survival

    def restricted_mean(self, threshold: float, horizon: int, period: int | None = None) -> float:
        """Exact mean of min(T, ``horizon``) in epochs."""
        return float(self.survival(threshold, horizon, period)[:-1].sum())

    def _nodes(self, threshold: float, refine: float) -> tuple[Array, Array]:
        low = min(0.0, self.start) - RANGE * max(1.0, self.noise)
        if threshold <= low:
            raise ValueError(f"`threshold` must be above {low:g}, where runs never are, got {threshold}")
        length = threshold - low
        size = int(np.ceil(refine * (20 + NODES_PER_STEP * length / np.sqrt(1 - self.memory**2))))
        points, weights = np.polynomial.legendre.leggauss(size)
        return low + length * (points + 1) / 2, weights * length / 2


def run_normals(
    seeds: NDArray[np.int64], epochs: int, period: int | None, later: NDArray[np.int64] | None
) -> Array:
    """Two normal numbers of each run and epoch, shape (runs, epochs, 2); from epoch ``period`` on of ``later``.

    A run's numbers do not depend on its period or number of epochs: runs of equal seed agree up to the first
    perturbation.
    """
    normals = np.empty((len(seeds), epochs, 2))
    for run, seed in enumerate(seeds):
        normals[run] = np.random.default_rng(seed).standard_normal((epochs, 2))
        if later is not None and period is not None and period < epochs:
            normals[run, period:] = np.random.default_rng(later[run]).standard_normal((epochs, 2))[period:]
    return normals


def _check_count(argument: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"`{argument}` must be a whole number, {least} or larger, got {value!r}")


def _kernel(means: Array, variance: float, to: Array) -> Array:
    """Gaussian densities at ``to`` (columns), of the means (rows)."""
    density: Array = np.exp(-((to - means[:, None]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return density
