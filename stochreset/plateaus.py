r"""A mixture of plateaus: the toy model of real training runs.

Every run rises to a plateau of its own and then fluctuates around it. The metric of the whole ensemble is
stationary, yet the first-passage time is not exponential: runs on a high plateau arrive early, those that are
left sit ever lower, and the hazard keeps falling. Where the plateaus spread more than the metric fluctuates
within a run, the mean first-passage time without perturbation is infinite.

Model. The level of a run, in units of the spread, starts as :math:`z_0 \sim N(0, 1)`; at each perturbation

.. math:: z_{n+1} = \rho z_n + \sqrt{1 - \rho^2}\, \xi_n, \qquad \xi_n \sim N(0, 1),

with :math:`\rho` the memory, which keeps the law of the level. The plateau after n perturbations is
:math:`M_n = \text{mean} + n\,\text{gain} + \text{spread}\, z_n`, and s epochs after the start or the last
perturbation the run records :math:`a = M_n - \text{depth}\, e^{-s/\text{relaxation}} +
\text{noise}\,\varepsilon`, with a fresh :math:`\varepsilon \sim N(0, 1)` each epoch. At a given level the
epochs are independent, hence the exact laws:

.. math:: \Pr(a < \theta) = \Phi\big((\theta - M_n + \text{depth}\, e^{-s/\text{relaxation}}) /
          \text{noise}\big).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from stochreset import _plateau_laws as laws
from theory import Ensemble, PassageSample
from theory.closed_forms import checks

BATCH = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateauMixture:
    """Runs that settle on plateaus of their own; arrival when the metric is at least the threshold.

    Attributes
    ----------
    plateau_mean, plateau_spread : float
        Mean and standard deviation, over runs, of the plateau level, in the unit of the metric.
    noise : float
        Standard deviation of the metric from epoch to epoch within a run, positive.
    depth, relaxation_time : float
        How far below its plateau a run starts, and the time constant of its rise in epochs.
    depth_after, relaxation_time_after : float, optional
        The same after a perturbation. Default: as at the start, the full reset.
    memory : float
        Correlation of a run's plateaus before and after a perturbation. At 0 (the default) each perturbation
        draws the plateau anew and the cycles are independent; at 1 the plateau is frozen for ever.
    gain : float
        Rise of the mean plateau at each perturbation.

    Examples
    --------
    >>> model = PlateauMixture(plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=3)
    >>> model.survival(threshold=72, epochs=200)[[20, 50, 200]].round(3)
    array([0.498, 0.341, 0.271])
    >>> round(model.mfpt(threshold=72, period=20), 2)
    34.56
    >>> model.simulate(runs=100, epochs=50, period=20, seed=1).name
    'perturbed:20'
    """

    plateau_mean: float
    plateau_spread: float
    noise: float
    depth: float = 0.0
    relaxation_time: float = 1.0
    depth_after: float | None = None
    relaxation_time_after: float | None = None
    memory: float = 0.0
    gain: float = 0.0

    def __post_init__(self) -> None:
        if self.depth_after is None:
            object.__setattr__(self, "depth_after", self.depth)
        if self.relaxation_time_after is None:
            object.__setattr__(self, "relaxation_time_after", self.relaxation_time)
        for field in fields(self):
            value = getattr(self, field.name)
            checks.finite(field.name, value)
            if field.name in ("noise", "relaxation_time", "relaxation_time_after") and value <= 0:
                raise ValueError(f"`{field.name}` must be positive, got {value}")
            if field.name in ("plateau_spread", "depth", "depth_after") and value < 0:
                raise ValueError(f"`{field.name}` must not be negative, got {value}")
        if not 0 <= self.memory <= 1:
            raise ValueError(
                f"`memory` must lie between 0 (plateau drawn anew) and 1 (frozen), got {self.memory}"
            )

    def recovery(self, cycle: int, epochs: float | NDArray[np.int64]) -> NDArray[np.float64]:
        """Distance below the plateau ``epochs`` after the start (cycle 0) or a perturbation (cycle >= 1)."""
        depth, time = (
            (self.depth_after, self.relaxation_time_after) if cycle else (self.depth, self.relaxation_time)
        )
        return np.asarray(depth * np.exp(-np.asarray(epochs) / time))

    def simulate(
        self,
        runs: int,
        epochs: int,
        period: int | None = None,
        *,
        seed: int | np.random.Generator,
        perturbation: str = "perturbed",
    ) -> Ensemble:
        """Simulate the traces of independent runs, perturbed after epochs ``period``, ``2 * period``, ...

        Parameters
        ----------
        runs, epochs : int
            Size of the ensemble.
        period : int, optional
            Epochs between perturbations. Default: none.
        seed : int or numpy.random.Generator
            Gives each run a seed of its own, kept in ``Ensemble.seeds``, that fixes all its random numbers.
            Run k is the same for any number of runs and epochs, and runs of equal seed agree up to the first
            perturbation.
        perturbation : str
            Name of the perturbation in the ensemble, used where ``period`` is given.

        Returns
        -------
        Ensemble
            Traces of shape (runs, epochs).
        """
        _check_counts(runs=runs, epochs=epochs, period=period)
        seeds = np.random.default_rng(seed).integers(np.iinfo(np.int64).max, size=runs)
        return Ensemble(
            self.traces(seeds, epochs, period),
            seeds,
            perturbation=None if period is None else perturbation,
            period=period,
        )

    def sample_passages(
        self,
        threshold: float,
        runs: int,
        horizon: int,
        period: int | None = None,
        *,
        seed: int | np.random.Generator,
    ) -> PassageSample:
        """First-passage times of the runs of `simulate` for the same seed, censored at ``horizon``."""
        _check_counts(runs=runs, horizon=horizon, period=period)
        _check_threshold(threshold)
        seeds = np.random.default_rng(seed).integers(np.iinfo(np.int64).max, size=runs)
        times, arrived = np.empty(runs), np.empty(runs, dtype=bool)
        # In batches, so that the memory needed does not grow with the number of runs.
        for first in range(0, runs, BATCH):
            part = slice(first, first + BATCH)
            hit = self.traces(seeds[part], horizon, period) >= threshold
            arrived[part] = hit.any(axis=1)
            times[part] = np.where(arrived[part], hit.argmax(axis=1) + 1, horizon)
        return PassageSample(times, ~arrived)

    def survival(self, threshold: float, epochs: int, period: int | None = None) -> NDArray[np.float64]:
        r"""Exact Pr(T > t) for t = 0, 1, ..., ``epochs``, shape (epochs + 1,).

        Without perturbation :math:`S(t) = E_z \prod_{s=1}^{t} \Pr(a(s) < \theta \mid z)`; the law of the
        level z among the runs alive is carried through each perturbation.
        """
        _check_counts(epochs=epochs, period=period)
        _check_threshold(threshold)
        return laws.survival(self, threshold, epochs, period)

    def restricted_mean(self, threshold: float, horizon: int, period: int | None = None) -> float:
        """Exact mean of min(T, ``horizon``) in epochs: the sum of Pr(T > t) over t < ``horizon``."""
        _check_counts(horizon=horizon, period=period)
        return float(self.survival(threshold, horizon, period)[:-1].sum())

    def mfpt(self, threshold: float, period: int | None = None) -> float:
        """Exact mean first-passage time in epochs, with the tail summed in closed form.

        Raises
        ------
        ValueError
            Where the mean diverges: plateaus that stay as they are and spread at least as much as the noise
            (the mean over levels of 1 / hazard), or a negative ``gain``; and where it is too long to compute.
        """
        _check_counts(period=period)
        _check_threshold(threshold)
        return laws.mean(self, threshold, period)

    @property
    def unperturbed_law(self) -> tuple[float, ...]:
        """All that decides how runs go without perturbation."""
        return self.plateau_mean, self.plateau_spread, self.noise, self.depth, self.relaxation_time

    def traces(
        self,
        seeds: NDArray[np.int64],
        epochs: int,
        period: int | None = None,
        *,
        later: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Traces of the runs of these seeds, shape (runs, epochs).

        With ``later`` their random numbers from the first perturbation on come from these seeds: runs that
        branch off the same history and then differ.
        """
        period = epochs if period is None else period
        traces = np.empty((len(seeds), epochs))
        levels = np.empty((len(seeds), -(-epochs // period)))
        for run, run_seed in enumerate(seeds):
            # A pair for every epoch, so that neither the period nor the number of epochs shifts the stream.
            normals = np.random.default_rng(run_seed).standard_normal((epochs, 2))
            if later is not None:
                normals[period:] = np.random.default_rng(later[run]).standard_normal((epochs, 2))[period:]
            traces[run], levels[run] = normals[:, 0], normals[::period, 1]
        traces *= self.noise
        for cycle in range(levels.shape[1]):
            if cycle:
                fresh = np.sqrt(1 - self.memory**2) * levels[:, cycle]
                levels[:, cycle] = self.memory * levels[:, cycle - 1] + fresh
            within = traces[:, cycle * period : (cycle + 1) * period]
            plateaus = self.plateau_mean + cycle * self.gain + self.plateau_spread * levels[:, cycle]
            within += plateaus[:, None] - self.recovery(cycle, np.arange(1, within.shape[1] + 1))
        return traces


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if name == "period" and count is None:
            continue
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"`{name}` must be a whole number, 1 or larger, got {count!r}")


def _check_threshold(threshold: float) -> None:
    checks.finite("threshold", threshold)
