"""Traces of one metric that stay in their runs file, and are read a block of runs at a time."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from theory.hdf5 import Hdf5Error
from theory.traces import StoredTraces

LARGE = 2**28
"""Bytes of one metric, over all its ensembles, beyond which it is not read into memory."""
SMALL = 2**22
"""Bytes of one ensemble that are read into memory all the same."""


class StoredMetric(StoredTraces):
    """One data set of a runs file, opened when rows are asked for.

    Parameters
    ----------
    dataset : h5py.Dataset
        Checked, (runs, epochs) float64, of a file that is open now.

    Raises
    ------
    Hdf5Error
        On reading, if the file was changed or replaced since.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        super().__init__()
        self.path, self.name = Path(dataset.file.filename).resolve(), dataset.name
        self._shape = (int(dataset.shape[0]), int(dataset.shape[1]))
        self._stamp = _stamp(self.path)

    @property
    def shape(self) -> tuple[int, int]:
        """Runs and epochs."""
        return self._shape

    def read(self, start: int, stop: int) -> NDArray[np.float64]:
        """Read some of the runs, all their epochs."""
        if _stamp(self.path) != self._stamp:
            raise Hdf5Error(f"{self.path} was changed while it was analysed; start the analysis again")
        with h5py.File(self.path, "r") as file:
            rows: NDArray[np.float64] = file[self.name][start:stop].astype(np.float64, copy=False)
        return rows


def _stamp(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns
