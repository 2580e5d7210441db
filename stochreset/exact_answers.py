"""The exact mean first-passage time of a process under a protocol and a perturbation, where one is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from stochreset.kernels.dispatch import drift
from stochreset.kernels.moves import AFFINE, RESTART
from stochreset.perturbations import Reset, SwitchPotential
from stochreset.perturbations.new_cycle import NewCycle
from stochreset.processes.base import Diffusion
from stochreset.processes.linear_logarithmic import LinearLogarithmic
from stochreset.processes.markov_chain import MarkovChain
from stochreset.protocols import Never, Once, Periodic, Poisson

GRIDS = (160, 400)
"""Cells from which numerical answers are extrapolated, with half and twice as many; the first if accurate."""
COARSE, LARGEST = 64, 700
"""Cells on which the place of an artificial wall is found, at first and at most."""
ACCURACY = 3e-5
"""Largest relative error, as estimated, of a numerical answer that counts as exact."""
WALL_ACCURACY = 1e-5
"""Largest relative change of a numerical answer when its artificial wall is moved outwards by `OUTWARD`."""
OUTWARD = 1.5
NOISE_REACH = 5.0
"""Standard deviations of the noise of a perturbation that the grid has room for."""


@dataclass(frozen=True, slots=True)
class ExactMean:
    """An exact mean, or restricted mean, in the unit of time of the process."""

    value: float
    source: Literal["closed form", "numerical"]


def exact_mean(
    process: Any, protocol: Any = None, perturbation: Any = None, horizon: float | None = None
) -> ExactMean | None:
    """Exact mean first-passage time, or None where it is infinite or not known.

    Parameters
    ----------
    process, protocol, perturbation, horizon
        As for `stochreset.simulate`. With a horizon, the exact mean of min(T, horizon).

    Returns
    -------
    ExactMean or None
        From the closed forms of the process for no perturbation, full resets to the start and switches; for other
        perturbations of one-dimensional diffusions by finite volumes (`theory.numerical`).

    Examples
    --------
    >>> from stochreset import Brownian, PartialReset
    >>> exact_mean(Brownian(diffusion=0.5), Poisson(2.5)).value > 1
    True
    >>> exact_mean(Brownian(), Poisson(1.0), PartialReset(0.5)).source
    'numerical'
    """
    protocol = Never() if protocol is None else protocol
    perturbation = process.default_perturbation() if perturbation is None else perturbation
    process.check_perturbation(perturbation)
    horizon = math.inf if horizon is None else horizon
    closed = None
    if not isinstance(process, MarkovChain):
        try:
            closed = _closed_form(process, protocol, perturbation, horizon)
        except ValueError:  # of valid arguments: the closed form refuses what it cannot compute
            closed = None
    if closed is not None:
        return ExactMean(closed, "closed form") if math.isfinite(closed) else None
    value = _numerical(process, protocol, perturbation, horizon)
    return None if value is None else ExactMean(value, "numerical")


def _closed_form(process: Any, protocol: Any, perturbation: Any, horizon: float) -> float | None:
    """Value of a closed form, infinite where the mean is; None where there is none."""

    def knows(method: str) -> bool:
        return hasattr(process, method)

    if isinstance(protocol, Never):
        if math.isfinite(horizon):
            return _restricted(process, horizon) if knows("restricted_mean") else None
        return float(process.mfpt()) if knows("mfpt") else None
    restarts = isinstance(perturbation, Reset) and perturbation.to is None
    if restarts and isinstance(process, LinearLogarithmic):
        process = process.unswitched  # its own closed forms are about the switch
    elif isinstance(perturbation, SwitchPotential) and isinstance(protocol, Once):
        return None if math.isfinite(horizon) else float(process.mfpt_once(protocol.time))
    # A new cycle starts the process anew, and a switch changes it, by rules which its closed forms follow.
    restarts = restarts or isinstance(perturbation, NewCycle | SwitchPotential)
    if math.isfinite(horizon) or not restarts:
        return None
    if isinstance(protocol, Poisson) and knows("mfpt_poisson"):
        return float(process.mfpt_poisson(protocol.rate))
    if isinstance(protocol, Periodic) and knows("mfpt_sharp"):
        # Processes in whole steps round intervals up.
        whole = getattr(process, "whole_steps", False)
        return float(process.mfpt_sharp(math.ceil(protocol.period) if whole else protocol.period))
    if isinstance(protocol, Once) and knows("restricted_mean") and not getattr(process, "whole_steps", False):
        time = protocol.time
        return float(process.restricted_mean(time) + process.survival(time) * process.mfpt())
    return None


def _restricted(process: Any, horizon: float) -> float:
    """Mean of min(T, horizon)."""
    if not getattr(process, "whole_steps", False):
        return float(process.restricted_mean(horizon))
    # After the last whole step the runs left all wait for the horizon.
    steps = math.floor(horizon)
    return float(process.restricted_mean(steps) + (horizon - steps) * process.survival(steps))


def _numerical(process: Any, protocol: Any, perturbation: Any, horizon: float) -> float | None:
    """Mean from a chain or by finite volumes; None where it is infinite, not resolved, or beyond these."""
    if math.isfinite(horizon) and not isinstance(protocol, Never):
        return None
    if not isinstance(protocol, Never | Once | Periodic | Poisson):
        return None
    if isinstance(process, MarkovChain):
        to = getattr(perturbation, "to", None)
        kernel = process.exact.reset(process.start if to is None else int(to))
        value = _mean(process.exact.chain, kernel, protocol, horizon)
        return value if math.isfinite(value) else None
    if isinstance(process, Diffusion):
        return _finite_volumes(process, protocol, perturbation, horizon)
    return None


def _mean(chain: Any, kernel: Any, protocol: Any, horizon: float) -> float:
    if math.isfinite(horizon):
        # A perturbation that completes everything at the horizon gives the mean of min(T, horizon).
        return float(chain.mfpt_periodic(horizon, 0 * kernel.matrix))
    if isinstance(protocol, Poisson):
        return float(chain.mfpt_poisson(protocol.rate, kernel))
    if isinstance(protocol, Periodic):
        return float(chain.mfpt_periodic(protocol.period, kernel))
    if isinstance(protocol, Once):
        return float(chain.mfpt_once(protocol.time, kernel))
    return float(chain.mfpt())


def _finite_volumes(process: Any, protocol: Any, perturbation: Any, horizon: float) -> float | None:
    from theory.numerical import richardson

    affine = _affine(process, protocol, perturbation)
    if affine is None:
        return None

    def mean(problem: Any) -> float:
        return _mean(problem.chain, problem.kernel(affine), protocol, horizon)

    if getattr(process, "wall", None) is None:
        wall = _far_wall(process, protocol, affine, mean)
    else:
        wall = process.wall if isinstance(protocol, Never) or _stays_within(process, affine) else None
    for cells in GRIDS if wall is not None else ():
        result = richardson(_problem(process, wall, cells), mean)
        if math.isfinite(result.value) and result.error <= ACCURACY * result.value:
            return float(result.value)
    return None


def _affine(process: Any, protocol: Any, perturbation: Any) -> Any:
    """The perturbation as a map of the position, or None if it is none."""
    from theory.numerical import AffineMap

    move = perturbation.move()
    if isinstance(protocol, Never):
        return AffineMap(1.0)
    if move.kind == RESTART:
        return AffineMap(0.0, process.start)
    return AffineMap(move.scale, move.shift, move.noise) if move.kind == AFFINE else None


def _problem(process: Any, wall: float | None, cells: int) -> Any:
    from theory.numerical import FokkerPlanck

    parameters = process.parameters()
    velocity = getattr(process, "velocity", None) or (lambda x: drift(parameters, x, 0.0))
    return FokkerPlanck(
        drift=velocity,
        diffusion=process.diffusion,
        target=process.target,
        start=process.start,
        wall=wall,
        cells=cells,
    )


def _stays_within(process: Any, affine: Any) -> bool:
    """Whether the perturbation throws nothing beyond the wall, where simulation and grid would differ."""
    side = math.copysign(1.0, process.target - process.wall)
    images = (affine.scale * x + affine.shift for x in (process.wall, process.target))
    return affine.noise == 0 and all(side * (image - process.wall) >= 0 for image in images)


def _far_wall(process: Any, protocol: Any, affine: Any, mean: Callable[[Any], float]) -> float | None:
    """Place of an artificial wall so far out that it changes nothing, or None if none is found."""
    side = math.copysign(1.0, process.start - process.target)
    reach = 2 * abs(process.start - process.target)
    if isinstance(protocol, Poisson | Periodic):
        time = protocol.period if isinstance(protocol, Periodic) else 1 / protocol.rate
        reach = max(reach, 8 * math.sqrt(process.diffusion * time))
    else:
        try:
            reach = abs(_problem(process, None, COARSE).wall - process.target)
        except ValueError:  # the process is not confined
            return None
    edges = (process.target, process.start, process.target + side * reach)
    images = (side * (affine.scale * x + affine.shift - process.target) for x in edges)
    reach = max(reach, max(images) + NOISE_REACH * affine.noise)
    cells, before = float(COARSE), math.inf
    while cells <= LARGEST:
        wall = process.target + side * reach
        value = mean(_problem(process, wall, int(cells)))
        if not math.isfinite(value):
            return None
        if abs(value - before) <= WALL_ACCURACY * abs(value):
            return float(wall)
        before, reach, cells = value, reach * OUTWARD, cells * OUTWARD
    return None
