"""Decoded images kept in a file, with a checksum at its end."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from theory.files import replace_file

# Bytes of the CRC-32 that follows the array, and read for it at once.
CHECKSUM, READ_AT_ONCE = 4, 2**20


def cache_path(root: Path, files: Sequence[Path], size: int | None) -> Path:
    """Return the file for these images; its name depends on names, sizes and times of ``files``.

    Parameters
    ----------
    root : Path
        Folder of the cache.
    files : sequence of Path
        The image files, in ``root`` at any depth, in order.
    size : int, optional
        What they are resized to.
    """
    import PIL

    # Decoders of other versions may round otherwise.
    digest = hashlib.sha256(f"Pillow {PIL.__version__}; size {size}".encode())
    for file in files:
        status = file.stat()
        name = file.relative_to(root).as_posix()
        digest.update(f"\0{name}\0{status.st_size} {status.st_mtime_ns}".encode(errors="surrogateescape"))
    return root / f".stochreset-cache-{digest.hexdigest()[:32]}.npy"


def read_cache(path: Path, count: int) -> NDArray[np.uint8] | None:
    """Return the ``count`` images kept in ``path``, or None if there is no such file or it is damaged."""
    try:
        with open(path, "rb") as handle:
            if not _intact(handle):
                return None
            handle.seek(0)
            images = np.load(handle, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return images if images.dtype == np.uint8 and images.ndim == 4 and len(images) == count else None


def write_cache(path: Path, images: NDArray[np.uint8]) -> None:
    """Keep ``images`` in ``path``, all or nothing; do nothing where the file cannot be written."""
    content = io.BytesIO()
    np.save(content, images, allow_pickle=False)
    content.write(zlib.crc32(content.getbuffer()).to_bytes(CHECKSUM, "little"))
    try:
        replace_file(path, content.getbuffer())
    except (OSError, ValueError):
        return


def _intact(handle: BinaryIO) -> bool:
    left = os.fstat(handle.fileno()).st_size - CHECKSUM
    found = 0
    while left > 0 and (part := handle.read(min(left, READ_AT_ONCE))):
        found = zlib.crc32(part, found)
        left -= len(part)
    return handle.read() == found.to_bytes(CHECKSUM, "little")
