"""A disk that fails at the k-th operation that changes something below a folder."""

import builtins
import errno
import io
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from .amount import some_of

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Kind:
    """What goes wrong: the error, the operations that can fail, and whether it stays so after the first time."""

    name: str
    number: int
    operations: frozenset
    stays: bool

    @property
    def cause(self):
        return os.strerror(self.number)


NAMING = frozenset({"open", "replace", "rename", "mkdir", "link", "utime"})
KINDS = [
    Kind("disk full", errno.ENOSPC, frozenset({"open", "write", "fsync", "replace", "mkdir"}), True),
    Kind("over quota", errno.EDQUOT, frozenset({"write", "fsync"}), True),
    Kind("permission denied", errno.EACCES, NAMING, False),
    Kind("read-only", errno.EROFS, NAMING | {"write", "unlink"}, True),
    Kind("broken device", errno.EIO, frozenset({"write", "fsync", "replace"}), False),
]


@dataclass
class Fault:
    """Counts operations below ``folder`` and lets the one numbered ``at`` fail."""

    folder: Path
    kind: Kind
    at: int
    count: int = 0
    struck: list = field(default_factory=list)

    def check(self, operation, path):
        path = os.path.abspath(os.fsdecode(path))
        if operation not in self.kind.operations or not f"{path}{os.sep}".startswith(
            f"{self.folder}{os.sep}"
        ):
            return
        self.count += 1
        if self.count == self.at or (self.count > self.at and self.kind.stays):
            self.struck.append((operation, path))
            raise OSError(self.kind.number, self.kind.cause, path)


class _File(io.FileIO):
    def __init__(self, path, mode, fault):
        fault.check("open", path)
        self.fault = fault
        super().__init__(path, mode)

    def write(self, data):
        try:
            self.fault.check("write", self.name)
        except OSError:
            super().write(bytes(data)[: len(data) // 2])  # as much as there was room for
            # A failed write does not know the name of its file.
            raise OSError(self.fault.kind.number, self.fault.kind.cause) from None
        return super().write(data)


@contextmanager
def failing(folder, kind, at):
    """Within the block operation ``at`` of this kind below ``folder`` fails; yields the `Fault`."""
    fault = Fault(Path(os.path.abspath(folder)), kind, at)
    real = {name: getattr(os, name) for name in ("open", "fsync", "unlink", "mkdir", "utime")}
    moves = {name: getattr(os, name) for name in ("replace", "rename", "link")}
    plain_open = builtins.open

    def open_file(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *rest, **more):
        inside = not isinstance(file, int) and os.path.abspath(os.fsdecode(file)).startswith(
            str(fault.folder)
        )
        if not inside or not set(mode) & set("wxa+"):
            return plain_open(file, mode, buffering, encoding, errors, newline, *rest, **more)
        raw = _File(os.fspath(file), mode.replace("b", "").replace("t", ""), fault)
        binary = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return binary if "b" in mode else io.TextIOWrapper(binary, encoding, errors, newline)

    def open_descriptor(path, flags, *rest, **more):
        if flags & WRITING:
            fault.check("open", path)
        return real["open"](path, flags, *rest, **more)

    def fsync(descriptor):
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        fault.check("fsync", os.readlink(f"/proc/self/fd/{number}"))
        return real["fsync"](descriptor)

    def on_one(name):
        def call(path, *rest, **more):
            fault.check(name, path)
            return real[name](path, *rest, **more)

        return call

    def on_two(name):
        def call(source, target, *rest, **more):
            fault.check(name, target)
            return moves[name](source, target, *rest, **more)

        return call

    changed = {"open": open_descriptor, "fsync": fsync}
    changed |= {name: on_one(name) for name in ("unlink", "mkdir", "utime")}
    changed |= {name: on_two(name) for name in moves}
    with (
        mock.patch.multiple(os, **changed),
        mock.patch.object(io, "open", open_file),
        mock.patch.object(builtins, "open", open_file),
    ):
        yield fault


def files(folder):
    """Contents of all files below a folder, by their path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def temporaries(folder):
    """Files below a folder that are meant to be there for a moment only."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [p for p in found if p.suffix == ".tmp" or (p.name.startswith(".") and p.name != ".claims")]


def every_failure(folder, kind, prepare, act, errors=(OSError,), few=None, many=None):
    """Let ``act`` fail at each of its operations, or at a ``few`` in the default suite and ``many`` at full size.

    Yields, with the folder as it was left: the `Fault`, what was raised or None, and the files before.
    """

    def attempt(at):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        prepare(folder)
        before = files(folder)
        with failing(folder, kind, at) as fault:
            try:
                act(folder)
            except errors as problem:
                return fault, problem, before
        return fault, None, before

    undisturbed, error, _ = attempt(at=sys.maxsize)
    assert error is None and undisturbed.count > 0 and not undisturbed.struck
    places = range(1, undisturbed.count + 1)
    for at in some_of(places, few, many):
        fault, error, before = attempt(at)
        # A pool or a clock may take another course, one that never gets so far.
        if fault.struck:
            yield fault, error, before
