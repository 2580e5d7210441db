"""The event-driven kernel: from perturbation to perturbation, for any process that can ``advance``.

The same loop serves exact laws, jump processes and, through `stochreset.kernels.stepping`, time stepping.
"""

from __future__ import annotations

import numpy as np

from stochreset.kernels.clocks import next_interval
from stochreset.kernels.compiling import inlined, kernel
from stochreset.kernels.dispatch import advance, allows, begin, beyond
from stochreset.kernels.moves import perturb
from stochreset.kernels.streams import open_stream


@inlined
def one_run(process, clock, condition, move, forget, whole, horizon, stream):
    """Follow one run: returns the time of its arrival or the horizon, and whether it is censored there.

    ``whole`` marks a process whose time counts whole steps: intervals are rounded up to the next step.
    """
    x, aux = begin(process, stream)
    if beyond(process, x):
        return 0.0, False
    now, count = 0.0, np.int64(0)
    while True:
        wait = next_interval(clock, count, stream)
        if whole:
            wait = np.ceil(wait)
        last = now + wait >= horizon
        limit = horizon - now if last else wait
        elapsed, x, aux, arrived = advance(process, x, aux, limit, forget or last, stream)
        if arrived:
            return now + elapsed, False
        if last or stream.stop[0]:
            return horizon, True
        now += limit
        count += 1
        if allows(condition, x):
            x, aux = perturb(process, move, x, aux, stream)
            if beyond(process, x):
                return now, False


@kernel
def simulate_events(
    process, clock, condition, move, forget, whole, horizon, seed, chunk_size, first, times, censored, stream
):
    """Simulate runs ``first`` .. ``first + times.size - 1``, ``first`` at the beginning of a chunk.

    Fills ``times`` and ``censored``; the elementary steps are counted in ``stream.steps``.
    """
    for start in range(0, times.size, chunk_size):
        open_stream(stream, seed, (first + start) // chunk_size)
        for run in range(start, min(start + chunk_size, times.size)):
            times[run], censored[run] = one_run(
                process, clock, condition, move, forget, whole, horizon, stream
            )
            if stream.stop[0]:
                return
