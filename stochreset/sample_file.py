"""Samples of first-passage times in HDF5: the times, which of them are censored, and how they were made.

Root attributes: ``format`` ("stochreset-sample"), ``format_version`` (2), and one for each entry of the
document that came with the sample (`stochreset simulate --json`): numbers and texts as they are, tables as
JSON, unknown ones (null) left out. Datasets ``times`` (runs,) float64 and ``censored`` (runs,) bool. Version 2
adds checksums of both, and of the root with the attributes that `read_sample` reads (`theory.hdf5.checksums`).
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stochreset.simulation import SimulatedSample
from theory.estimates import Estimate
from theory.files import replace_file
from theory.hdf5 import (
    LIBVER,
    Allowance,
    Hdf5Error,
    attribute,
    check_dataset,
    check_seals,
    children,
    format_version,
    integer,
    is_sealed,
    read,
    reading,
    real,
    seal,
    text,
)

FORMAT = "stochreset-sample"
FORMAT_VERSION = 2
SEALED_VERSION = 2
"""First version with checksums."""
DATASETS = {"times": np.float64, "censored": np.bool_}
WAY_OUT = "restore it from a copy or simulate again; a sample is written by `write_sample`"


class SampleFileError(ValueError):
    """A file is not a sample that can be read; the message names the file and what is wrong with it."""


def write_sample(
    path: str | os.PathLike[str], sample: SimulatedSample, document: Mapping[str, Any] | None = None
) -> Path:
    """Write a sample, all of it or nothing; a previous file is replaced in one step.

    Parameters
    ----------
    path : path
        File to write.
    sample : SimulatedSample
        What `stochreset.simulate` returns.
    document : mapping, optional
        More to record as attributes: names to numbers, texts, or what JSON takes.

    Raises
    ------
    OSError
        If the file cannot be written; a previous file is left as it was.
    """
    import h5py

    # Built in memory, so that a full disk is a plain error of a plain write, not one inside the HDF5 library.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=LIBVER) as file:
        for name, value in {**(document or {}), **_record(sample)}.items():
            if value is not None:
                file.attrs[name] = value if isinstance(value, str | int | float) else json.dumps(value)
        file.create_dataset("times", data=sample.times, track_times=False)
        file.create_dataset("censored", data=sample.censored, track_times=False)
        seal(file, KNOWN)
    replace_file(path, buffer.getbuffer())
    return Path(path)


def _record(sample: SimulatedSample) -> dict[str, Any]:
    bias = sample.bias
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "method": sample.method,
        "dt": sample.dt,
        "expected_bias": sample.expected_bias,
        "bias": None if bias is None else [bias.value, bias.stderr, bias.low, bias.high],
        "seed": np.uint64(sample.seed).item(),
        "steps": sample.steps,
        "seconds": sample.seconds,
        "digest": sample.digest(),
    }


KNOWN = (
    "format", "format_version", "method", "dt", "expected_bias", "bias", "seed", "steps", "seconds", "digest",
)  # fmt: skip
"""Attributes of `_record`, which the checksums cover."""


def read_sample(path: str | os.PathLike[str]) -> SimulatedSample:
    """Read a sample that `write_sample` or ``stochreset simulate --out`` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SampleFileError
        If it is not a sample, damaged (its digest is checked), or of a newer format.
    """
    import h5py

    with reading(h5py, path, "sample file", SampleFileError, WAY_OUT) as file:
        version = _check_format(file)
        datasets = children(file, h5py.Dataset, len(DATASETS))
        allowance = Allowance(path)
        for name, dtype in DATASETS.items():
            if name not in datasets:
                raise Hdf5Error(f"it has no dataset `{name}`, it may be damaged; {WAY_OUT}")
            check_dataset(datasets[name], dtype, 1, allowance)
        # A file with checksums is held to them whatever its version says, which may be what is damaged.
        sealed = version >= SEALED_VERSION or is_sealed(file)
        if sealed:
            check_seals(file, KNOWN)
        return _load(file, {name: read(datasets[name], KNOWN, sealed) for name in DATASETS})


def _check_format(file: Any) -> int:
    if attribute(file, "format") != FORMAT:
        raise Hdf5Error(f"it is an HDF5 file, but not a sample: the attribute `format` is not {FORMAT!r}")
    return format_version(file, FORMAT_VERSION)


def _load(file: Any, values: Mapping[str, Any]) -> SimulatedSample:
    sample = SimulatedSample(
        values["times"],
        values["censored"],
        method=text(file, "method"),
        dt=real(file, "dt") if "dt" in file.attrs else None,
        expected_bias=text(file, "expected_bias"),
        bias=_bias(text(file, "bias")) if "bias" in file.attrs else None,
        seed=integer(file, "seed", most=2**64 - 1),
        steps=integer(file, "steps"),
        seconds=real(file, "seconds"),
    )
    if sample.digest() != text(file, "digest"):
        raise Hdf5Error("its times do not fit its digest, it was changed or is damaged; simulate again")
    return sample


def _bias(content: str) -> Estimate:
    numbers = json.loads(content)
    if not isinstance(numbers, list) or not all(isinstance(each, int | float) for each in numbers):
        raise Hdf5Error(f"the attribute `bias` must be a list of numbers, got {content[:100]}")
    return Estimate(*numbers)
