"""Shards: what one unit of work has recorded, in an HDF5 file of its own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import h5py

from theory.files import replace_file
from training.run_group import RunGroup
from training.runs_file import write_group
from training.runs_reader import RunsFileError, read_group

FORMAT = "stochreset-shard"


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
    with h5py.File(buffer, "w") as file:
        file.attrs["format"] = FORMAT
        for name in ("fingerprint", "trained", "seconds", "diverged"):
            file.attrs[name] = getattr(shard, name)
        write_group(file.create_group(shard.group.name), shard.group)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, buffer.getbuffer())


def read_shard(path: Path) -> Shard:
    """Read a shard; a `RunsFileError` names the file if it is damaged or no shard."""
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise RunsFileError("it is not a shard of a training study")
            (name,) = file
            return Shard(
                read_group(name, file[name]),
                str(file.attrs["fingerprint"]),
                int(file.attrs["trained"]),
                float(file.attrs["seconds"]),
                int(file.attrs["diverged"]),
            )
    except FileNotFoundError:
        raise
    except RunsFileError as problem:
        raise RunsFileError(f"{path}: {problem}") from None
    # What h5py raises on damaged files.
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, MemoryError) as problem:
        raise RunsFileError(f"{path} cannot be read, it may be damaged: {problem}; delete it") from problem
