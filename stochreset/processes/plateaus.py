"""Training runs that settle on plateaus of their own, epoch by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.normals import normal
from stochreset.kernels.registering import register
from stochreset.kernels.streams import exponential
from stochreset.perturbations import Perturbation
from stochreset.perturbations.new_cycle import NewCycle
from stochreset.plateaus import PlateauMixture
from stochreset.processes.base import Method, Process
from theory.closed_forms import checks

EPOCHS = 2.0**26
"""aux is the number of the cycle times this, plus the epochs since it began (which stop counting here)."""
SETTLED = 1e-17
"""Below this distance from the plateau, in units of the noise, the rise is over."""


class Mixture(NamedTuple):
    """Metric mean + cycle * gain + spread * x - recovery + noise * xi, up to a target; x is the level."""

    mean: float
    spread: float
    noise: float
    depth: float
    relaxation: float
    depth_after: float
    relaxation_after: float
    memory: float
    gain: float
    target: float


@inlined
def _begin(process, stream):
    return normal(stream), 0.0


@inlined
def _renew(process, x, aux, stream):
    fresh = math.sqrt(1.0 - process.memory * process.memory) * normal(stream)
    return process.memory * x + fresh, (np.floor(aux / EPOCHS) + 1.0) * EPOCHS


@inlined
def _beyond(process, x):
    return False


@called
def _settled_wait(distance, stream):
    """Epochs up to the first of them that is ``distance`` or more above the mean: geometric."""
    chance = 0.5 * math.erfc(distance / math.sqrt(2.0))
    return np.floor(exponential(stream) / -math.log1p(-chance)) + 1.0


@inlined
def _advance(process, x, aux, limit, forget, stream):
    steps = np.floor(limit)
    cycle = np.floor(aux / EPOCHS)
    since = aux - cycle * EPOCHS
    depth, relaxation = process.depth, process.relaxation
    if cycle > 0.0:
        depth, relaxation = process.depth_after, process.relaxation_after
    distance = (process.target - process.mean - cycle * process.gain - process.spread * x) / process.noise
    below = depth * math.exp(-since / relaxation) / process.noise
    slower = math.exp(-1.0 / relaxation)
    done = 0.0
    while done < steps:
        if below < SETTLED:
            done += _settled_wait(distance, stream)
            stream.steps[0] += 1
            if done <= steps:
                return done, x, aux, True
            break
        if stream.stop[0]:
            break
        done += 1.0
        below *= slower
        stream.steps[0] += 1
        if normal(stream) >= distance + below:
            return done, x, aux, True
    return limit, x, cycle * EPOCHS + min(since + steps, EPOCHS - 1.0), False


register(Mixture, begin=_begin, renew=_renew, beyond=_beyond, advance=_advance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateaus(Process):
    """A mixture of plateaus: runs rise to a plateau of their own and fluctuate around it, up to a threshold.

    The metric is stationary, but the first-passage time is not exponential; see `stochreset.PlateauMixture`.
    Time counts epochs, and x is the level of the run: its plateau in units of the spread. The perturbation is
    `NewCycle`, which is the default.

    Attributes
    ----------
    model : PlateauMixture
        Law of the metric.
    target : float
        Threshold of the metric; a run arrives with the first epoch at or above it.

    Examples
    --------
    >>> model = PlateauMixture(plateau_mean=71.9, plateau_spread=0.5, noise=0.15, depth=30, relaxation_time=3)
    >>> runs = Plateaus(model=model, target=72.0)
    >>> round(float(runs.mfpt_sharp(20)), 2), runs.finite_mean
    (34.56, False)
    """

    whole_steps: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = True  # where the mean is infinite, times beyond floating point occur

    model: PlateauMixture
    target: float

    def __post_init__(self) -> None:
        if not isinstance(self.model, PlateauMixture):
            raise ValueError(f"`model` must be a stochreset.PlateauMixture, got {self.model!r}")
        checks.finite("target", self.target)

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("exact",)

    def default_perturbation(self) -> NewCycle:
        """A new cycle of the model."""
        return NewCycle()

    def threshold(self) -> float:
        """Refuse: the state is the level of a run, not its metric."""
        raise ValueError(
            "`process` Plateaus has no traces of its state; PlateauMixture.simulate gives its metric"
        )

    def check_perturbation(self, perturbation: Perturbation) -> None:
        """Raise unless the perturbation is a new cycle."""
        if not isinstance(perturbation, NewCycle):
            raise ValueError(
                f"`perturbation` must be NewCycle() for Plateaus, got {perturbation!r}; what a perturbation does "
                "here is part of the model: its `memory`, `gain` and `depth_after`"
            )

    def exact_parameters(self) -> Mixture:
        """Return the parameters for the event-driven kernel."""
        m = self.model
        numbers = (
            *(m.plateau_mean, m.plateau_spread, m.noise, m.depth, m.relaxation_time),
            *(m.depth_after, m.relaxation_time_after, m.memory, m.gain, self.target),
        )
        return Mixture(*(float(number) for number in numbers))  # type: ignore[arg-type]

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite: spread below the noise."""
        return self.model.plateau_spread < self.model.noise

    def ends_under(self, perturbation: Perturbation, longest: float) -> bool | None:
        """Whether new cycles make the mean finite: not where they lower the plateaus, or leave those that spread."""
        if self.model.gain != 0:
            return self.model.gain > 0
        return self.model.memory < 1 or self.finite_mean

    def mfpt(self) -> float:
        """Mean first-passage time without perturbation, in epochs."""
        return self.model.mfpt(self.target) if self.finite_mean else math.inf

    def mfpt_sharp(self, period: ArrayLike) -> Any:
        """Mean first-passage time with a new cycle after each ``period``, a whole number of epochs."""
        periods = checks.whole_times("period", period, lowest=1)
        means = [self.model.mfpt(self.target, int(each)) for each in periods.flat]
        return checks.unpack(np.reshape(means, periods.shape))

    def survival(self, t: ArrayLike) -> Any:
        """Probability that T > ``t``, a whole number of epochs, without perturbation."""
        return self._survival(t, None)

    def survival_sharp(self, t: ArrayLike, period: int) -> Any:
        """Probability that T > ``t``, a whole number of epochs, with a new cycle after each ``period``."""
        return self._survival(t, period)

    def _survival(self, t: ArrayLike, period: int | None) -> Any:
        epochs = checks.whole_times("t", t, lowest=0).astype(int)
        return checks.unpack(self.model.survival(self.target, max(int(epochs.max()), 1), period)[epochs])
