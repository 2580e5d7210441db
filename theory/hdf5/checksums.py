r"""Checksums within an HDF5 file: of each data set, of each group, and at the root of all of it.

Each is the SHA-256 in hexadecimal, in the attribute ``checksum``. That of a data set is over its header, which
is the JSON text of its name, type, shape and known attributes, a line feed, and its values row by row, little
endian. That of a group is over the JSON text of its name, its known attributes and the checksums of its
members. JSON texts have sorted keys and no spaces. Attributes that a format does not know are not covered.
Checksums tell of damage, not of who wrote a file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.hdf5.access import Hdf5Error, attribute, text

ATTRIBUTE = "checksum"
BLOCK_BYTES = 16 * 2**20


def row_blocks(dataset: Any) -> Iterator[slice]:
    """Yield the rows of a data set in blocks of about 16 MiB, none of which divides a stored chunk."""
    row = max(1, math.prod(dataset.shape[1:]) * dataset.dtype.itemsize)
    chunk = dataset.chunks[0] if dataset.chunks else 1
    rows = max(1, BLOCK_BYTES // (row * chunk)) * chunk
    for start in range(0, dataset.shape[0], rows):
        yield slice(start, min(start + rows, dataset.shape[0]))


def checksum(node: Any, known: Sequence[str], values: NDArray[Any] | None = None) -> str:
    """Return the checksum of a data set or group, from its values or the checksums of its members.

    Parameters
    ----------
    node : h5py.Dataset or h5py.Group
        The members of a group must have theirs.
    known : sequence of str
        Attributes to cover, where they are present.
    values : array, optional
        Those of the data set, where they are at hand and need not be read.
    """
    if not hasattr(node, "dtype"):
        members = {name: text(node[name], ATTRIBUTE) for name in node}
        return hashlib.sha256(_header(node, known, members=members)).hexdigest()
    digest = _started(node, known)
    source = node if values is None else values
    for rows in row_blocks(node):
        digest.update(_bytes(source[rows]))
    return str(digest.hexdigest())


def seal(node: Any, known: Sequence[str]) -> None:
    """Write the checksums of a group and of all within it that have none yet."""
    for child in node.values():
        if hasattr(child, "dtype") and ATTRIBUTE not in child.attrs:
            child.attrs[ATTRIBUTE] = checksum(child, known)
        elif not hasattr(child, "dtype"):
            seal(child, known)
    node.attrs[ATTRIBUTE] = checksum(node, known)


def is_sealed(node: Any) -> bool:
    """Whether a node or any within it has a checksum."""
    if ATTRIBUTE in node.attrs:
        return True
    return not hasattr(node, "dtype") and any(is_sealed(child) for child in node.values())


def check_seals(node: Any, known: Sequence[str]) -> None:
    """Compare the checksums of a group and the groups within it; values are for `verify` and `read`."""
    for child in node.values():
        if not hasattr(child, "dtype"):
            check_seals(child, known)
    _compare(node, checksum(node, known))


def verify(dataset: Any, known: Sequence[str]) -> None:
    """Compare the checksum of a data set with its values, block by block."""
    _compare(dataset, checksum(dataset, known))


def read(dataset: Any, known: Sequence[str], sealed: bool) -> NDArray[Any]:
    """Return the values of a data set, read-only, compared with its checksum where it is sealed."""
    values = np.empty(dataset.shape, dataset.dtype.newbyteorder("="))
    digest = _started(dataset, known) if sealed else None
    for rows in row_blocks(dataset):
        values[rows] = dataset[rows]
        if digest is not None:
            digest.update(_bytes(values[rows]))
    if digest is not None:
        _compare(dataset, digest.hexdigest())
    values.flags.writeable = False
    return values


def _started(dataset: Any, known: Sequence[str]) -> Any:
    dtype = dataset.dtype.newbyteorder("<").str
    return hashlib.sha256(_header(dataset, known, dtype=dtype, shape=dataset.shape) + b"\n")


def _header(node: Any, known: Sequence[str], **rest: Any) -> bytes:
    given = {key: value for key in known if (value := attribute(node, key)) is not None}
    header = {"name": node.name.rpartition("/")[2], "attributes": given, **rest}
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values as little-endian bytes, without a copy where they are so already."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(-1).view(np.uint8)


def _compare(node: Any, found: str) -> None:
    if text(node, ATTRIBUTE) != found:
        raise Hdf5Error(
            f"`{node.name}` does not fit its checksum, it is damaged or was changed; restore the file from a copy, "
            "or write it anew with the values that you mean it to have"
        )
