"""Traces that are too many to hold in memory: read from where they are stored, a block of runs at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**22
"""Values in a block, 32 MiB."""

Array = NDArray[np.float64]
Found = TypeVar("Found")


class StoredTraces(ABC):
    """Stands for a (runs, epochs) array of traces, of which only the rows asked for are read.

    NumPy takes it for an array, and then reads all of it. A subclass says what its shape is and how to read rows.
    What was found by going through all of it is remembered, by `once`.
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Runs and epochs."""

    @abstractmethod
    def read(self, start: int, stop: int) -> Array:
        """Read the runs from ``start`` to before ``stop``, all their epochs."""

    def once(self, question: Hashable, answer: Callable[[], Found]) -> Found:
        """Return the answer to a question, got by ``answer()`` the first time."""
        if question not in self._found:
            self._found[question] = answer()
        found: Found = self._found[question]
        return found

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("stored traces cannot be had as an array without reading them into a new one")
        return self.read(0, len(self)).astype(dtype or np.float64, copy=False)


def row_blocks(traces: Array | StoredTraces, size: int = BLOCK) -> Iterator[tuple[int, Array]]:
    """Yield the traces in blocks of at most ``size`` values, but at least one run, each with the number of its first.

    Parameters
    ----------
    traces : (runs, epochs) array or StoredTraces
        What to go through.
    size : int
        Values in a block at most.

    Examples
    --------
    >>> [(start, block.shape) for start, block in row_blocks(np.zeros((5, 10)), size=20)]
    [(0, (2, 10)), (2, (2, 10)), (4, (1, 10))]
    """
    runs, epochs = traces.shape
    step = max(1, size // max(1, epochs))
    for start in range(0, runs, step):
        stop = min(runs, start + step)
        yield start, traces.read(start, stop) if isinstance(traces, StoredTraces) else traces[start:stop]


def pick_rows(traces: Array | StoredTraces, rows: NDArray[np.intp]) -> Array:
    """Traces of the runs ``rows``, which must ascend, (rows, epochs)."""
    picked = np.empty((rows.size, traces.shape[1]))
    for start, block in row_blocks(traces):
        first, last = np.searchsorted(rows, [start, start + len(block)])
        picked[first:last] = block[rows[first:last] - start]
    return picked
