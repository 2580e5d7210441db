"""HDF5 files that were made to do harm: refused before their values are read, with what to do about it."""

import json
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest

pytest.importorskip("torch")

from stochreset.sample_file import SampleFileError, read_sample  # noqa: E402
from theory.hdf5 import access, datasets  # noqa: E402
from training import RunGroup, RunsFileError, describe, read_runs, write_runs  # noqa: E402
from training.study.shards import read_shard  # noqa: E402

from . import untrusted  # noqa: E402

MEMORY = 50e6
"""Bytes that refusing a file may take at most."""
READERS = {
    "runs": (untrusted.runs_file, read_runs, RunsFileError, "shrink:20/loss"),
    "shard": (untrusted.shard_file, read_shard, RunsFileError, "shrink:20/loss"),
    "sample": (untrusted.sample_file, read_sample, SampleFileError, "times"),
}


def shaped(file, name, last):
    dimensions = file[name].ndim
    return (10**6, last // 10**6) if dimensions == 2 else (last,)


def replace(file, name, shape, **settings):
    kept = {key: value for key, value in file[name].attrs.items() if key in ("direction", "checksum")}
    del file[name]
    made = file.create_dataset(name, shape, np.float64, **settings)
    made.attrs.update(kept)
    return made


def empty(file, name):
    replace(file, name, shaped(file, name, 10**12), chunks=True)


def contiguous(file, name):
    replace(file, name, shaped(file, name, 10**12))


def bomb(file, name):
    """Ten million zeros, compressed twice over."""
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    shape = shaped(file, name, 10**7)
    made.set_chunk(shape)
    made.set_deflate(9)
    made.set_deflate(9)
    kept = {key: value for key, value in file[name].attrs.items() if key in ("direction", "checksum")}
    del file[name]
    space = h5py.h5s.create_simple(shape)
    dataset = h5py.Dataset(h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_DOUBLE, space, made))
    packed = zlib.compress(zlib.compress(bytes(8 * 10**7), 9), 9)
    dataset.id.write_direct_chunk((0,) * len(shape), packed)
    dataset.attrs.update(kept)


def large_chunk(file, name):
    shape = (2**14, 2**14) if file[name].ndim == 2 else (2**28,)
    replace(
        file, name, file[name].shape, maxshape=tuple(None for _ in shape), chunks=shape, compression="gzip"
    )


def external(file, name):
    replace(file, name, file[name].shape, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def virtual(file, name):
    shape = file[name].shape
    layout = h5py.VirtualLayout(shape, np.float64)
    layout[...] = h5py.VirtualSource("/etc/other.h5", "x", shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def soft(file, name):
    del file[name]
    file[name] = h5py.SoftLink("/unperturbed/loss")


def outside(file, name):
    del file[name]
    file[name] = h5py.ExternalLink("other.h5", "/x")


def references(file, name):
    shape, kept = file[name].shape, dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, shape, h5py.ref_dtype)
    file[name].attrs.update({key: kept[key] for key in ("direction", "checksum") if key in kept})


def texts(file, name):
    shape, kept = file[name].shape, dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, shape, h5py.string_dtype())
    file[name].attrs.update({key: kept[key] for key in ("direction", "checksum") if key in kept})


HARMS = {
    "declares more than is stored": (
        empty,
        "declares 8,000,000,000,000 bytes, of which 0 are stored; .* store",
    ),
    "declares and stores nothing": (contiguous, "declares 8,000,000,000,000 bytes, of which 0 are stored"),
    "unpacks without end": (bomb, "stored with the filters 1, 1; only gzip, .* are read, each once"),
    "chunk of two gigabytes": (
        large_chunk,
        "in chunks of 2,147,483,648 bytes; at most 67,108,864 are read, store",
    ),
    "values in another file": (external, "lie in another file; store them in this one"),
    "values of another file": (virtual, "lie in another file; store them in this one"),
    "soft link": (soft, "holds the link '.*'; soft and external links are not followed"),
    "external link": (outside, "holds the link '.*'; soft and external links are not followed"),
    "references": (references, "must be .-D float64, got .-D object"),
    "texts": (texts, "must be .-D float64, got .-D object"),
}


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


@pytest.mark.parametrize("reader", READERS)
def test_many_attributes(tmp_path, reader, monkeypatch):
    write, read, error, _ = READERS[reader]
    path = write(tmp_path / "hostile.h5")
    monkeypatch.setattr(access, "MOST_ATTRIBUTES", 2)
    with pytest.raises(
        error, match=r"hostile\.h5: `/` has \d+ attributes, of which at most 2 are read; remove"
    ):
        read(path)


def test_many_groups_and_data_sets(tmp_path):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        for number in range(access.MOST_DATASETS):
            file["unperturbed"][f"m{number}"] = file["unperturbed/loss"]
    with pytest.raises(
        RunsFileError, match=r"`/unperturbed` holds 1,004 members, of which at most 1,000 are read"
    ):
        read_runs(path)
    with h5py.File(path, "a") as file:
        for number in range(access.MOST_GROUPS):
            file[f"x:{number}"] = file["shrink:20"]
    with pytest.raises(
        RunsFileError, match=r"`/` holds 10,005 members, of which at most 10,000 are read; split"
    ):
        read_runs(path)


def test_groups_within_themselves(tmp_path):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        file["unperturbed/again"] = file["/"]
    with pytest.raises(RunsFileError, match="is a Group, expected a Dataset"):
        read_runs(path)
    path = untrusted.shard_file(tmp_path / "shard.h5")
    with h5py.File(path, "a") as file:
        file["again"] = file["shrink:20"]
    with pytest.raises(RunsFileError, match="holds 2 members, of which at most 1 are read"):
        read_shard(path)


DEEP = "[" * 200 + "]" * 200
ATTRIBUTES = {
    "long": ("x" * (2**24 + 1), "`provenance` has 16,777,217 bytes, at most 16,777,216 are read; shorten it"),
    "long, fixed": (
        np.bytes_(b"x" * 60_000),
        "`provenance` has 60,000 bytes, at most 50,000 are read; shorten it",
    ),
    "deep": (
        f'{{"a": {DEEP}}}',
        "`provenance` is not JSON: it is nested more than 100 levels deep; flatten it",
    ),
    "deeper": ('{"a": ' + "[" * 10**5, "`provenance` is JSON nested too deeply"),
    "digits": (f'{{"a": 1{"0" * 50}}}', "a number of 51 digits, at most 40 are read"),
    "more digits": (f'{{"a": 1{"0" * 5000}}}', "a number of 5,001 digits, at most 40 are read"),
    "nan": ('{"a": NaN}', "`provenance` is not JSON: it has no NaN"),
    "array": (
        np.zeros(3),
        r"`provenance` must be one text or number, got shape \(3,\) of float64; references",
    ),
    "texts": (np.array(["{}", "{}"], h5py.string_dtype()), "must be one text or number, got shape"),
    "empty": (h5py.Empty("f8"), "must be one text or number, got shape None"),
    "bytes": (np.bytes_(b"{\xff"), "`provenance` is not UTF-8 text"),
    "number": (3, "must have an attribute `provenance` that is text, got 3"),
}


@pytest.mark.parametrize(("value", "message"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_attributes_that_do_harm(tmp_path, monkeypatch, value, message):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        untrusted.unseal(file)
        file.attrs["provenance"] = value
    if isinstance(value, np.bytes_) and "50,000" in message:
        monkeypatch.setattr(access, "MOST_TEXT", 50_000)
    with pytest.raises(RunsFileError, match=rf"runs\.h5: .*{message}"):
        describe(path)


def test_references_in_attributes_are_not_followed(tmp_path):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        file["shrink:20"].attrs["period"] = file["unperturbed"].ref
    with pytest.raises(
        RunsFileError, match=r"`period` must be one text or number, .*; references and arrays are not"
    ):
        read_runs(path)


def test_messages_do_not_command_the_terminal(tmp_path):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("unperturbed/\x1b[2J\n", data=1.0).attrs["direction"] = "at_least"
    with pytest.raises(RunsFileError) as problem:
        read_runs(path)
    assert str(problem.value).isprintable() and "\\x1b[2J" in str(problem.value)


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "x" * 300, "a\nb", ""])
def test_names_that_could_lead_out_of_a_folder(tmp_path, name):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        untrusted.unseal(file)
        file["shrink:20"].attrs["perturbation"] = name
        file["rare:poisson-0.05"].attrs["protocol"] = json.dumps({"label": name})
    with pytest.raises(RunsFileError, match=r"runs\.h5: group .*is not a usable name"):
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
