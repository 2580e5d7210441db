"""What all processes have in common, and what the one-dimensional diffusions share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

from stochreset.kernels.diffusions import LinearDrift
from stochreset.kernels.schemes import AtSteps, Bridge, Euler, Heun, Linear
from stochreset.perturbations import NewCycle, Perturbation, Reset, SwitchPotential
from stochreset.processes.getting_there import gets_there

Method = Literal["exact", "bridge", "euler"]
MONITOR_SHIFT = 0.5826
"""-zeta(1/2) / sqrt(2 pi): how far, in units of sqrt(2 D dt), a target seen at steps only appears
displaced."""


class Process(ABC):
    """A process with a target, which knows how to be simulated.

    A new process is a new file: its parameters, `methods`, and for ``exact`` the parameters of the
    event-driven kernel with the functions that `stochreset.kernels.dispatch` names, registered by
    ``implement``.
    """

    __slots__ = ()

    start: float
    target: float

    whole_steps: ClassVar[bool] = False
    """Whether time counts whole steps: intervals are then rounded up to the next step."""
    one_by_one: ClassVar[bool] = False
    """Whether the exact method makes all jumps one after the other, so that a long run takes long, or cannot tell
    times as long as those of an infinite mean."""
    switchable: ClassVar[bool] = False
    """Whether there is a second potential, for `SwitchPotential`."""

    @abstractmethod
    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first.

        Parameters
        ----------
        forgets : bool
            Whether the state after a perturbation does not depend on the state before it.
        informed : bool
            Whether the protocol asks for the state.
        """

    def exact_parameters(self) -> Any:
        """Return the parameters for the event-driven kernel."""
        raise NotImplementedError(f"{type(self).__name__} has no exact method")

    def event_parameters(self, method: Method, dt: float | None) -> Any:
        """Return the parameters for the event-driven kernel by this method.

        A process that steps in that kernel, because it is no `Diffusion`, adds its stepping methods here and
        in `default_step` and `expected_bias`.
        """
        if method == "exact":
            return self.exact_parameters()
        raise NotImplementedError(f"{type(self).__name__} has no time steps")

    def default_step(self, method: Method) -> float:
        """Time step of a method with time steps."""
        raise NotImplementedError(f"{type(self).__name__} has no time steps")

    def expected_bias(self, method: Method, dt: float) -> str:
        """What is known in advance about the error of the mean."""
        return "none"

    def bias_order(self, method: Method) -> float:
        """Power of the time step with which the error of the mean falls."""
        return 0.5 if method == "euler" else 1.0

    def threshold(self) -> float:
        """Position at which a trace of the process has arrived; see `stochreset.record`."""
        return float(self.target)

    def default_perturbation(self) -> Perturbation:
        """Perturbation taken where a protocol is given without one."""
        return Reset()

    def check_perturbation(self, perturbation: Perturbation) -> None:
        """Raise if the perturbation makes no sense for this process."""
        if not isinstance(perturbation, Perturbation):
            raise ValueError(
                "`perturbation` must be one of stochreset.perturbations, such as Reset(), "
                f"got {perturbation!r}"
            )
        if isinstance(perturbation, NewCycle):
            raise ValueError(
                "`perturbation` NewCycle() needs a process whose model says what a new cycle is, Plateaus; "
                f"{type(self).__name__} has none: use Reset()"
            )
        if isinstance(perturbation, SwitchPotential) and not self.switchable:
            raise ValueError(
                "`perturbation` SwitchPotential() needs a process with a second potential; "
                f"{type(self).__name__} has none"
            )

    @property
    def arrives(self) -> bool:
        """Whether every run arrives sooner or later without perturbation."""
        return True

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite."""
        return self.arrives

    def reach(self, time: float) -> float:
        """Farthest that a run can get towards the target within ``time``."""
        return math.inf

    def ends_under(self, perturbation: Perturbation, longest: float) -> bool | None:
        """Whether endless perturbation, after ``longest`` at the latest, makes the mean first-passage time finite.

        None where that is for the process without perturbation to say.
        """
        move = perturbation.move()
        if not move.confines:
            return None
        reach = self.reach(longest)
        return math.isinf(reach) or gets_there(self.start, self.target, reach, move, self.whole_steps)


class Diffusion(Process):
    """A one-dimensional diffusion dx = f(x) dt + sqrt(2 D) dW up to a target."""

    __slots__ = ()

    diffusion: float

    def methods(self, forgets: bool, informed: bool) -> tuple[Method, ...]:
        """Methods that can simulate the process, the most accurate first."""
        return ("bridge", "euler")

    @abstractmethod
    def parameters(self) -> Any:
        """Return the parameters for the stepping kernels."""

    @abstractmethod
    def time_scale(self) -> float:
        """Shortest time in which the drift changes, or in which the process crosses to its target."""

    def default_step(self, method: Method) -> float:
        """Time step: a fiftieth of the time scale with the bridge, a thousandth without."""
        return self.time_scale() / (50 if method == "bridge" else 1000)

    def scheme(self, method: Method, dt: float) -> tuple[Any, Any]:
        """Return the scheme, not yet fitted to its step, and the monitor."""
        if method == "euler":
            linear = isinstance(self.parameters(), LinearDrift)
            return (Linear(dt, False) if linear else Euler(dt)), AtSteps()
        return (Linear(dt, True) if isinstance(self.parameters(), LinearDrift) else Heun(dt)), Bridge()

    def expected_bias(self, method: Method, dt: float) -> str:
        """What is known in advance about the error of the mean."""
        if method == "exact":
            return "none"
        if method == "euler":
            shift = MONITOR_SHIFT * (2 * self.diffusion * dt) ** 0.5
            return f"positive, as if the target were {shift:.3g} farther (order dt^1/2)"
        return "small, of order dt; halve dt to estimate it"
