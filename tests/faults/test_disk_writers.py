"""Each function that writes a file, on a disk that fails at each of its operations."""

import json
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from stochreset import Brownian, simulate  # noqa: E402
from stochreset.sample_file import read_sample, write_sample  # noqa: E402
from theory.files import replace_file  # noqa: E402
from theory.search.own_loop import OwnLoop  # noqa: E402
from training import RunGroup, read_runs, write_runs  # noqa: E402
from training.study.checkpoints import read_checkpoint, write_checkpoint  # noqa: E402
from training.study.shards import Shard, read_shard, write_shard  # noqa: E402

from .broken_disk import KINDS, every_failure, failing, files, temporaries  # noqa: E402


def group(seed):
    values = np.random.default_rng(seed).normal(size=(8, 30))
    return RunGroup(np.arange(8), {"metric": values}, {"metric": "at_least"})


def own_loop(path, seed):
    """Keep one run of a training loop of one's own."""

    def train(seed, perturbation, period):
        yield from (float(seed), 2.0)

    path.unlink(missing_ok=True)
    loop = OwnLoop(train, ["kick"], goal=1, epochs=2, periods=[1], store=path, first_seed=seed)
    loop.fresh(None, None, 1)


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


WRITERS = {
    "any": (lambda path, seed: replace_file(path, bytes([seed]) * 50_000), lambda path: path.read_bytes()),
    "runs": (lambda path, seed: write_runs(path, [group(seed)], provenance={}), read_runs),
    "sample": (
        lambda path, seed: write_sample(
            path, simulate(Brownian(diffusion=0.5, start=0, target=1), runs=50, horizon=9, seed=seed)
        ),
        read_sample,
    ),
    "shard": (lambda path, seed: write_shard(path, Shard(group(seed), "mark", 3, 0.5, 0)), read_shard),
    "checkpoint": (
        lambda path, seed: write_checkpoint(path, "mark", {"a": torch.full((99,), seed)}),
        lambda path: read_checkpoint(path, "mark"),
    ),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("previous", [True, False], ids=["replaces", "new"])
def test_a_writer_leaves_the_previous_file_or_the_new_one(tmp_path, writer, kind, previous):
    write, read = WRITERS[writer]
    folder = tmp_path / "folder"
    path = folder / "file.h5"

    def prepare(_):
        if previous:
            write(path, 1)

    failures = 0
    for fault, error, before in every_failure(folder, kind, prepare, lambda _: write(path, 2)):
        failures += 1
        left = {str(p.relative_to(folder)) for p in temporaries(folder)}
        if "unlink" not in kind.operations:
            assert not left
        if error is not None:
            assert error.errno == kind.number
            assert f"{path} cannot be written: {kind.cause}" in str(error)
        after = {name: content for name, content in files(folder).items() if name not in left}
        if error is None or after != before:  # cleaning up failed, or the disk when all was in place
            assert set(after) == {"file.h5"} and (error is None or fault.struck[0][0] == "fsync")
            read(path)
        write(path, 3)
        read(path)
    assert failures >= 2


def test_the_store_of_a_loop_of_ones_own_survives(tmp_path):
    store = tmp_path / "store.json"
    own_loop(store, 1)
    before = store.read_bytes()
    with (
        failing(tmp_path, KINDS[0], 1),
        pytest.raises(OSError, match=r"store.json cannot be written: No space"),
    ):
        loop = OwnLoop(lambda *_: iter([0.0, 2.0]), ["kick"], goal=1, epochs=2, periods=[1], store=store)
        loop.fresh(None, None, 1)
    assert store.read_bytes() == before and read_json(store)


@contextmanager
def unprivileged():
    """Within the block this process has no more rights than anybody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """A folder that everybody may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name).resolve() / "folder"
        folder.mkdir()
        yield folder
        folder.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="the rights of a folder are those of POSIX")
@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_without_the_right_to_write(open_folder, writer):
    write, read = WRITERS[writer]
    path = open_folder / "file.h5"
    write(path, 1)
    before = files(open_folder)
    open_folder.chmod(0o555)
    with (
        unprivileged(),
        pytest.raises(PermissionError, match=re.escape(f"{path} cannot be written: Perm")),
    ):
        write(path, 2)
    assert files(open_folder) == before
    read(path)


@pytest.mark.skipif(os.name != "posix", reason="the rights of a folder are those of POSIX")
def test_a_folder_that_lets_files_in_but_not_be_listed(open_folder):
    open_folder.chmod(0o333)
    with unprivileged():
        replace_file(open_folder / "file", b"content")
    open_folder.chmod(0o755)
    assert files(open_folder) == {"file": b"content"}


def test_temporary_files_of_killed_writers_are_removed_once_they_are_old(tmp_path):
    names = [f".file.{letter * 32}.tmp" for letter in "ab"] + [f".other.{'a' * 32}.tmp", ".file.notes.tmp"]
    for name in names:
        (tmp_path / name).touch()
    os.utime(tmp_path / names[0], (0, 0))
    os.utime(tmp_path / names[3], (0, 0))
    replace_file(tmp_path / "file", b"content")
    # The young one may be that of somebody who still writes; the others are not those of this file.
    assert sorted(files(tmp_path)) == sorted(["file", *names[1:]])
