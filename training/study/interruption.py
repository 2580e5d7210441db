"""Ending a unit of work at a moment where its state can be saved."""

from __future__ import annotations

import signal
import threading
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A signal asked to end, and the state has been saved."""


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
