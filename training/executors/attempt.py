"""One attempt at a unit, and whose fault it is when it does not come back.

`attempt` runs where the work is done and returns what the call raised instead of raising it. An exception that then
still comes out of a future was not raised by the unit: the executor or the machine behind it failed, and `is_lost`
says whether another attempt may help.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass
from typing import Any

# By name, so that judging an error imports no optional library.
_LOST = {
    "distributed.scheduler.KilledWorker",
    "distributed.client.ClosedClientError",
    "distributed.comm.core.CommClosedError",
    "submitit.core.utils.FailedSubmissionError",
}


class WorkerLostError(RuntimeError):
    """The machine, process or job that ran a call ended without a result."""


class UnitSkipped(RuntimeError):
    """A unit was not run, because one that it comes after did not succeed."""


class WorkerEnded(SystemExit):
    """Raised inside a worker process that was told to end (SIGTERM), so that its open contexts are closed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one attempt came to: ``value``, or else ``error`` with its formatted traceback ``trace``."""

    value: Any = None
    error: BaseException | None = None
    trace: str = ""

    def error_with_trace(self) -> BaseException | None:
        """Return the error; the traceback that pickling took from it is a note of it."""
        if self.error is not None and self.error.__traceback__ is None:
            self.error.add_note(f"In the worker:\n{self.trace.rstrip()}")
        return self.error


def attempt(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Report:
    """Call ``call(*arguments)`` and report what it returned or raised; only an interrupt passes through.

    Examples
    --------
    >>> attempt(divmod, (7, 2)).value
    (3, 1)
    >>> attempt(divmod, (7, 0)).error  # doctest: +ELLIPSIS
    ZeroDivisionError(...)
    """
    try:
        return Report(call(*arguments))
    except WorkerEnded:
        raise
    except (Exception, SystemExit) as error:
        return Report(None, portable(error), traceback.format_exc())


def portable(error: BaseException) -> BaseException:
    """Return ``error``, or a RuntimeError that quotes it where it would not survive pickling."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__module__}.{type(error).__qualname__}: {error}")
    return error


def is_lost(error: BaseException) -> bool:
    """Whether ``error``, which came out of an executor, means that a worker was lost and another try may succeed."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    return isinstance(error, BrokenExecutor | CancelledError | WorkerLostError) or bool(names & _LOST)


def is_broken(error: BaseException) -> bool:
    """Whether ``error`` means that the executor as a whole is gone and a new one must be opened."""
    names = {kind.__qualname__ for kind in type(error).__mro__}
    return isinstance(error, BrokenExecutor | CancelledError) or "ClosedClientError" in names
