"""The kernel that records whole trajectories: the event-driven loop, looked at every so often.

Whatever can ``advance`` is a Markov process in (x, aux), so stopping it at the times of observation does not
change its law. Time steps are cut short by that, which the bridge does not mind, up to its bias. Euler's method
would look at the target more often, so its steps end where they would without observation.
"""

from __future__ import annotations

import numpy as np

from stochreset.kernels.clocks import next_interval
from stochreset.kernels.compiling import inlined, kernel
from stochreset.kernels.dispatch import advance, allows, begin, beyond
from stochreset.kernels.moves import perturb
from stochreset.kernels.schemes import SPARE
from stochreset.kernels.streams import open_stream

FULL = -1


@inlined
def _put(times, positions, points, time, x):
    """Record a point; returns the number of points, FULL when there is no room for two more."""
    times[points], positions[points] = time, x
    points += 1
    return points if points + 2 < times.size else FULL


@kernel
def record_path(
    process, clock, condition, move, whole, horizon, every, step, seed, run, times, positions, stream
):
    """Follow one run and record it every ``every``, before and after perturbations, and at its end.

    With a ``step`` above 0 observation cuts no step of that length: what is seen is the state after the last one.

    Returns the number of points (FULL where the arrays are too short) and whether the run is censored.
    """
    open_stream(stream, seed, run)
    x, aux = begin(process, stream)
    points = _put(times, positions, 0, 0.0, x)
    now, count, look, looks = 0.0, 0, every, 1
    arrived = beyond(process, x)
    while points != FULL and not arrived:
        wait = next_interval(clock, count, stream)
        if whole:
            wait = np.ceil(wait)
        event = now + wait
        last = event >= horizon
        event = min(event, horizon)
        base, at, made = now, now, 0.0
        while now < event and not arrived and points != FULL:
            until = min(event, look)
            reach, limit = until, until - at
            if step > 0.0 and until < event:
                steps = np.floor((until - base) / step + SPARE)
                reach, limit, made = base + steps * step, (steps - made) * step, steps
            if limit > 0.0:
                elapsed, x, aux, arrived = advance(process, x, aux, limit, False, stream)
                if stream.stop[0]:
                    return points, True
                if arrived:
                    until = at + elapsed
                at = reach
            now = until
            points = _put(times, positions, points, now, x)
            if now == look:
                looks += 1
                look = looks * every
        if last or arrived or points == FULL:
            break
        count += 1
        if allows(condition, x):
            x, aux = perturb(process, move, x, aux, stream)
            points = _put(times, positions, points, now, x)
            arrived = beyond(process, x)
    return points, not arrived
