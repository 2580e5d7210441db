"""Global heaps of an HDF5 file: the texts of its attributes lie in them, and no checksum of the library covers them.

A collection is a chain of objects, each of which says where the next one begins (HDF5 file format specification,
III.E). The library follows that chain without asking whether it gets any further: where a damaged object says that it
takes no room, it never returns; older ones (1.14) follow steps back as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

SIGNATURE = b"GCOL"
VERSION = 1
ALIGNMENT = 8
"""Bytes, of which headers and objects take a multiple."""
SMALLEST_OBJECT = 16
"""Bytes, header included."""
BLOCK_BYTES = 4 * 2**20
BACK = 2**63
"""From here on a step of 64 bits leads back."""


def endless_heap(path: str | os.PathLike[str], length_size: int) -> int | None:
    """Return where in the file a collection begins that the library would never finish, None if there is none.

    All places that look like the beginning of a collection are tried, in time and memory that do not depend on what
    the file says: one pass over its bytes, and no more objects than have room in it.

    Parameters
    ----------
    path : path
        The file.
    length_size : int
        Bytes of a length within the file, as its superblock has them.
    """
    objects_left = os.stat(path).st_size // SMALLEST_OBJECT
    with open(path, "rb") as scanned, open(path, "rb") as file:
        for start in _collections(scanned):
            objects_left -= 1
            for step in _steps(file, start, length_size):
                objects_left -= 1
                # Collections that share bytes could make this as long as they like.
                if not 0 < step < BACK or objects_left < 0:
                    return start
    return None


def _collections(file: BinaryIO) -> Iterator[int]:
    """Yield the places of the signature, block by block."""
    start, rest = 0, b""
    while block := file.read(BLOCK_BYTES):
        block = rest + block
        found = block.find(SIGNATURE)
        while found >= 0:
            yield start + found
            found = block.find(SIGNATURE, found + 1)
        rest = block[1 - len(SIGNATURE) :]
        start += len(block) - len(rest)


def _steps(file: BinaryIO, start: int, length_size: int) -> Iterator[int]:
    """Yield the bytes from each object of a collection to the next, reckoned as the library does."""
    header = _aligned(8 + length_size)
    file.seek(start)
    first = file.read(header)
    if len(first) < header or first[4] != VERSION:
        return
    at, end = start + header, start + int.from_bytes(first[8 : 8 + length_size], "little")
    while at + header <= end:
        file.seek(at)
        found = file.read(header)
        if len(found) < header:
            return
        index, size = (
            int.from_bytes(found[:2], "little"),
            int.from_bytes(found[8 : 8 + length_size], "little"),
        )
        # Object 0 is what is free, header included; sums are those of 64 bits.
        step = (header + _aligned(size)) % 2**64 if index else size
        yield step
        at += step


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
