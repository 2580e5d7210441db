"""Random numbers of the threads of a GPU: a stream of xoshiro256++ for each run, whichever thread follows it.

The generator is that of `stochreset.kernels.streams`, one lane at a time, its state filled from a hash of
(seed, run). So a run's numbers depend on the seed and its number only: threads may take runs as they become
free, and the times are the same for any number of threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.streams import GOLDEN, U1, U17, U19, U23, U41, U45, WORD, mix, stream_key, uniform

APART = WORD(0xD1B54A32D192ED03)
"""Keeps the streams of runs apart from those of the CPU's chunks of the same seed."""
LOW, HALF_BITS, SIGN = WORD(0xFFFFFFFF), WORD(32), 2**31
TURN = 2.0 * math.pi


class ThreadStream(NamedTuple):
    """The stream of one thread: its column of the states of all."""

    state: NDArray[np.uint64]  # (4, threads)
    thread: int


def open_thread_stream(stream, seed, run):
    """Set a stream to the beginning of the numbers of one run."""
    key = mix(stream_key(seed, run) ^ APART)
    for index in range(4):
        stream.state[index, stream.thread] = mix(key + (WORD(index) + U1) * GOLDEN)


def draw(a, b, c, d):
    """One word of 64 random bits, and the four words of the next state."""
    total = a + d
    word = ((total << U23) | (total >> U41)) + a
    shifted = b << U17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    return word, a, b, c, (d << U45) | (d >> U19)


def halves(word):
    """Return the two halves of a word as int32."""
    return np.int32(np.int64(word & LOW) - SIGN), np.int32(np.int64(word >> HALF_BITS) - SIGN)


def next_thread_word(stream):
    """Next 64 random bits."""
    state, j = stream.state, stream.thread
    word, a, b, c, d = draw(state[0, j], state[1, j], state[2, j], state[3, j])
    state[0, j], state[1, j], state[2, j], state[3, j] = a, b, c, d
    return word


def thread_normal(stream):
    """Standard normal number in double precision, by Box and Muller: threads then do not part ways."""
    radius = math.sqrt(-2.0 * math.log(uniform(stream)))
    return radius * math.cos(TURN * uniform(stream))
