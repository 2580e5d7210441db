"""Data sets of HDF5 that were made to do harm: refused before their values are read, with what to do about it."""

import tracemalloc

import h5py
import numpy as np
import pytest

pytest.importorskip("torch")

from theory.hdf5 import datasets  # noqa: E402
from training import RunGroup, RunsFileError, read_runs, write_runs  # noqa: E402

from . import untrusted  # noqa: E402
from .harmful_hdf5 import HARMS, READERS, outside  # noqa: E402

MEMORY = 50e6
"""Bytes that refusing a file may take at most."""


@pytest.fixture
def memory():
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("harm", "message"), HARMS.values(), ids=HARMS)
def test_data_sets_that_do_harm_are_not_read(tmp_path, memory, reader, harm, message):
    write, read, error, name = READERS[reader]
    path = write(tmp_path / "hostile.h5")
    with h5py.File(path, "a") as file:
        harm(file, name)
    assert path.stat().st_size < 1e6
    tracemalloc.reset_peak()
    with pytest.raises(error, match=rf"hostile\.h5: .*{message}"):
        read(path)
    assert memory() < MEMORY


def test_a_file_declares_no_more_than_it_stores_by_far(tmp_path, monkeypatch):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    monkeypatch.setattr(datasets, "FREE_BYTES", 20_000)
    monkeypatch.setattr(datasets, "FILE_RATIO", 0.1)
    message = (
        "more than 20,000, the most that is read from .* set the environment variable STOCHRESET_MOST_BYTES"
    )
    with pytest.raises(RunsFileError, match=rf"runs\.h5: `/.*` declares .*{message}"):
        read_runs(path)
    monkeypatch.setenv("STOCHRESET_MOST_BYTES", "1000000")
    assert len(read_runs(path)) == 5
    monkeypatch.setenv("STOCHRESET_MOST_BYTES", "lots")
    with pytest.raises(RunsFileError, match="`STOCHRESET_MOST_BYTES` must be a number of bytes, got 'lots'"):
        read_runs(path)


def test_sound_files_that_compress_as_well_as_can_be_are_read(tmp_path):
    values = np.zeros((2_000, 1_000))
    group = RunGroup(np.arange(2_000), {"m": values}, {"m": "at_least"})
    path = write_runs(tmp_path / "runs.h5", [group])
    assert path.stat().st_size < values.nbytes / 200
    assert np.array_equal(read_runs(path)[0].metrics["m"], values)


def test_one_data_set_under_many_names_counts_each_time(tmp_path):
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "stochreset-runs", "format_version": 2})
        node = file.create_group("unperturbed")
        node["seed"], node["epoch"] = np.arange(5_000), np.arange(1, 1001)
        node.create_dataset("m", data=np.zeros((5_000, 1_000)), compression="gzip").attrs["direction"] = (
            "at_least"
        )
        for number in range(50):
            node[f"m{number}"] = node["m"]
    with pytest.raises(
        RunsFileError, match=r"many\.h5: `/unperturbed/m.*` declares 40,000,000 bytes, with which"
    ):
        read_runs(path)


def test_no_other_file_is_opened(tmp_path, monkeypatch):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.zeros((20, 30))
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        outside(file, "unperturbed/loss")
        assert file["unperturbed/loss"].shape == (20, 30)
    opened = []
    real = h5py.File
    monkeypatch.setattr(
        h5py, "File", lambda name, *rest, **more: opened.append(name) or real(name, *rest, **more)
    )
    before = other.stat().st_atime_ns
    with pytest.raises(RunsFileError, match="links are not followed"):
        read_runs(path)
    assert opened == [path] and other.stat().st_atime_ns == before
