"""The fast kernel for one-dimensional diffusions: many runs side by side, two steps at a time.

Each round has three loops that the compiler vectorises separately: generator words; single-precision normal
numbers, and exponential ones for the bridge test; two steps of every lane in double precision, with the drift
inlined. A lane in which something happens (arrival, perturbation, horizon) is recognised by a sign bit or by
its count of steps and treated in a scalar loop, where times are exact: the step before an event is shortened
to end at it. Lanes are refilled with new runs, and closed up when none are left. Within a chunk the order of
all this is fixed, so a run depends on the seed and its chunk only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.bits import sign_bit
from stochreset.kernels.box_muller import minus_log_uniform, normal_pair
from stochreset.kernels.clocks import next_interval
from stochreset.kernels.compiling import inlined, kernel
from stochreset.kernels.dispatch import allows, begin, beyond, fold, hits, leap, margin, resize
from stochreset.kernels.moves import perturb
from stochreset.kernels.schemes import FAR, FARTHEST, SPARE, distance, single_step
from stochreset.kernels.streams import fill_words, mix, open_stream, seed_lanes, stream_key

WIDTH = 128
GENERATORS = 64
X, START, MIDDLE, AUX, BASE, EVENT = (part * WIDTH for part in range(6))
"""Numbers of a lane: position now, at the beginning of the last round, after its first step; the rest of the
state; time of the run at step number SINCE; time of its next event."""
FLAG, RUN, PERTURBED, SINCE, DUE, LAST = (part * WIDTH for part in range(6))
"""Integers of a lane: negative where something happened in the last round; index of the run within the chunk, -1
before the first; perturbations so far; step number that BASE belongs to; step number after which the shortened
step and the event follow; whether the event is the horizon."""
WORDS = 4 * GENERATORS  # where the words begin, after the state of their generators
EXPONENTIALS = 2 * WIDTH  # where the exponential numbers begin, after the normal ones

CONTINUES, ARRIVED, CENSORED, WAITS = range(4)


class Lanes(NamedTuple):
    """State of the lanes of one chunk; step numbers count from the start of the chunk.

    What is of one type lies in one array, at constant distances: the compiler can then see that the parts do not
    overlap, without which it does not vectorise, and has fewer arrays to pass on.
    """

    numbers: NDArray[np.float64]  # X, START, MIDDLE, AUX, BASE, EVENT, each (WIDTH,)
    integers: NDArray[np.int64]  # FLAG, RUN, PERTURBED, SINCE, DUE, LAST, each (WIDTH,)
    words: NDArray[np.uint64]  # state of the generators (4 * GENERATORS,), and their words (WIDTH,)
    bits: NDArray[np.int32]  # the words again, in halves (2 * WIDTH,)
    draws: NDArray[np.float32]  # normal, then exponential numbers of two steps, each (2 * WIDTH,)


def new_lanes() -> Lanes:
    """Allocate the lanes of one chunk."""
    words = np.zeros(WORDS + WIDTH, np.uint64)
    bits = words[WORDS:].view(np.int32)
    draws = np.zeros(4 * WIDTH, np.float32)
    return Lanes(np.zeros(6 * WIDTH), np.zeros(6 * WIDTH, np.int64), words, bits, draws)


@inlined
def _move_lane(lanes, source, target):
    """Move a lane, with the exponential numbers of its last round."""
    for part in range(0, 6 * WIDTH, WIDTH):
        lanes.numbers[part + target] = lanes.numbers[part + source]
        lanes.integers[part + target] = lanes.integers[part + source]
    for half in range(EXPONENTIALS, EXPONENTIALS + 2 * WIDTH, WIDTH):
        lanes.draws[half + target] = lanes.draws[half + source]


@inlined
def _time(lanes, j, number, step):
    """Time of the run in lane j at a step number."""
    return lanes.numbers[BASE + j] + (number - lanes.integers[SINCE + j]) * step


@inlined
def _schedule(lanes, j, number, now, clock, horizon, step, stream):
    """Draw the next event of lane j, whose run is at time ``now`` at this step number."""
    wait = next_interval(clock, lanes.integers[PERTURBED + j], stream)
    lanes.integers[LAST + j] = now + wait >= horizon
    event = horizon if lanes.integers[LAST + j] else now + wait
    lanes.numbers[BASE + j], lanes.integers[SINCE + j], lanes.numbers[EVENT + j] = now, number, event
    steps = (event - now) / step + SPARE
    lanes.integers[DUE + j] = number + np.int64(steps) if steps < FARTHEST else FAR


@inlined
def _event(lanes, j, x, number, process, scheme, monitor, condition, move, stream):
    """Treat the event that is due in lane j, at x, after step ``number``.

    Returns what has become of the run, and when, and its position.
    """
    now = _time(lanes, j, number, scheme.step)
    rest = lanes.numbers[EVENT + j] - now
    if rest > SPARE * scheme.step:
        short = resize(scheme, process, rest)
        x, arrived, when = single_step(process, short, monitor, x, lanes.numbers[AUX + j], stream)
        stream.steps[0] += 1
        if arrived:
            return ARRIVED, now + when, x
    now = lanes.numbers[EVENT + j]
    if lanes.integers[LAST + j]:
        return CENSORED, now, x
    lanes.integers[PERTURBED + j] += 1
    if allows(condition, x):
        x, lanes.numbers[AUX + j] = perturb(process, move, x, lanes.numbers[AUX + j], stream)
        if beyond(process, x):
            return ARRIVED, now, x
    return WAITS, now, x


@inlined
def _settle(
    lanes,
    j,
    fate,
    when,
    x,
    at,
    number,
    dealt,
    process,
    scheme,
    monitor,
    clock,
    condition,
    move,
    horizon,
    stream,
    times,
    censored,
):
    """Take lane j, which is at x after step ``at``, to a state in which it can go on after step ``number``.

    Treats what is due and, when a run has ended, starts the next. Returns the number of runs dealt out so far
    and whether there is a run in the lane.
    """
    while not stream.stop[0]:
        if fate == CONTINUES:
            fate, when, x = _event(lanes, j, x, at, process, scheme, monitor, condition, move, stream)
            at = number
        if fate == ARRIVED or fate == CENSORED:
            if lanes.integers[RUN + j] >= 0:
                times[lanes.integers[RUN + j]], censored[lanes.integers[RUN + j]] = when, fate == CENSORED
            if dealt == times.size:
                return dealt, False
            x, lanes.numbers[AUX + j] = begin(process, stream)
            lanes.integers[RUN + j], lanes.integers[PERTURBED + j], when = dealt, 0, 0.0
            dealt += 1
            fate = ARRIVED if beyond(process, x) else WAITS
        if fate == WAITS:
            _schedule(lanes, j, number, when, clock, horizon, scheme.step, stream)
            if lanes.integers[DUE + j] > number:
                lanes.numbers[X + j] = x
                return dealt, True
            fate, at = CONTINUES, number
    return dealt, False


@inlined
def _two_steps(lanes, width, number, process, scheme, monitor):
    """Advance all lanes by two steps, to step ``number``; returns a negative number if anything happened."""
    numbers, integers, draws = lanes.numbers, lanes.integers, lanes.draws
    rate = scheme.rate
    found = np.int64(0)
    for j in range(width):
        x, aux = numbers[X + j], numbers[AUX + j]
        y = fold(process, leap(scheme, process, x, aux, np.float64(draws[j])))
        z = fold(process, leap(scheme, process, y, aux, np.float64(draws[WIDTH + j])))
        numbers[START + j], numbers[MIDDLE + j], numbers[X + j] = x, y, z
        dx, dy, dz = distance(process, x), distance(process, y), distance(process, z)
        first = margin(monitor, dx, dy, rate, np.float64(draws[EXPONENTIALS + j]))
        second = margin(monitor, dy, dz, rate, np.float64(draws[EXPONENTIALS + WIDTH + j]))
        flag = sign_bit(first) | sign_bit(second) | (integers[DUE + j] - number - 1)
        integers[FLAG + j] = flag
        found |= flag
    return found


@inlined
def _draw(lanes, width, bridges):
    """Draw the random numbers of the next two steps of all lanes."""
    rounds = (width + GENERATORS - 1) // GENERATORS
    half = rounds * GENERATORS
    words, bits, draws = lanes.words, lanes.bits, lanes.draws
    fill_words(words, GENERATORS, rounds)
    for j in range(width):
        draws[j], draws[WIDTH + j] = normal_pair(bits[j], bits[half + j])
    if bridges:
        fill_words(words, GENERATORS, rounds)
        for j in range(width):
            draws[EXPONENTIALS + j] = minus_log_uniform(bits[j])
            draws[EXPONENTIALS + WIDTH + j] = minus_log_uniform(bits[half + j])


@inlined
def _what_happened(lanes, j, number, process, scheme, monitor, stream):
    """Find out what happened in the flagged lane j in the two steps up to ``number``.

    Returns what has become of the run, and when; or, where an event is due, its position and step number.
    """
    step, rate = scheme.step, scheme.rate
    start, middle, x = lanes.numbers[START + j], lanes.numbers[MIDDLE + j], lanes.numbers[X + j]
    before, between, after = distance(process, start), distance(process, middle), distance(process, x)
    at = number - 1
    if margin(monitor, before, between, rate, np.float64(lanes.draws[EXPONENTIALS + j])) < 0.0:
        after = between
    elif lanes.integers[DUE + j] == number - 1:
        return CONTINUES, 0.0, middle, at
    else:
        at = number
        if not margin(monitor, between, after, rate, np.float64(lanes.draws[EXPONENTIALS + WIDTH + j])) < 0.0:
            return CONTINUES, 0.0, x, at
        before = between
    return ARRIVED, _time(lanes, j, at - 1, step) + hits(monitor, scheme, before, after, stream), x, at


@inlined
def _chunk(
    process, scheme, monitor, clock, condition, move, horizon, seed, chunk, times, censored, stream, lanes
):
    """Simulate the runs of one chunk; counts the steps in ``stream.steps``."""
    open_stream(stream, seed, chunk)
    seed_lanes(lanes.words, np.int64(GENERATORS), mix(~stream_key(seed, chunk)))
    dealt, width, number = np.int64(0), np.int64(WIDTH), np.int64(0)
    lanes.integers[:PERTURBED] = -1  # all flagged, no run in any
    while width > 0 and not stream.stop[0]:
        j = np.int64(0)
        while j < width:
            if lanes.integers[FLAG + j] >= 0:
                j += 1
                continue
            fate, when, x, at = ARRIVED, 0.0, 0.0, number
            if number > 0:
                fate, when, x, at = _what_happened(lanes, j, number, process, scheme, monitor, stream)
                stream.steps[0] -= number - at
            dealt, going = _settle(
                lanes, j, fate, when, x, at, number, dealt,
                process, scheme, monitor, clock, condition, move, horizon, stream, times, censored,
            )  # fmt: skip
            if going:
                j += 1
            else:
                width -= 1
                _move_lane(lanes, width, j)
        found = np.int64(0)
        while found >= 0 and width > 0 and not stream.stop[0]:
            _draw(lanes, width, monitor.bridges)
            number += 2
            stream.steps[0] += 2 * width
            found = _two_steps(lanes, width, number, process, scheme, monitor)


@kernel
def simulate_lanes(
    process,
    scheme,
    monitor,
    clock,
    condition,
    move,
    horizon,
    seed,
    chunk_size,
    first,
    times,
    censored,
    stream,
    lanes,
):
    """Simulate runs ``first`` .. ``first + times.size - 1``, ``first`` at the beginning of a chunk.

    Fills ``times`` and ``censored``; the steps are counted in ``stream.steps``.
    """
    for start in range(0, times.size, chunk_size):
        part = slice(start, min(start + chunk_size, times.size))
        _chunk(
            process, scheme, monitor, clock, condition, move, horizon, seed, (first + start) // chunk_size,
            times[part], censored[part], stream, lanes,
        )  # fmt: skip
