"""Reading files that `torch.save` wrote, of anyone: no code in them runs, and none unpacks to more than it is."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch


class TensorFileError(ValueError):
    """A file cannot be read as one of `torch.save`; the message says what it is like, not which file."""


def load_tensors(path: Path, archive: bool = False) -> Any:
    """Return what a file holds: tensors, numbers, texts, lists and dicts.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    archive : bool
        Whether it must be the zip archive that `torch.save` writes by default, whose parts have checksums.

    Raises
    ------
    TensorFileError
        If it is damaged, holds anything else, or is larger unpacked than packed.
    OSError
        If it cannot be read.
    """
    try:
        if zipfile.is_zipfile(path):
            _check_archive(path)
        elif archive:
            raise TensorFileError("it may be damaged, it is no zip archive as `torch.save` writes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of what else such a file may be
            return torch.load(path, map_location="cpu", weights_only=True)
    except (TensorFileError, OSError):
        raise
    # torch raises its own, pickle's and zip's errors for what is no such file, or one that would run code. Its
    # message advises to run that code, so only the kind of error is passed on.
    except Exception as problem:
        raise TensorFileError(f"it may be damaged ({type(problem).__name__})") from problem


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as found:
        parts = found.infolist()
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise TensorFileError("its parts are compressed, which those that `torch.save` writes are not")
        if sum(part.file_size for part in parts) > path.stat().st_size:
            raise TensorFileError("its parts are larger than the file")
        if damaged := found.testzip():
            raise TensorFileError(f"it is damaged: {damaged!r} does not fit its checksum")
