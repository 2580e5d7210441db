"""Optimizers and learning-rate schedules: settings that build them for one network or for many stacked ones."""

from training.optimizers.adamw import AdamW
from training.optimizers.base import Optimizer, StackedOptimizer
from training.optimizers.schedules import Constant, Cosine, Schedule, Step
from training.optimizers.sgd import SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adamw": AdamW}
SCHEDULES: dict[str, type[Schedule]] = {"constant": Constant, "cosine": Cosine, "step": Step}

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "AdamW",
    "Constant",
    "Cosine",
    "Optimizer",
    "Schedule",
    "StackedOptimizer",
    "Step",
]
