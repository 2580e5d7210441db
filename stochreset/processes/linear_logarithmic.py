"""A linear potential that a perturbation switches to a logarithmic one."""

from __future__ import annotations

from typing import NamedTuple

from stochreset.kernels.compiling import inlined
from stochreset.kernels.diffusions import register_diffusion
from stochreset.perturbations import Perturbation, SwitchPotential
from stochreset.processes.base import Diffusion
from theory import closed_forms


class LinearLog(NamedTuple):
    """Drift -slope before, -strength / x after the switch; absorbed at 0."""

    slope: float
    strength: float
    diffusion: float
    start: float
    target: float
    sign: float


@inlined
def _drift(process, x, aux):
    # A trial position of the scheme may lie beyond the target, where there is no potential.
    return -process.slope if aux == 0.0 else -process.strength / max(x, 1e-3 * process.start)


register_diffusion(LinearLog, _drift)


class LinearLogarithmic(Diffusion, closed_forms.LinearLogarithmic):
    """Diffusion to the target at 0 in a linear potential, switched to a logarithmic one by the perturbation.

    Parameters and exact answers are those of `theory.closed_forms.LinearLogarithmic`.
    """

    __slots__ = ()
    switchable = True

    @property
    def unswitched(self) -> closed_forms.Brownian:
        """The process that is never switched, whose closed forms are about resets."""
        return closed_forms.Brownian(
            drift=-self.slope, diffusion=self.diffusion, start=self.start, target=0.0
        )

    def default_perturbation(self) -> Perturbation:
        """Perturbation taken where a protocol is given without one."""
        return SwitchPotential()

    @property
    def arrives(self) -> bool:
        """Whether every run arrives sooner or later without perturbation."""
        return self.slope >= 0

    @property
    def finite_mean(self) -> bool:
        """Whether the mean first-passage time without perturbation is finite."""
        return self.slope > 0

    def ends_under(self, perturbation: Perturbation, longest: float) -> bool | None:
        """Whether endless perturbation makes the mean finite: the switch does."""
        if isinstance(perturbation, SwitchPotential):
            return True
        return super().ends_under(perturbation, longest)

    def parameters(self) -> LinearLog:
        """Return the parameters for the stepping kernels."""
        return LinearLog(
            float(self.slope), float(self.strength), float(self.diffusion), float(self.start), 0.0, -1.0
        )

    def time_scale(self) -> float:
        """Time in which the logarithmic potential carries the start to the target, or the linear one."""
        return self.start**2 / (2 * (self.strength + self.diffusion + self.slope * self.start))
