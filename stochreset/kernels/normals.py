"""Normal numbers in double precision by the ziggurat of Marsaglia and Tsang (J. Stat. Softw. 5, 8 (2000)).

256 layers of equal area; the layer takes the low 8 bits of a word and the position the high 53. The tail
beyond the last layer is sampled exactly (Marsaglia 1964), so no number is cut off.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.compiling import called, inlined
from stochreset.kernels.streams import U11, WORD, exponential, next_word, uniform

LAYERS = 256
TAIL = 3.6541528853610088  # where the tail begins, for 256 layers
AREA = 0.00492867323399  # of each layer
LOW = WORD(LAYERS - 1)
SCALE = 2.0**-52


def _edges() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right edges of the layers from the base (counting its tail) to the top, and exp(-x^2/2) there."""
    x = np.zeros(LAYERS + 1)
    x[0], x[1] = AREA / math.exp(-(TAIL**2) / 2), TAIL
    for layer in range(2, LAYERS):
        x[layer] = math.sqrt(-2 * math.log(AREA / x[layer - 1] + math.exp(-(x[layer - 1] ** 2) / 2)))
    return x, np.exp(-(x**2) / 2)


EDGE, HEIGHT = _edges()


@inlined
def _tail(stream):
    while True:
        excess = exponential(stream) / TAIL
        if 2 * exponential(stream) >= excess * excess:
            return TAIL + excess


@called
def _wedge(layer, x, stream):
    """Decide on a point outside the rectangle of its layer; returns the number and whether it is accepted."""
    if layer == 0:
        return math.copysign(_tail(stream), x), True
    height = HEIGHT[layer] + uniform(stream) * (HEIGHT[layer + 1] - HEIGHT[layer])
    return x, height < math.exp(-x * x / 2)


@inlined
def normal(stream):
    """Standard normal number."""
    while True:
        word = next_word(stream)
        layer = np.int64(word & LOW)
        x = np.float64(np.int64(word) >> np.int64(U11)) * (SCALE * EDGE[layer])
        if abs(x) < EDGE[layer + 1]:
            return x
        x, accepted = _wedge(layer, x, stream)
        if accepted:
            return x
