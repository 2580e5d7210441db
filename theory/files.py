"""Files written all or nothing: a previous file survives any error."""

from __future__ import annotations

import errno
import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

ORPHANED_SECONDS = 3600.0
"""Nobody is writing a temporary file any more that has not changed for so long."""


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
        If it is a folder, or neither a file nor a folder: a device, a pipe or a socket.
    OSError
        If its folder does not exist or lets no file be made in it.
    """
    if Path(path).is_dir():
        raise ValueError(f"`{name}` {path} is a folder; give the name of a file in it")
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"`{name}` {path} is a device or a pipe; give the name of a file")
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"`{name}` {path}: the folder {target.parent} does not exist; create it first"
        )
    probe = _temporary(target)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as problem:
        raise _named(problem, path, name) from problem
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
        _sync_folder(target.parent)
    except OSError as problem:
        raise _named(problem, path) from problem
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    with suppress(OSError):
        remove_temporaries(target, target.stat().st_mtime - ORPHANED_SECONDS)


def remove_temporaries(target: Path, before: float = float("inf")) -> None:
    """Remove what writers of ``target`` that were killed have left: temporary files that changed last ``before``.

    Parameters
    ----------
    target : path
        File that was to be written.
    before : float
        By the clock of the file system, seconds. Default: all, which is for those who know that nobody else writes.
    """
    ours = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{32}}\.tmp")
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            with suppress(OSError):
                if ours.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime <= before:
                    os.unlink(entry.path)


def _sync_folder(folder: Path) -> None:
    """Put the new name of a file on disk, where the system and the rights to the folder let one ask for that."""
    if os.name != "posix":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _named(problem: OSError, path: str | os.PathLike[str], name: str = "path") -> OSError:
    """Return an error of the same kind that says which file could not be written, why, and what to do."""
    full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "make room, or choose another place" if full else "choose another place"
    error = type(problem)(f"`{name}` {path} cannot be written: {problem.strerror or problem}; {advice}")
    error.errno = problem.errno
    return error


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
