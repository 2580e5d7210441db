"""Overdamped Langevin dynamics in any potential, given as plain Python functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from stochreset.kernels.compiling import inlined
from stochreset.kernels.diffusions import register_diffusion
from stochreset.kernels.user_functions import captured, compile_function, own_name
from stochreset.perturbations import Perturbation, SwitchPotential
from stochreset.processes.base import Diffusion
from theory.closed_forms import checks

SLOPE_STEP = 6e-6
"""Step of the central difference for -U'(x) in units of a length: the cube root of the precision of floats."""
NEAR = 1e-4
"""That length is the way from start to target, but at least this part of x, so that x + h differs from x."""
SAMPLES = 401
DOUBLINGS = range(6, 21)
"""How far out, in doublings of the way to the target, the velocity shows whether it leads back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Langevin(Diffusion):
    """Overdamped motion in a potential, dx = -U'(x) dt + sqrt(2 diffusion) dW, from ``start`` to ``target``.

    Attributes
    ----------
    drift, potential : callable
        One of them: a plain Python function of x for the velocity -U'(x), or for U itself (in units such that
        mobility is 1; its slope is then taken by central differences). It is compiled by numba and built into
        the kernel, so it may use arithmetic, `math`, NumPy functions of one number, and numbers from around
        it.
    switched : callable, optional
        Velocity after `SwitchPotential`.
    diffusion, start, target : float
        As everywhere.
    wall : float, optional
        Position of a reflecting wall, on the side of the start that is away from the target.
    scale : float, optional
        Shortest time in which the velocity changes; default time steps are fractions of it. Default: from the
        slope of the velocity around start and target.

    Examples
    --------
    >>> Langevin(drift=lambda x: x - x**3, diffusion=0.2, start=-1.0, target=1.0).time_scale() > 0
    True
    """

    drift: Callable[[float], float] | None = None
    potential: Callable[[float], float] | None = None
    switched: Callable[[float], float] | None = None
    diffusion: float = 1.0
    start: float = 0.0
    target: float = 1.0
    wall: float | None = None
    scale: float | None = None

    def __post_init__(self) -> None:
        checks.positive("diffusion", self.diffusion)
        checks.finite("start", self.start)
        checks.finite("target", self.target)
        checks.apart(self.start, self.target)
        if (self.drift is None) == (self.potential is None):
            raise ValueError("`drift` or `potential` must be given, one of the two, as a function of x")
        if self.wall is not None:
            checks.finite("wall", self.wall)
            if not (self.wall - self.start) * (self.target - self.start) <= 0:
                raise ValueError(
                    f"`wall` must lie on the side of `start` {self.start} away from `target` {self.target}, "
                    f"got {self.wall}"
                )
        if self.scale is not None:
            checks.positive("scale", self.scale)
        self.parameters()  # compiles the functions, and says so where it cannot

    @property
    def switchable(self) -> bool:  # type: ignore[override]
        """Whether there is a second potential, for `SwitchPotential`."""
        return self.switched is not None

    def parameters(self) -> Any:
        """Return the parameters for the stepping kernels."""
        given = self.drift if self.drift is not None else self.potential
        kind = _parameters(given, captured(given), self.drift is None, self.switched, captured(self.switched))
        sign = math.copysign(1.0, self.target - self.start)
        wall = -sign * math.inf if self.wall is None else float(self.wall)
        numbers = float(self.diffusion), float(self.start), float(self.target), sign, wall
        return kind(*numbers, float(abs(self.target - self.start)))

    def velocity(self, x: Any) -> Any:
        """Velocity -U'(x), of one position or of an array of them."""
        given = self.drift if self.drift is not None else self.potential
        found = _velocity(given, captured(given), self.drift is None).py_func
        length = float(abs(self.target - self.start))
        return np.vectorize(lambda each: found(each, length), otypes=[float])(x)

    def time_scale(self) -> float:
        """Shortest time in which the velocity changes, or in which the process crosses to its target."""
        if self.scale is not None:
            return self.scale
        distance = abs(self.target - self.start)
        middle = (self.start + self.target) / 2
        x = np.linspace(middle - distance, middle + distance, SAMPLES)
        with np.errstate(all="ignore"):
            velocity = self.velocity(x)
        sound = np.isfinite(velocity)
        slope = np.abs(np.gradient(velocity[sound], x[sound])).max() if sound.sum() > 2 else 0.0
        crossing = distance**2 / (2 * self.diffusion)
        return float(min(crossing, 1 / slope if slope > 0 else np.inf))

    @property
    def arrives(self) -> bool:
        """Whether every run arrives; False only where the velocity far out clearly leads away."""
        return not self._leads_out(self.velocity, -self.diffusion)

    @property
    def finite_mean(self) -> bool:
        """Whether the mean is finite; False only where the velocity far out clearly does not lead back."""
        return not self._leads_out(self.velocity, self.diffusion)

    def ends_under(self, perturbation: Perturbation, longest: float) -> bool | None:
        """Whether endless perturbation makes the mean finite; None where it is for the process alone to say."""
        if isinstance(perturbation, SwitchPotential) and self.switched is not None:
            second = compile_function(self.switched, "switched").py_func
            return not self._leads_out(np.vectorize(second, otypes=[float]), self.diffusion)
        return super(Langevin, self).ends_under(perturbation, longest)

    def _leads_out(self, velocity: Callable[[Any], Any], strength: float) -> bool:
        """Whether all over the far side the velocity back is at most ``strength`` over the distance.

        With the diffusion as the strength, this is where the mean of a logarithmic potential becomes infinite;
        with the negative one, where runs escape.
        """
        if self.wall is not None:
            return False
        out = (self.start - self.target) * 2.0 ** np.array(DOUBLINGS)
        try:
            with np.errstate(all="ignore"):
                back = -velocity(self.target + out) * out
        except (ArithmeticError, ValueError):  # a function that is not meant for these positions
            return False
        return bool(np.all(back <= strength) if strength > 0 else np.all(back < strength))


@lru_cache(maxsize=256)
def _velocity(function: Callable[[float], float], values: Hashable, is_potential: bool) -> Any:
    """Compiled velocity from a velocity or a potential, of a position and the length of the way to the target."""
    compiled = compile_function(function, "potential" if is_potential else "drift")

    @inlined
    def given(x, length):
        return compiled(x)

    @inlined
    def slope(x, length):
        h = SLOPE_STEP * max(length, NEAR * abs(x))
        low, high = x - h, x + h
        return (compiled(low) - compiled(high)) / (high - low)

    return slope if is_potential else given


@lru_cache(maxsize=256)
def _parameters(
    function: Callable[[float], float],
    values: Hashable,
    is_potential: bool,
    switched: Callable[[float], float] | None,
    values_switched: Hashable,
) -> type:
    """Type of parameters for these functions with these values around them, registered with the kernels."""
    first = _velocity(function, values, is_potential)

    @inlined
    def drift(process, x, aux):
        return first(x, process.length)

    if switched is not None:
        second = compile_function(switched, "switched")

        @inlined
        def drift(process, x, aux):
            return first(x, process.length) if aux == 0.0 else second(x)

    @inlined
    def fold(process, x):
        behind = process.sign * (process.wall - x)
        return 2.0 * process.wall - x if behind > 0.0 else x

    @own_name
    class UserDiffusion(NamedTuple):
        diffusion: float
        start: float
        target: float
        sign: float
        wall: float
        length: float

    register_diffusion(UserDiffusion, drift, fold=fold)
    return UserDiffusion
