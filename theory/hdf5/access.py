"""Opening HDF5 files, and reading their links and attributes, with limits on all that a file declares."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from theory.hdf5.global_heaps import endless_heap
from theory.printable import printable

LIBVER = ("v110", "v110")
"""What to write: HDF5 1.10 and newer, in which the library checks its own structures by checksums."""
MOST_GROUPS = 10_000
MOST_DATASETS = 1_000
MOST_ATTRIBUTES = 1_000
MOST_TEXT = 16 * 2**20
"""Bytes of one attribute."""
LONGEST_INTEGER = 40
"""Digits of a whole number in JSON."""
DEEPEST = 100
"""Levels of JSON."""
LONGEST_MESSAGE = 1_000
HARD = 0
"""H5L_TYPE_HARD."""
DAMAGE = (OSError, LookupError, RuntimeError, TypeError, ValueError, ArithmeticError, MemoryError)
"""What h5py raises on damaged files; the message it gives is passed on."""


class Hdf5Error(ValueError):
    """Something in an HDF5 file is not as its format asks for; the message does not name the file yet."""


@contextmanager
def reading(
    library: Any, path: str | os.PathLike[str], what: str, error: type[ValueError], way_out: str
) -> Iterator[Any]:
    """Open a file to read; whatever fails within the block becomes an ``error`` that names the file.

    Parameters
    ----------
    library : module
        h5py.
    path : path
        The file.
    what : str
        What it should be, in words.
    error : type
        Error to raise.
    way_out : str
        What to do about a file that is no HDF5 file, or damaged.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no {what} {path}")
    if not library.is_hdf5(path):
        raise error(f"{path} is not a readable HDF5 file; {way_out}")
    try:
        with library.File(path, "r") as file:
            _check_heaps(file, path)
            check_attributes(file)
            yield file
    except (error, Hdf5Error) as problem:
        raise error(f"{path}: {_shown(problem)}") from None
    except DAMAGE as problem:
        raise error(f"{path} cannot be read, it may be damaged: {_shown(problem)}; {way_out}") from problem


def _check_heaps(file: Any, path: str | os.PathLike[str]) -> None:
    start = endless_heap(path, file.id.get_create_plist().get_sizes()[1])
    if start is not None:
        raise Hdf5Error(
            f"it is damaged: the global heap at byte {start:,} leads nowhere; restore the file from a copy"
        )


def _shown(problem: BaseException) -> str:
    message = printable(str(problem))
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}..."


def children(node: Any, kind: type, most: int) -> dict[str, Any]:
    """Return what a group holds by name; all of it must be of one kind, at most so many, and no links.

    Parameters
    ----------
    node : h5py.Group
        The group.
    kind : type
        h5py.Group or h5py.Dataset.
    most : int
        Members it may have.
    """
    if len(node) > most:
        raise Hdf5Error(
            f"`{node.name}` holds {len(node):,} members, of which at most {most:,} are read; "
            "split the file into several"
        )
    found = {}
    for name in node:
        # A soft or external link could lead out of the group, or to any other file.
        if node.id.links.get_info(name.encode("utf-8", "surrogateescape")).type != HARD:
            raise Hdf5Error(
                f"`{node.name}` holds the link {name!r}; soft and external links are not followed, store the "
                "values themselves"
            )
        child = node[name]
        if not isinstance(child, kind):
            raise Hdf5Error(f"`{child.name}` is a {type(child).__name__}, expected a {kind.__name__}")
        check_attributes(child)
        found[name] = child
    return found


def check_attributes(node: Any) -> None:
    """Raise if a node has more attributes than any that this project writes."""
    if len(node.attrs) > MOST_ATTRIBUTES:
        raise Hdf5Error(
            f"`{node.name}` has {len(node.attrs):,} attributes, of which at most {MOST_ATTRIBUTES:,} are read; "
            "remove those that the format does not know"
        )


def attribute(node: Any, key: str) -> str | int | float | None:
    """Return an attribute that is one text or number, None where there is none; nothing else is read."""
    if key not in node.attrs:
        return None
    stored = node.attrs.get_id(key)
    dtype = stored.dtype
    textual = dtype.kind == "S" or (dtype.metadata or {}).get("vlen") in (str, bytes)
    if stored.shape != () or not (textual or dtype.kind in "iuf"):
        raise Hdf5Error(
            f"`{node.name}`: the attribute `{key}` must be one text or number, got {_form(stored)}; "
            "references and arrays are not read"
        )
    if stored.get_storage_size() > MOST_TEXT:
        raise _too_long(node, key, stored.get_storage_size())
    value = node.attrs[key]
    if not textual:
        return int(value) if dtype.kind in "iu" else float(value)
    if len(value) > MOST_TEXT:
        raise _too_long(node, key, len(value))
    try:
        # What is not UTF-8 comes as lone surrogates.
        return (value if isinstance(value, bytes) else value.encode()).decode()
    except UnicodeError:
        raise Hdf5Error(f"`{node.name}`: the attribute `{key}` is not UTF-8 text") from None


def _form(stored: Any) -> str:
    return f"shape {stored.shape} of {stored.dtype}"


def _too_long(node: Any, key: str, size: int) -> Hdf5Error:
    return Hdf5Error(
        f"`{node.name}`: the attribute `{key}` has {size:,} bytes, at most {MOST_TEXT:,} are read; shorten it"
    )


def text(node: Any, key: str) -> str:
    """Return an attribute that must be text."""
    value = attribute(node, key)
    if not isinstance(value, str):
        raise Hdf5Error(f"`{node.name}` must have an attribute `{key}` that is text, got {value!r}")
    return value


def integer(node: Any, key: str, least: int = 0, most: int = np.iinfo(np.int64).max) -> int:
    """Return an attribute that must be a whole number, within limits."""
    value = attribute(node, key)
    if not isinstance(value, int) or not least <= value <= most:
        raise Hdf5Error(
            f"`{node.name}`: the attribute `{key}` must be a whole number from {least}, got {value!r:.100}"
        )
    return value


def format_version(node: Any, newest: int) -> int:
    """Return the version of a file's format; one newer than ``newest`` cannot be read."""
    version = integer(node, "format_version", least=1)
    if version > newest:
        raise Hdf5Error(
            f"it has format version {version}, this version of stochreset reads up to {newest}; upgrade stochreset"
        )
    return version


def real(node: Any, key: str) -> float:
    """Return an attribute that must be a number."""
    value = attribute(node, key)
    if not isinstance(value, int | float):
        raise Hdf5Error(f"`{node.name}`: the attribute `{key}` must be a number, got {value!r:.100}")
    return float(value)


def json_object(node: Any, key: str) -> dict[str, Any]:
    """Return an attribute that must be the JSON text of an object, NaN and infinities excluded."""
    content = text(node, key)
    try:
        value = json.loads(content, parse_constant=_refuse, parse_int=_whole)
        _check_depth(value)
    except RecursionError:
        raise Hdf5Error(f"`{node.name}`: the attribute `{key}` is JSON nested too deeply") from None
    except ValueError as problem:
        raise Hdf5Error(f"`{node.name}`: the attribute `{key}` is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise Hdf5Error(f"`{node.name}`: the attribute `{key}` must be a JSON object, got {content[:100]}")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"it has no {constant}")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError(f"it holds a number of {len(digits):,} digits, at most {LONGEST_INTEGER} are read")
    return int(digits)


def _check_depth(value: Any) -> None:
    """Raise if containers are nested deeper than whatever shows or writes them can follow."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            each
            for node in level
            if isinstance(node, dict | list)
            for each in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise ValueError(f"it is nested more than {DEEPEST} levels deep; flatten it")
