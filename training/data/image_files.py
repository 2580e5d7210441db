"""Image files decoded to one array, in threads."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.cores import available_cores
from training.data.late_bar import late_bar

# Files that a thread takes at once: small images take less time than handing out one of them.
FILES_AT_ONCE = 64
UNDECODABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)


def decode_images(files: Sequence[Path], size: int | None = None) -> NDArray[np.uint8]:
    """Decode image files to RGB.

    Parameters
    ----------
    files : sequence of Path
        At least one image file.
    size : int, optional
        Resize every image to so many pixels in height and width; without it all must have one size.

    Returns
    -------
    (images, 3, height, width) array
        In the order of ``files``.

    Raises
    ------
    ValueError
        If a file cannot be decoded, or has another size than the first one.
    """
    first = _decode(files[0], size)
    images = np.empty((len(files), 3, *first.shape[:2]), dtype=np.uint8)

    def decode(start: int) -> None:
        for at, file in enumerate(files[start : start + FILES_AT_ONCE], start):
            image = _decode(file, size)
            if image.shape != first.shape:
                raise ValueError(
                    f"`root` must hold images of one size, and {file} has {_pixels(image)} where {files[0]} has "
                    f"{_pixels(first)}; give a `size` to resize all of them, such as {min(first.shape[:2])}"
                )
            images[at] = image.transpose(2, 0, 1)

    starts = range(0, len(files), FILES_AT_ONCE)
    pool = ThreadPoolExecutor(available_cores())
    try:
        with late_bar("decoding images", len(files)) as show:
            for start, _ in zip(starts, pool.map(decode, starts), strict=True):
                show(min(start + FILES_AT_ONCE, len(files)))
    finally:
        pool.shutdown(cancel_futures=True)
    return images


def _decode(file: Path, size: int | None) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(file) as opened:
            if opened.mode.startswith(("I", "F")):
                raise ValueError(f"its pixels, of mode {opened.mode}, do not fit into 8 bits")
            image = opened.convert("RGB")
    except (*UNDECODABLE, Image.DecompressionBombError) as problem:
        raise ValueError(
            f"`root` holds an image that cannot be decoded, {file}: {problem}; replace or remove the file"
        ) from problem
    if size is not None and image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _pixels(image: NDArray[np.uint8]) -> str:
    return f"{image.shape[1]} x {image.shape[0]} pixels"
