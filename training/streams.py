"""Independent random streams of a training run, each a function of its seed and of what it is for alone.

Nothing that draws from one stream disturbs another: a perturbation leaves the order of the data as it was,
and a run that is continued, branched off or trained among others takes the same numbers.
"""

from __future__ import annotations

import threading

import numpy as np

INITIALISATION, DATA_ORDER, NOISE, PROTOCOL, LAYERS, CALIBRATION = 0, 1, 2, 3, 4, 5
"""What a stream is for; all but the order of the data are numbered as well. LAYERS: dropout and its like, in training;
CALIBRATION: the same while running statistics are computed anew."""

ALONE = threading.RLock()
"""Held by a thread that uses torch's own random numbers or number of threads, of which a process has one each."""


def stream(seed: int, purpose: int, *numbers: int) -> np.random.Generator:
    """Return the generator of one stream."""
    return np.random.default_rng([seed, purpose, *numbers])


def torch_seed(seed: int, purpose: int, *numbers: int) -> int:
    """Return the 64-bit seed of a torch generator for one stream."""
    return int(np.random.SeedSequence([seed, purpose, *numbers]).generate_state(1, np.uint64)[0])
