"""A runs file is written whole or not at all, and where it was asked for."""

import os

import pytest

from training import read_runs, write_runs

from .small_groups import group


def test_targets_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder .*nowhere does not exist; create it first"):
        write_runs(tmp_path / "nowhere" / "runs.h5", [group()])
    with pytest.raises(ValueError, match="is a folder; give the name of a file in it"):
        write_runs(tmp_path, [group()])
    with pytest.raises(ValueError, match="`provenance` must be JSON"):
        write_runs(tmp_path / "runs.h5", [group()], provenance={"path": tmp_path})


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file(path, monkeypatch, step, error):
    before = path.read_bytes()

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        write_runs(path, [group(9)])
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_write_replaces_the_old_file_and_nothing_else(path):
    write_runs(path, [group(9)])
    assert read_runs(path)[0].shape == (9, 4)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need privileges elsewhere")
def test_a_symbolic_link_stays_one(path):
    link = path.with_name("latest.h5")
    link.symlink_to(path)
    write_runs(link, [group(9)])
    assert link.is_symlink()
    assert read_runs(path)[0].shape == (9, 4)


def test_equal_groups_give_equal_bytes(tmp_path):
    files = [write_runs(tmp_path / name, [group()], provenance={}) for name in ("a.h5", "b.h5")]
    assert files[0].read_bytes() == files[1].read_bytes()
