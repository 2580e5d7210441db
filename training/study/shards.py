"""Shards: what one unit of work has recorded, in an HDF5 file of its own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import h5py

from theory.files import replace_file
from theory.hdf5 import (
    LIBVER,
    Allowance,
    Hdf5Error,
    attribute,
    check_seals,
    children,
    format_version,
    integer,
    is_sealed,
    reading,
    real,
    seal,
    text,
)
from training.run_group import RunGroup
from training.runs_file import write_group
from training.runs_header import KNOWN, read_header
from training.runs_reader import RunsFileError, read_group

FORMAT = "stochreset-shard"
FORMAT_VERSION = 1
"""Of shards; those of before it was written count as version 1."""
NOTES = ("fingerprint", "trained", "seconds", "diverged")
COVERED = (*KNOWN, "format_version", *NOTES)
"""Attributes that the checksums cover; shards of older versions have none."""
WAY_OUT = "delete it, and its runs are trained anew"


@dataclass(frozen=True, slots=True)
class Shard:
    """Runs of one unit.

    Attributes
    ----------
    group : RunGroup
        The runs.
    fingerprint : str
        Of the settings that they were trained with.
    trained : int
        Epochs that were trained for them, summed over runs; what was taken from other runs is not counted.
    seconds : float
        Time that took.
    diverged : int
        Runs that diverged.
    """

    group: RunGroup
    fingerprint: str
    trained: int
    seconds: float
    diverged: int


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard, all of it or nothing."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=LIBVER) as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        for name in NOTES:
            file.attrs[name] = getattr(shard, name)
        write_group(file.create_group(shard.group.name), shard.group)
        seal(file, COVERED)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In a study from someone else a link could name any file.
    if path.is_symlink():
        path.unlink()
    replace_file(path, buffer.getbuffer())


def read_shard(path: Path) -> Shard:
    """Read a shard; a `RunsFileError` names the file if it is damaged or no shard."""
    with reading(h5py, path, "shard", RunsFileError, WAY_OUT) as file:
        if attribute(file, "format") != FORMAT:
            raise Hdf5Error("it is not a shard of a training study")
        if attribute(file, "format_version") is not None:
            format_version(file, FORMAT_VERSION)
        ((name, node),) = children(file, h5py.Group, 1).items()
        header = read_header(name, node, Allowance(path))
        sealed = is_sealed(file)
        if sealed:
            check_seals(file, COVERED)
        return Shard(
            read_group(header, sealed),
            text(file, "fingerprint"),
            integer(file, "trained"),
            real(file, "seconds"),
            integer(file, "diverged"),
        )
