"""Random walk on a lattice in discrete time: eight steps at a time, and many where the target is far.

The bits of a byte are eight steps, 1 towards the target. A table says how far each byte leads and how far it
gets on the way, so that single steps are only looked at where it may reach the target. A fair walk takes the
bytes of a random word as they are; a biased one draws each byte from an alias table, exactly up to 2^-48.
Farther from the target than `FAR`, as many steps as cannot reach it are one binomial number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.alias import alias_table
from stochreset.kernels.compiling import inlined
from stochreset.kernels.counts import binomial
from stochreset.kernels.registering import register
from stochreset.kernels.streams import WORD, next_word

FAR = 512
FOREVER = 2.0**62
BITS = (np.arange(256)[:, None] >> np.arange(8)) & 1
PROGRESS = np.cumsum(2 * BITS - 1, axis=1)
NET = PROGRESS[:, -1].astype(np.int64)
BEST = PROGRESS.max(axis=1).astype(np.int64)
BYTE, EIGHT = WORD(255), WORD(8)


class Lattice(NamedTuple):
    """Steps of 1: towards the target with probability ``ahead``, else away from it."""

    ahead: float
    start: float
    target: float
    sign: float
    fair: bool
    keep: NDArray[np.uint64]  # (256,) alias table of bytes, in units of 2^-56
    other: NDArray[np.int64]


def lattice(ahead: float, start: int, target: int) -> Lattice:
    """Return the parameters of a walk with a probability ``ahead`` of a step towards the target."""
    heads = BITS.sum(axis=1)
    keep, other = alias_table(ahead**heads * (1 - ahead) ** (8 - heads))
    sign = 1.0 if target > start else -1.0
    cut = np.rint(keep * 2.0**56).astype(np.uint64)
    return Lattice(float(ahead), float(start), float(target), sign, ahead == 0.5, cut, other)


@inlined
def _renew(process, x, aux, stream):
    return np.rint(x), aux


@inlined
def _biased_byte(process, stream):
    word = next_word(stream)
    place = np.int64(word & BYTE)
    return place if word >> EIGHT < process.keep[place] else process.other[place]


@inlined
def _advance(process, x, aux, limit, forget, stream):
    gap = np.int64(process.sign * (process.target - x))
    steps = np.int64(min(limit, FOREVER))
    done = np.int64(0)
    word, unused = WORD(0), 0
    while done < steps:
        if gap > FAR:
            if stream.stop[0]:
                break
            leap = min(gap - 1, steps - done)
            gap -= 2 * np.int64(binomial(leap, process.ahead, stream)) - leap
            done += leap
            continue
        if not process.fair:
            byte = _biased_byte(process, stream)
        else:
            if unused == 0:
                word, unused = next_word(stream), 8
            byte = np.int64(word & BYTE)
            word >>= EIGHT
            unused -= 1
        if BEST[byte] < gap and done + 8 <= steps:
            gap -= NET[byte]
            done += 8
            continue
        for bit in range(min(8, steps - done)):
            gap -= 2 * ((byte >> bit) & 1) - 1
            done += 1
            if gap == 0:
                stream.steps[0] += done
                return float(done), process.target, aux, True
    stream.steps[0] += done
    return limit, process.target - process.sign * gap, aux, False


register(Lattice, renew=_renew, advance=_advance)
