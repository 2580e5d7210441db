"""A progress bar for what is usually over before anyone would look at a bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_WITHOUT = 1.0


@contextmanager
def late_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function of what is done; it shows a bar on standard error, if a terminal, after a second."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=total)
    began = time.monotonic()

    def show(done: int) -> None:
        bar.update(task, completed=done)
        if not bar.live.is_started and time.monotonic() - began > SECONDS_WITHOUT:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()
