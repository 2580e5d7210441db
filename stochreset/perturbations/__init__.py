"""What a perturbation does: full and partial resets, shrink and perturb, kicks, a switch of the potential."""

from stochreset.perturbations.base import Perturbation
from stochreset.perturbations.kick import Kick
from stochreset.perturbations.new_cycle import NewCycle
from stochreset.perturbations.partial_reset import PartialReset
from stochreset.perturbations.reset import Reset
from stochreset.perturbations.shrink_perturb import ShrinkPerturb
from stochreset.perturbations.switch_potential import SwitchPotential

__all__ = ["Kick", "NewCycle", "PartialReset", "Perturbation", "Reset", "ShrinkPerturb", "SwitchPotential"]
