"""Claim a unit, so that of all workers that share a folder only one does it at a time.

A claim is a file that only one process can create. It says who holds it, and a thread of the holder keeps touching
it. A claim whose holder has died is taken over: looking at it and replacing it happen under a lock of the operating
system where the file system has those (``flock``), and by renaming it, of which only one process is capable, in any
case.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

HEARTBEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
_abandoned: set[str] = set()
"""Claims of this process that it could not remove, as on a disk that became read-only."""


@contextmanager
def claim(folder: Path, name: str) -> Iterator[bool]:
    """Hold the claim ``name`` in ``folder`` within the block, if nobody else alive holds it.

    The holder counts as dead if it ran on this machine and its process is gone, or if it ran elsewhere and has not
    touched its claim for 60 seconds, as told by the clock of the file system.

    Parameters
    ----------
    folder
        Made if it is missing; shared by all workers.
    name
        Of the unit; part of a file name.

    Yields
    ------
    bool
        Whether the block holds the claim; it is given up on leaving the block.

    Raises
    ------
    ValueError
        If ``name`` cannot be part of a file name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, claim(Path(folder), "a") as mine, claim(Path(folder), "a") as too:
    ...     print(mine, too)
    True False
    """
    if not name or name.startswith(".") or any(letter in name for letter in '/\\\0:*?"<>|'):
        raise ValueError(
            f"`name` of a claim must be usable as a file name; got {name!r}. Replace such letters by '-'"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.claim"
    token = uuid.uuid4().hex
    with _guard(folder) as now:
        _remove_graves(path, now)
        held = _create(path, token) or (_take_away(path, now) and _create(path, token))
    if not held:
        yield False
        return
    ended = threading.Event()
    try:
        threading.Thread(target=_beat, args=(path, token, ended), daemon=True).start()
        yield True
    finally:
        ended.set()
        _give_up(path, token)


def _create(path: Path, token: str) -> bool:
    """Create the claim unless it exists; say whether that worked."""
    pid = os.getpid()
    holder = {"host": _machine(), "pid": pid, "started": _start_of(pid), "token": token}
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with file:
            json.dump(holder, file)
    except OSError as problem:
        # An empty claim would keep everybody out until it counts as dead.
        _abandoned.add(token)
        with suppress(OSError):
            path.unlink()
        raise type(problem)(problem.errno, problem.strerror, str(path)) from problem
    return True


def _give_up(path: Path, token: str) -> None:
    """Remove one's own claim; a disk on which that fails must not hide how the work under it ended."""
    with ExitStack() as guard:
        with suppress(OSError):  # nobody takes the claim of the living away, so that it goes without the lock
            guard.enter_context(_guard(path.parent))
        try:
            if _read(path).get("token") == token:
                path.unlink(missing_ok=True)
        except OSError:
            _abandoned.add(token)


def _take_away(path: Path, now: float) -> bool:
    """Remove the claim of a holder that is dead; say whether that worked."""
    holder = _read(path)
    if not _is_dead(path, holder, now):
        return False
    grave = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.rename(grave)
    except FileNotFoundError:
        return False
    taken = _read(grave)
    if taken != holder:
        # Without flock, another process may have replaced the dead claim by its own in between: put that back.
        with suppress(OSError):
            os.link(grave, path)
    grave.unlink(missing_ok=True)
    return taken == holder


def _remove_graves(path: Path, now: float) -> None:
    """Remove the claims that were taken away by processes that died while they did so."""
    for grave in path.parent.glob(f".{path.name}.*"):
        with suppress(OSError):
            if now - grave.stat().st_ctime > STALE_SECONDS:
                grave.unlink()


def _is_dead(path: Path, holder: dict[str, object], now: float) -> bool:
    if str(holder.get("token")) in _abandoned:
        return True
    pid = holder.get("pid")
    if holder.get("host") == _machine() and isinstance(pid, int):
        if holder.get("started") is not None:
            # Surer than the heartbeat, which also stops when a laptop sleeps or a job is suspended.
            return _start_of(pid) != holder["started"]
        if _is_gone(pid):
            return True
    try:
        return now - path.stat().st_mtime > STALE_SECONDS
    except FileNotFoundError:
        return False


def _read(path: Path) -> dict[str, object]:
    """Return who holds the claim; nothing if it is gone, damaged, or just being written."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return holder if isinstance(holder, dict) else {}


def _beat(path: Path, token: str, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        if _read(path).get("token") not in (token, None):
            return
        with suppress(OSError):
            os.utime(path)


@contextmanager
def _guard(folder: Path) -> Iterator[float]:
    """Let one process at a time into the block, where the file system can; yield the time of its clock."""
    with (folder / ".claims").open("a") as file:
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
        os.utime(file.name)
        yield os.stat(file.name).st_mtime


def _machine() -> str:
    """Return what tells apart machines, their restarts, and containers: process ids mean the same within it."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def _is_gone(pid: int) -> bool:
    """Whether there is no process ``pid`` on this machine; False where that cannot be asked."""
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _start_of(pid: int) -> str | None:
    """Return when process ``pid`` of this machine started, in ticks since boot; None if it is gone or unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name of the command, in brackets, may contain anything; state is field 3 and the start is field 22.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
