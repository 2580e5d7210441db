"""Run units that depend on each other on any executor, past the loss of workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait

from training.executors.attempt import Report, WorkerLostError, attempt, is_broken, is_lost
from training.executors.base import Where, open_executor, resolve
from training.executors.processes import ProcessPool
from training.executors.schedule import Schedule
from training.executors.units import Event, Outcome, Unit

InFlight = dict["Future[Report]", Unit]


def run_units(
    units: Sequence[Unit],
    executor_spec: Where | None = None,
    *,
    retries: int = 2,
    on_event: Callable[[Event], None] | None = None,
) -> dict[str, Outcome]:
    """Run every unit once those that it comes after have succeeded.

    A unit that raises has failed and is not tried again; the units after it are skipped and all others go on. A
    unit that is lost with its worker (killed, out of memory, node down) is tried again. Where one dead worker takes
    the whole pool with it, nobody can tell which unit was to blame; the last attempt at a unit therefore has the
    pool to itself, so that a unit that kills its worker takes no other with it.

    Ctrl-C drops what has not started, ends what runs where that is possible, and is raised again within seconds.

    Parameters
    ----------
    units
        Names must be unique, and ``after`` must name other units without a circle.
    executor_spec
        Where to run them, see `open_executor`; None for the calling process.
    retries
        How often a unit that was lost is started again.
    on_event
        Called in this thread for every step of a unit, for a progress bar.

    Returns
    -------
    dict
        The `Outcome` of every unit by its name, in the order of ``units``.

    Raises
    ------
    ValueError
        If units, retries or executor_spec are not as said.

    Examples
    --------
    >>> outcomes = run_units([Unit("a", pow, (2, 3)), Unit("b", divmod, (1, 0)), Unit("c", int, after=("b",))])
    >>> [(outcome.status, outcome.value) for outcome in outcomes.values()]
    [('done', 8), ('failed', None), ('skipped', None)]
    """
    where = resolve(executor_spec)
    schedule = Schedule(units, retries, on_event)
    while schedule.ready:
        with open_executor(where) as executor:
            _run_until_broken(schedule, executor)
    return {unit.name: schedule.outcomes[unit.name] for unit in units}


def _run_until_broken(schedule: Schedule, executor: Executor) -> None:
    in_flight: InFlight = {}
    broken = False
    while not broken and (in_flight or schedule.ready):
        broken = _submit_ready(schedule, executor, in_flight)
        # The timeout lets Ctrl-C through on every platform.
        finished, _ = wait(in_flight, 0 if broken else 1.0, FIRST_COMPLETED)
        broken = any([_collect(schedule, in_flight.pop(future), future) for future in finished]) or broken
    wait(in_flight, 5.0)
    for future, unit in in_flight.items():
        if future.done():
            _collect(schedule, unit, future)
        else:
            schedule.lose(unit, WorkerLostError("the executor broke and never said what became of the unit"))


def _submit_ready(schedule: Schedule, executor: Executor, in_flight: InFlight) -> bool:
    """Submit what can start; return whether the executor turned out to be broken."""
    while schedule.ready and _has_room(schedule, executor, in_flight):
        unit = schedule.start()
        try:
            future = executor.submit(attempt, unit.call, unit.arguments)
        except Exception as error:
            if _note_error(schedule, unit, error):
                return True
            continue
        in_flight[future] = unit
        if future.done():  # an executor that works inside `submit`: report before starting the next
            break
    return False


def _has_room(schedule: Schedule, executor: Executor, in_flight: InFlight) -> bool:
    if not isinstance(executor, ProcessPool) or not in_flight:
        return True
    # No more than one unit for each worker, so that a pool that breaks is charged to units that were running.
    alone = any(schedule.is_last_chance(unit) for unit in (schedule.ready[0], *in_flight.values()))
    return not alone and len(in_flight) < executor.workers


def _collect(schedule: Schedule, unit: Unit, future: Future[Report]) -> bool:
    """Note how an attempt ended; return whether the executor is broken."""
    error = CancelledError("the executor cancelled the unit") if future.cancelled() else future.exception()
    if error is not None:
        return _note_error(schedule, unit, error)
    report = future.result()
    if report.error is None:
        schedule.succeed(unit, report.value)
    else:
        schedule.fail(unit, report.error_with_trace() or report.error)
    return False


def _note_error(schedule: Schedule, unit: Unit, error: BaseException) -> bool:
    if is_lost(error):
        schedule.lose(unit, error)
    else:
        schedule.fail(unit, error)
    return is_broken(error)
