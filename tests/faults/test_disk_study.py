"""A training study on a disk that fails at each of its operations, and on a real one that is full or read-only."""

import errno
import os
import subprocess

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from theory.files import replace_file  # noqa: E402
from training.executors import claim  # noqa: E402
from training.study import StudyError, run_study  # noqa: E402

from .amount import FULL  # noqa: E402
from .broken_disk import KINDS, every_failure, failing, files, temporaries  # noqa: E402
from .small_study import check_files, gathered, same, study  # noqa: E402

SMALL = study(epochs=4, seeds=range(2), treatments=study().treatments[:1])
KINDS_HERE = KINDS if FULL else KINDS[:3]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run_study(SMALL, folder)
    return folder


@pytest.mark.parametrize("kind", KINDS_HERE, ids=lambda kind: kind.name)
def test_a_study_keeps_what_is_done_and_goes_on(tmp_path, undisturbed, kind):
    folder = tmp_path / "study"
    failures = 0
    for fault, error, _ in every_failure(
        folder,
        kind,
        lambda _: None,
        lambda _: run_study(SMALL, folder),
        errors=(OSError, StudyError),
        few=3,
        many=None if kind is KINDS[0] else 15,
    ):
        failures += error is not None
        if error is None:  # a note of progress, a claim given up, a file to clean up
            assert same(gathered(folder), gathered(undisturbed))
        else:
            assert kind.cause in str(error) and str(folder) in str(error), (error, fault.struck)
        if "unlink" not in kind.operations:
            assert not [p for p in temporaries(folder) if p.name != "study.json"]
            assert not list((folder / "claims").glob("*.claim"))
        check_files(SMALL, folder, undisturbed)
        run_study(SMALL, folder)
        assert same(gathered(folder), gathered(undisturbed))
        assert not [p for p in temporaries(folder / "shards") + temporaries(folder / "checkpoints")]
    assert failures >= (3 if FULL else 1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_claim_that_cannot_be_written_keeps_nobody_out(tmp_path, kind):
    def take(folder):
        with claim(folder, "a") as mine:
            assert mine

    folder = tmp_path / "claims"
    failures = 0
    for fault, error, _ in every_failure(folder, kind, lambda _: None, take):
        failures += 1
        assert error is None or (kind.cause in str(error) and str(folder) in str(error)), fault.struck
        if "unlink" in kind.operations and fault.struck[0][0] != "unlink":
            continue  # half a claim that could not be removed: nobody knows whose it is before it is old
        take(folder)
        assert not list(folder.glob("*.claim"))
    assert failures


def test_what_the_block_of_a_claim_raises_is_not_hidden(tmp_path):
    with pytest.raises(ArithmeticError), claim(tmp_path, "a"), failing(tmp_path, KINDS[3], 1):
        raise ArithmeticError


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own with room for 256 KiB; yields the folder and what to mount it anew with."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, timeout=30)
    except OSError as problem:
        pytest.skip(f"a disk of its own cannot be mounted: {problem}")
    if done.returncode:
        pytest.skip(f"a disk of its own cannot be mounted: {done.stderr.strip()}")

    def remount(options):
        command = ["mount", "-o", f"remount,{options}", str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    yield folder, remount
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True, timeout=30)


def test_a_real_disk_that_is_full_or_read_only(small_disk, undisturbed):
    disk, remount = small_disk
    replace_file(disk / "file", b"old")
    with pytest.raises(
        OSError, match=r"disk/file cannot be written: No space left on device; make room"
    ) as full:
        replace_file(disk / "file", bytes(300_000))
    assert full.value.errno == errno.ENOSPC
    assert files(disk) == {"file": b"old"}
    (disk / "filler").write_bytes(bytes(190_000))

    folder = disk / "study"
    with pytest.raises((StudyError, OSError), match="No space left on device"):
        run_study(SMALL, folder)
    assert not [path for path in temporaries(folder) if path.stat().st_size]
    check_files(SMALL, folder, undisturbed)
    remount("ro,size=4m")
    with pytest.raises(OSError, match=r"study.json cannot be written: Read-only file system"):
        run_study(SMALL, folder)
    remount("rw")
    run_study(SMALL, folder)
    assert same(gathered(folder), gathered(undisturbed))
    assert not temporaries(folder) and os.path.getsize(disk / "filler") == 190_000
