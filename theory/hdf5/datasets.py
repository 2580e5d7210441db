"""What a data set declares, held against what the file stores of it, before any value is read."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from theory.hdf5.access import Hdf5Error

BYTES_VARIABLE = "STOCHRESET_MOST_BYTES"
"""Environment variable: bytes of values to read from one file at most."""
FREE_BYTES = 2**30
"""Values up to this size are read from a file of any size."""
FILE_RATIO = 100
"""Bytes of values read for each byte of a file that is larger."""
STORED_RATIO = 1_100
"""Bytes of a data set for each byte stored of it: gzip reaches 1,032."""
SMALL_BYTES = 2**16
LARGEST_CHUNK = 64 * 2**20
FILTERS = {"1": "gzip", "2": "shuffle", "3": "fletcher32", "32000": "lzf"}
"""Those that come with h5py and expand a little only; any other could be a plug-in, that is, code."""


class Allowance:
    """Bytes of values that may be read from a file.

    At most 1 GiB, or 100 times the size of the file where that is more, or what the environment variable
    ``STOCHRESET_MOST_BYTES`` says.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.file_bytes = Path(path).stat().st_size
        given = os.environ.get(BYTES_VARIABLE, "")
        if given and not (given.isascii() and given.isdigit()):
            raise Hdf5Error(f"`{BYTES_VARIABLE}` must be a number of bytes, got {given!r}")
        self.total = int(given) if given else max(FREE_BYTES, FILE_RATIO * self.file_bytes)
        self.left = self.total

    def take(self, name: str, size: int) -> None:
        """Count a data set; raise if that is too much."""
        self.left -= size
        if self.left < 0:
            raise Hdf5Error(
                f"`{name}` declares {size:,} bytes, with which the file holds more than {self.total:,}, the most "
                f"that is read from {self.file_bytes:,} bytes; if it comes from someone you trust, set the "
                f"environment variable {BYTES_VARIABLE} to the number of bytes to allow"
            )


def check_dataset(dataset: Any, dtype: Any, dimensions: int, allowance: Allowance) -> None:
    """Raise if a data set is not of this type and these dimensions, lies elsewhere, or declares more than is stored."""
    name = dataset.name
    if dataset.external or dataset.is_virtual:
        raise Hdf5Error(f"the values of `{name}` lie in another file; store them in this one")
    # Exactly this type: rounded to float32, a metric equal to a threshold can fall below it.
    if dataset.dtype.newbyteorder("=") != np.dtype(dtype) or len(dataset.shape or ()) != dimensions:
        raise Hdf5Error(
            f"`{name}` must be {dimensions}-D {np.dtype(dtype)}, got {len(dataset.shape or ())}-D {dataset.dtype}"
        )
    _check_filters(dataset)
    declared = math.prod(dataset.shape) * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    if stored > allowance.file_bytes:
        raise Hdf5Error(
            f"`{name}` declares {stored:,} bytes stored in a file of {allowance.file_bytes:,}; it is damaged, "
            "restore it from a copy"
        )
    if declared > STORED_RATIO * stored + SMALL_BYTES:
        raise Hdf5Error(
            f"`{name}` declares {declared:,} bytes, of which {stored:,} are stored; at most {STORED_RATIO:,} times "
            "as many are read, store the values themselves"
        )
    _check_chunks(dataset, declared)
    allowance.take(name, declared)


def _check_filters(dataset: Any) -> None:
    created = dataset.id.get_create_plist()
    known = [str(created.get_filter(at)[0]) for at in range(created.get_nfilters())]
    for each in known:
        if each not in FILTERS or known.count(each) > 1:
            raise Hdf5Error(
                f"`{dataset.name}` is stored with the filters {', '.join(known)}; only {', '.join(FILTERS.values())}"
                " are read, each once"
            )


def _check_chunks(dataset: Any, declared: int) -> None:
    if dataset.chunks is None:
        return
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if size > max(LARGEST_CHUNK, declared):
        raise Hdf5Error(
            f"`{dataset.name}` is stored in chunks of {size:,} bytes; at most {LARGEST_CHUNK:,} are read, "
            "store it in smaller ones"
        )
