"""Attributes of HDF5 files that were made to do harm, refused with what to do about it."""

import h5py
import numpy as np
import pytest

pytest.importorskip("torch")

from theory.hdf5 import access  # noqa: E402
from training import RunsFileError, describe, read_runs  # noqa: E402

from . import untrusted  # noqa: E402
from .harmful_hdf5 import READERS  # noqa: E402


@pytest.mark.parametrize("reader", READERS)
def test_many_attributes(tmp_path, reader, monkeypatch):
    write, read, error, _ = READERS[reader]
    path = write(tmp_path / "hostile.h5")
    monkeypatch.setattr(access, "MOST_ATTRIBUTES", 2)
    with pytest.raises(
        error, match=r"hostile\.h5: `/` has \d+ attributes, of which at most 2 are read; remove"
    ):
        read(path)


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
