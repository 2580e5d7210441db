"""Checkpoints: the state of a block of runs in a file, written all or nothing, read without running code."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from theory.files import replace_file
from training.tensor_files import TensorFileError, load_tensors

FORMAT = "stochreset-checkpoint 1"


class CheckpointError(ValueError):
    """A file is not a checkpoint that can be used; the message names it."""


def write_checkpoint(path: Path, fingerprint: str, state: dict[str, Any]) -> None:
    """Write ``state``, made of tensors, numbers, text, lists and dicts."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "fingerprint": fingerprint, "state": state}, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In a study from someone else a link could name any file.
    if path.is_symlink():
        path.unlink()
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
        stored = load_tensors(path, archive=True)
    except (TensorFileError, OSError) as problem:
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint, {problem}; delete it, and its runs are trained anew"
        ) from problem
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a checkpoint of this version of stochreset")
    if stored.get("fingerprint") != fingerprint:
        raise CheckpointError(f"{path} belongs to a study with other settings")
    state = stored.get("state")
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} is not a checkpoint, it holds no state; delete it")
    return state
