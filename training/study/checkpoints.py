"""Checkpoints: the state of a block of runs in a file, written all or nothing, read without running code."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from theory.files import replace_file

FORMAT = "stochreset-checkpoint 1"


class CheckpointError(ValueError):
    """A file is not a checkpoint that can be used; the message names it."""


def write_checkpoint(path: Path, fingerprint: str, state: dict[str, Any]) -> None:
    """Write ``state``, made of tensors, numbers, text, lists and dicts."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "fingerprint": fingerprint, "state": state}, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, buffer.getbuffer())


def read_checkpoint(path: Path, fingerprint: str) -> dict[str, Any]:
    """Read a state that was written with the same fingerprint.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If it is damaged, no checkpoint, or one of other settings.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    # torch raises its own, pickle's and zip's errors for what is no checkpoint, or one that would run code. Its
    # message advises to run that code, so only the kind of error is passed on.
    except Exception as problem:
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint, it may be damaged ({type(problem).__name__})"
        ) from problem
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a checkpoint of this version of stochreset")
    if stored.get("fingerprint") != fingerprint:
        raise CheckpointError(f"{path} belongs to a study with other settings")
    state: dict[str, Any] = stored["state"]
    return state
