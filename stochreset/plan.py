"""From process, protocol, perturbation and method to a kernel with its arguments."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stochreset.horizons import check_horizon
from stochreset.kernels import dispatch
from stochreset.kernels.events import simulate_events
from stochreset.kernels.lanes import new_lanes, simulate_lanes
from stochreset.kernels.stepping import Stepped
from stochreset.kernels.streams import new_stream
from stochreset.perturbations import Perturbation
from stochreset.processes.base import Diffusion, Method, Process
from stochreset.protocols import Informed, Never, Protocol
from stochreset.protocols.base import check_positive

METHODS = ("auto", "exact", "bridge", "euler")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that fixes the law of the passage times, checked and ready for a kernel."""

    process: Process
    protocol: Protocol
    perturbation: Perturbation
    horizon: float
    method: Method
    dt: float | None

    @property
    def forgets(self) -> bool:
        """Whether the state just before a perturbation is never needed."""
        return self.perturbation.move().forgets and not isinstance(self.protocol, Informed)

    @property
    def expected_bias(self) -> str:
        """What is known in advance about the error of the mean."""
        if self.dt is None:
            return "none"
        return self.process.expected_bias(self.method, self.dt)

    @property
    def in_lanes(self) -> bool:
        """Whether runs are stepped side by side, as those of all one-dimensional diffusions are."""
        return self.method != "exact" and isinstance(self.process, Diffusion)

    def arguments(self) -> tuple[Any, ...]:
        """Clock, condition and move for the kernels."""
        return self.protocol.clock(), self.protocol.condition(), self.perturbation.move()

    def stepped(self) -> Stepped:
        """Parameters of the process with its fitted scheme and its monitor."""
        assert isinstance(self.process, Diffusion) and self.dt is not None
        parameters = self.process.parameters()
        scheme, monitor = self.process.scheme(self.method, self.dt)
        return Stepped(parameters, dispatch.resize(scheme, parameters, self.dt), monitor)

    def event_parameters(self) -> Any:
        """Parameters of the process for the event-driven kernel, stepped where there is no exact method."""
        return self.stepped() if self.in_lanes else self.process.event_parameters(self.method, self.dt)

    def kernel(self, chunk_size: int, seed: int) -> Callable[..., int]:
        """Return ``fill(first, times, censored, stop)``, which simulates runs from ``first`` on.

        It may be called from several threads at once, and returns the number of elementary steps.
        """
        clock, condition, move = self.arguments()
        ends = float(self.horizon), np.uint64(seed), chunk_size
        lanes = self.in_lanes
        if lanes:
            stepped = self.stepped()
            run = cached_if_possible(simulate_lanes, stepped.process, condition)
            head: tuple[Any, ...] = (*stepped, clock, condition, move, *ends)
        else:
            parameters, whole = self.event_parameters(), self.process.whole_steps
            run = cached_if_possible(simulate_events, parameters, condition)
            head = (parameters, clock, condition, move, self.forgets, whole, *ends)

        def fill(
            first: int, times: NDArray[np.float64], censored: NDArray[np.bool_], stop: NDArray[np.uint8]
        ) -> int:
            stream = new_stream(stop)
            run(*head, first, times, censored, stream, *([new_lanes()] if lanes else []))
            return int(stream.steps[0])

        return fill


def cached_if_possible(kernel: Any, *parameters: Any) -> Any:
    """Return the kernel, or its variant that is kept in memory where a type is not of this package.

    Only the sources of this package are watched: a kernel on disk would not notice that others have changed.
    """
    return kernel if all(map(_is_ours, parameters)) else kernel.uncached


def _is_ours(parameters: Any) -> bool:
    """Whether the type of a named tuple, and of those in it, can be found by its name in this package."""
    kind = type(parameters)
    if not kind.__module__.startswith("stochreset."):
        return False
    inner = (each for each in parameters if hasattr(each, "_fields"))
    return getattr(sys.modules[kind.__module__], kind.__qualname__, None) is kind and all(
        map(_is_ours, inner)
    )


def make_plan(
    process: Process,
    protocol: Protocol | None,
    perturbation: Perturbation | None,
    horizon: float | None,
    method: str,
    dt: float | None,
) -> Plan:
    """Check the arguments of a simulation and choose its method."""
    if not isinstance(process, Process):
        raise ValueError(f"`process` must be one of stochreset.processes, got {process!r}")
    protocol = Never() if protocol is None else protocol
    if not isinstance(protocol, Protocol):
        raise ValueError(
            f"`protocol` must be one of stochreset.protocols, such as Periodic(5), got {protocol!r}"
        )
    if perturbation is not None and isinstance(protocol, Never):
        raise ValueError(
            "`perturbation` needs a `protocol` that says when, such as Periodic(5) or Poisson(0.2)"
        )
    perturbation = process.default_perturbation() if perturbation is None else perturbation
    process.check_perturbation(perturbation)
    chosen = _choose_method(process, protocol, perturbation, method)
    horizon = check_horizon(process, protocol, perturbation, horizon, chosen)
    if chosen == "exact" and dt is not None:
        raise ValueError(
            f"`dt` {dt} has no use in the exact method; leave it out, or choose another `method`"
        )
    if chosen != "exact":
        dt = process.default_step(chosen) if dt is None else dt
        check_positive("dt", dt, "a time step")
    return Plan(process, protocol, perturbation, horizon, chosen, dt)


def _choose_method(process: Process, protocol: Protocol, perturbation: Perturbation, method: str) -> Method:
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}, got {method!r}")
    able = process.methods(perturbation.move().forgets, isinstance(protocol, Informed))
    if method == "auto":
        return able[0]
    for each in able:
        if each == method:
            return each
    raise ValueError(
        f"`method` {method!r} cannot simulate {type(process).__name__} with "
        f"{type(perturbation).__name__} under {type(protocol).__name__}; use "
        f"{' or '.join(map(repr, able))}, or 'auto'"
    )
