"""Whether a horizon may be left out: only where every run ends in a reasonable time."""

from __future__ import annotations

import math
from typing import Any

from stochreset.perturbations import Perturbation, SwitchPotential
from stochreset.processes.base import Method, Process
from stochreset.protocols import Informed, Never, Protocol
from stochreset.protocols.base import check_positive

CENSOR = "give the time at which they are censored"
NEVER_ALONE = (
    f"`horizon` is needed: without endless perturbation some runs of this process never arrive; {CENSOR}"
)
STILL_NEVER = f"`horizon` is needed: under this perturbation some runs never arrive; {CENSOR}"
TOO_LONG = (
    "`horizon` is needed: the mean first-passage time is infinite, so that the longest runs would not end; "
    "give the time at which they are censored"
)


def check_horizon(
    process: Process, protocol: Protocol, perturbation: Perturbation, horizon: Any, method: Method
) -> float:
    """Return the horizon, infinite where it is left out and may be."""
    if horizon is not None:
        check_positive("horizon", horizon, "a time in the unit of the process", infinite=True)
        return float(horizon)
    problem = _problem(process, protocol, perturbation, method)
    if problem is not None:
        raise ValueError(problem)
    return math.inf


def _problem(process: Process, protocol: Protocol, perturbation: Perturbation, method: Method) -> str | None:
    """Why some runs would not end, as far as that is known."""
    lasts = protocol.endless or (
        isinstance(perturbation, SwitchPotential) and not isinstance(protocol, Never)
    )
    longest = protocol.longest
    if process.whole_steps and math.isfinite(longest):
        longest = math.ceil(longest)
    ends = process.ends_under(perturbation, longest)
    if isinstance(protocol, Informed):
        # A run may get to where nothing is done to it, and then is on its own.
        if not process.arrives:
            return STILL_NEVER
        helped = protocol.endless and ends and _acts(protocol, process)
        return None if process.finite_mean or helped else TOO_LONG
    if lasts and ends is not None:
        return None if ends else STILL_NEVER
    if not process.arrives:
        return STILL_NEVER if protocol.endless else NEVER_ALONE
    # Each of endless perturbations takes its time, whatever the method.
    quick = method == "exact" and not process.one_by_one and not protocol.endless
    return None if process.finite_mean or quick else TOO_LONG


def _acts(protocol: Informed, process: Process) -> bool:
    """Whether runs are perturbed at their start, or far from the target behind it; a user's function may do so."""
    start, target = getattr(process, "start", math.nan), getattr(process, "target", math.inf)
    far_out = protocol.below if target < start else protocol.above
    return protocol.when is not None or math.isinf(far_out) or protocol.above < start < protocol.below
