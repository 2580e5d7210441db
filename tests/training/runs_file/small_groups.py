"""Small groups of runs, with the directions of their metrics."""

import numpy as np

from training import RunGroup

DIRECTIONS = {"acc": "at_least", "loss": "at_most"}


def group(runs=3, epochs=4, perturbation=None, period=None, parameters=None, names=("acc", "loss")):
    values = np.arange(runs * epochs, dtype=float).reshape(runs, epochs)
    return RunGroup(
        np.arange(runs) + 5,
        {name: values + shift for shift, name in enumerate(names)},
        {name: DIRECTIONS.get(name, "at_least") for name in names},
        perturbation,
        period,
        parameters or {},
    )
