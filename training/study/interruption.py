"""Ending a unit of work at a moment where its state can be saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A signal asked to end; the message says whether the state has been saved."""


class Interruption(AbstractContextManager["Interruption"]):
    """Within the block, the first Ctrl-C or SIGTERM only sets ``asked``; a second one ends at once.

    Signals can be caught in the main thread alone; elsewhere ``asked`` stays False.
    """

    def __init__(self) -> None:
        self.asked = False
        self._signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # What is ignored stays so: workers leave Ctrl-C to the process that started them.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked, self._signal = True, number

    def end(self, message: str) -> None:
        """Do what the signal would have done: what a worker process does at its end, or raise `Interrupted`."""
        handler = self._before.get(self._signal or 0)
        if callable(handler) and handler is not signal.default_int_handler:
            handler(self._signal, None)
        raise Interrupted(message)


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end a study as Ctrl-C does, so that its workers can save their state."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
