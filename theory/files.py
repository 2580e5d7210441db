"""Files written all or nothing: a previous file survives any error."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def check_target(path: str | os.PathLike[str], name: str = "path") -> Path:
    """Return where a file at ``path`` would be written, symbolic links followed.

    Parameters
    ----------
    path : path
        File to write, existing or not.
    name : str
        What error messages call it.

    Raises
    ------
    ValueError
        If it is a folder.
    OSError
        If its folder does not exist or lets no file be made in it.
    """
    if Path(path).is_dir():
        raise ValueError(f"`{name}` {path} is a folder; give the name of a file in it")
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"`{name}` {path}: the folder {target.parent} does not exist; create it first"
        )
    probe = _temporary(target)
    try:
        probe.touch(exist_ok=False)
    except OSError as problem:
        reason = problem.strerror or problem
        raise type(problem)(f"`{name}` {path} cannot be written: {reason}; choose another place") from problem
    probe.unlink()
    return target


def replace_file(path: str | os.PathLike[str], content: bytes | memoryview) -> None:
    """Write ``content`` in one step, once it is safely on disk; errors as for `check_target`."""
    target = check_target(path)
    temporary = _temporary(target)
    try:
        with open(temporary, "xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
