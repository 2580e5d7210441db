"""Random numbers: independent streams of xoshiro256++, one per chunk of runs.

The generator is xoshiro256++ (Blackman and Vigna, ACM Trans. Math. Softw. 47, 36 (2021)), many lanes side by
side so that the compiler can vectorise it; each lane's 256-bit state is filled by SplitMix64 from a 64-bit
key, the hash of (seed, chunk). A run's numbers depend on the seed and on its chunk only, never on the
threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.compiling import called, inlined

LANES = 32
BUFFER = 4 * LANES  # where the buffer begins
ROUNDS = 4
CURSOR = BUFFER + ROUNDS * LANES  # where it ends
WORD = np.uint64
GOLDEN = WORD(0x9E3779B97F4A7C15)
U1, U11, U17, U19, U23, U27, U30, U31, U41, U45 = (WORD(n) for n in (1, 11, 17, 19, 23, 27, 30, 31, 41, 45))
MIX_1, MIX_2 = WORD(0xBF58476D1CE4E5B9), WORD(0x94D049BB133111EB)
TO_UNIT = 2.0**-53


class Stream(NamedTuple):
    """A stream of 64-bit words: lanes of generators, and a buffer of words not yet used.

    They lie in one array because every array that a kernel passes on costs time, and more when compiled.
    """

    words: NDArray[np.uint64]  # state (4 * LANES), then the buffer, then the place of its next word
    steps: NDArray[np.int64]  # (1,) elementary steps of the process, counted by whoever makes them
    stop: NDArray[np.uint8]  # (1,) set from outside to interrupt: loops without a bound look at it


@inlined
def mix(z):
    """Finaliser of SplitMix64: a bijection of 64-bit words (Stafford's variant 13)."""
    z = (z ^ (z >> U30)) * MIX_1
    z = (z ^ (z >> U27)) * MIX_2
    return z ^ (z >> U31)


@inlined
def stream_key(seed, chunk):
    """Key of one chunk: for a given seed, different chunks never share it."""
    return mix(mix(WORD(seed) + GOLDEN) + WORD(chunk) * GOLDEN)


@called
def seed_lanes(words, lanes, key):
    """Fill the states of all lanes, the first ``4 * lanes`` words, from a key."""
    for index in range(4 * lanes):
        words[index] = mix(key + (WORD(index) + U1) * GOLDEN)


@called
def fill_words(words, lanes, rounds):
    """Put one output per lane and round behind the states of the lanes."""
    first = 4 * lanes
    for _ in range(rounds):
        for j in range(lanes):
            a, b, c, d = words[j], words[lanes + j], words[2 * lanes + j], words[3 * lanes + j]
            total = a + d
            words[first + j] = ((total << U23) | (total >> U41)) + a
            shifted = b << U17
            c ^= a
            d ^= b
            b ^= c
            a ^= d
            c ^= shifted
            words[j], words[lanes + j], words[2 * lanes + j] = a, b, c
            words[3 * lanes + j] = (d << U45) | (d >> U19)
        first += lanes


def new_stream(stop: NDArray[np.uint8] | None = None) -> Stream:
    """Allocate a stream; `open_stream` sets it to the beginning of a chunk's numbers."""
    stop = np.zeros(1, np.uint8) if stop is None else stop
    return Stream(np.zeros(CURSOR + 1, np.uint64), np.zeros(1, np.int64), stop)


@called
def open_stream(stream, seed, chunk):
    """Set a stream to the beginning of the numbers of one chunk."""
    seed_lanes(stream.words, np.int64(LANES), stream_key(seed, chunk))
    stream.words[CURSOR] = WORD(CURSOR)


@called
def _refill(words):
    fill_words(words, LANES, ROUNDS)


@inlined
def next_word(stream):
    """Next 64 random bits."""
    at = np.int64(stream.words[CURSOR])
    if at == CURSOR:
        _refill(stream.words)
        at = np.int64(BUFFER)
    stream.words[CURSOR] = WORD(at + 1)
    return stream.words[at]


@inlined
def uniform(stream):
    """Uniform number above 0, 53 bits; rounding makes it 1, and not less, with probability 2^-53."""
    return (np.float64(next_word(stream) >> U11) + 0.5) * TO_UNIT


@inlined
def exponential(stream):
    """Exponential number of mean 1; 0 with probability 2^-53."""
    return -math.log(uniform(stream))
