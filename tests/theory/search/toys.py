"""Toy models whose best perturbation and period are known exactly, and small recorded studies of them."""

from dataclasses import replace

from stochreset import PlateauMixture, ToyEnvironment
from theory import Study

GOAL, HORIZON, PERIODS = 72.5, 120, (2, 4, 7, 10, 14, 20, 30, 50)
FREE = PlateauMixture(plateau_mean=71.5, plateau_spread=0.3, noise=0.15, depth=30, relaxation_time=3)
RISING = {
    "mild": replace(FREE, depth_after=2, relaxation_time_after=1, memory=0.9, gain=0.02),
    "strong": replace(FREE, depth_after=12, relaxation_time_after=2, memory=0.5, gain=0.2),
}
"""Perturbations raise the plateaus, the strong one best every 7 epochs."""
FROZEN = {
    "mild": replace(FREE, depth_after=2, relaxation_time_after=1, memory=1),
    "reset": replace(FREE, memory=1),
}
"""Perturbations only set runs back."""


def rising(seed, goal=GOAL, models=RISING):
    return ToyEnvironment(models, goal=goal, horizon=HORIZON, periods=PERIODS, seed=seed)


def recorded(runs=30, free=40, periods=(4, 7, 14), names=("mild", "strong"), epochs=HORIZON):
    """A study as it would be recorded: runs of any two ensembles are independent."""
    perturbed = [
        RISING[name].simulate(runs, epochs, period, seed=100 * place + period, perturbation=name)
        for place, name in enumerate(names, start=1)
        for period in periods
    ]
    return Study(FREE.simulate(free, epochs, seed=7), tuple(perturbed))
