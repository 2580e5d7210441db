"""What one thread of a GPU does: it follows one run at a time, in rounds of a few steps.

A round makes up to `ROUND` steps, fewer where the target is crossed or an event is due, and then treats what
happened, with exact times as in `stochreset.kernels.lanes`. Within a round a thread whose steps have ended
waits for the other threads of its warp, so that they treat what happened to them together. Between rounds
everything about a run lies in memory: a kernel may stop after any number of rounds and go on later.

All this is plain Python, compiled by a `stochreset.kernels.cuda_translation.Translator`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stochreset.kernels.box_muller import ZERO, minus_log_uniform, normal_pair
from stochreset.kernels.clocks import Clock, next_interval
from stochreset.kernels.cuda_numbers import ThreadStream, draw, halves, open_thread_stream
from stochreset.kernels.dispatch import allows, begin, beyond, fold, hits, leap, margin, resize
from stochreset.kernels.moves import Move, perturb
from stochreset.kernels.schemes import FAR, FARTHEST, SPARE, distance, single_step

ROUND = 32
"""Steps in a round: an even number, as each pair of normals serves two steps of one run."""
FREE = -1  # instead of a run
GOES_ON, ARRIVED, CENSORED = range(3)
TAKEN, DONE = range(2)
"""Counters of runs."""


class Model(NamedTuple):
    """Everything that fixes the law of the passage times."""

    process: Any
    scheme: Any
    monitor: Any
    clock: Clock
    condition: Any
    move: Move
    horizon: float


class Threads(NamedTuple):
    """State of the run of each thread; its time is base + number * step."""

    x: NDArray[np.float64]
    aux: NDArray[np.float64]
    base: NDArray[np.float64]  # time at the last event
    event: NDArray[np.float64]  # time of the next event, the horizon if that comes first
    run: NDArray[np.int64]
    perturbed: NDArray[np.int64]  # perturbations so far
    number: NDArray[np.int64]  # steps since the last event
    due: NDArray[np.int64]  # whole steps from the last event to the next
    steps: NDArray[np.int64]  # steps of all runs of the thread
    state: NDArray[np.uint64]  # (4, threads)


def new_threads(count: int) -> Threads:
    """Return the state of threads without a run."""
    reals, whole = np.zeros((4, count)), np.zeros((5, count), np.int64)
    whole[0] = FREE
    return Threads._make([*reals, *whole, np.zeros((4, count), np.uint64)])


def schedule(model, threads, j, now, stream):
    """Draw the next event of thread j, whose run is at time ``now``."""
    event = min(now + next_interval(model.clock, threads.perturbed[j], stream), model.horizon)
    threads.base[j], threads.event[j], threads.number[j] = now, event, 0
    steps = (event - now) / model.scheme.step + SPARE
    threads.due[j] = np.int64(steps) if steps < FARTHEST else FAR


def start(model, threads, j, run, stream):
    """Start a run in thread j; returns what has become of it."""
    threads.run[j], threads.perturbed[j] = run, 0
    x, aux = begin(model.process, stream)
    threads.x[j], threads.aux[j] = x, aux
    if beyond(model.process, x):
        return ARRIVED
    schedule(model, threads, j, 0.0, stream)
    return GOES_ON


def travel(model, threads, j):
    """Make the steps of a round.

    Returns whether the last of them crossed the target, and the positions before and after it.
    """
    process, scheme, monitor, state = model.process, model.scheme, model.monitor, threads.state
    x, aux, number = threads.x[j], threads.aux[j], threads.number[j]
    a, b, c, d = state[0, j], state[1, j], state[2, j], state[3, j]
    began, end = number, min(threads.due[j], number + ROUND)
    previous, before = x, distance(process, x)
    crossed, e, second_e = False, ZERO, ZERO
    while number < end and not crossed:
        word, a, b, c, d = draw(a, b, c, d)
        low, high = halves(word)
        z, second_z = normal_pair(low, high)
        if monitor.bridges:
            word, a, b, c, d = draw(a, b, c, d)
            low, high = halves(word)
            e, second_e = minus_log_uniform(low), minus_log_uniform(high)
        # Written out twice, which is faster than a loop over the pair.
        previous, x, number = x, fold(process, leap(scheme, process, x, aux, np.float64(z))), number + 1
        after = distance(process, x)
        crossed = margin(monitor, before, after, scheme.rate, np.float64(e)) < 0.0
        before = after
        if number < end and not crossed:
            previous, x = x, fold(process, leap(scheme, process, x, aux, np.float64(second_z)))
            number += 1
            after = distance(process, x)
            crossed = margin(monitor, before, after, scheme.rate, np.float64(second_e)) < 0.0
            before = after
    threads.x[j], threads.number[j] = x, number
    threads.steps[j] += number - began
    state[0, j], state[1, j], state[2, j], state[3, j] = a, b, c, d
    return crossed, previous, x


def settle(model, threads, j, crossed, previous, x, stream):
    """Treat what happened in a round; returns what has become of the run, and when if it has ended."""
    process, scheme, monitor = model.process, model.scheme, model.monitor
    number, base, event = threads.number[j], threads.base[j], threads.event[j]
    if crossed:
        within = hits(monitor, scheme, distance(process, previous), distance(process, x), stream)
        return ARRIVED, base + (number - 1) * scheme.step + within
    if number < threads.due[j]:
        return GOES_ON, 0.0
    now, aux = base + number * scheme.step, threads.aux[j]
    if event - now > SPARE * scheme.step:
        short = resize(scheme, process, event - now)
        x, arrived, within = single_step(process, short, monitor, x, aux, stream)
        threads.steps[j] += 1
        if arrived:
            return ARRIVED, now + within
    if event >= model.horizon:
        return CENSORED, event
    threads.perturbed[j] += 1
    if allows(model.condition, x):
        x, aux = perturb(process, model.move, x, aux, stream)
        if beyond(process, x):
            return ARRIVED, event
    threads.x[j], threads.aux[j] = x, aux
    schedule(model, threads, j, event, stream)
    return GOES_ON, event


def one_round(model, threads, j, taken, first, seed):
    """One round of thread j, beginning with run ``taken`` unless that is `FREE`.

    Runs are numbered from ``first`` on. Returns what has become of the run, and when if it has ended.
    """
    stream = ThreadStream(threads.state, j)
    if taken != FREE:
        open_thread_stream(stream, seed, first + taken)
        if start(model, threads, j, taken, stream) == ARRIVED:
            return ARRIVED, 0.0
    crossed, previous, x = travel(model, threads, j)
    return settle(model, threads, j, crossed, previous, x, stream)
