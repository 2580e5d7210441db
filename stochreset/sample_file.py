"""Samples of first-passage times in HDF5: the times, which of them are censored, and how they were made.

Root attributes: ``format`` ("stochreset-sample"), ``format_version`` (1), and one for each entry of the
document that came with the sample (`stochreset simulate --json`): numbers and texts as they are, tables as
JSON, unknown ones (null) left out. Datasets ``times`` (runs,) float64 and ``censored`` (runs,) bool.
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

FORMAT = "stochreset-sample"
FORMAT_VERSION = 1


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
    with h5py.File(buffer, "w") as file:
        for name, value in {**(document or {}), **_record(sample)}.items():
            if value is not None:
                file.attrs[name] = value if isinstance(value, str | int | float) else json.dumps(value)
        file.create_dataset("times", data=sample.times, track_times=False)
        file.create_dataset("censored", data=sample.censored, track_times=False)
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

    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no sample file {path}")
    if not h5py.is_hdf5(path):
        raise SampleFileError(f"{path} is not a readable HDF5 file; a sample is written by `write_sample`")
    try:
        with h5py.File(path, "r") as file:
            return _load(file)
    except SampleFileError as problem:
        raise SampleFileError(f"{path}: {problem}") from None
    # What h5py raises on damaged files; the message it gives is passed on.
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, MemoryError) as problem:
        raise SampleFileError(f"{path} cannot be read, it may be damaged: {problem}") from problem


def _load(file: Any) -> SimulatedSample:
    attributes = dict(file.attrs)
    if attributes.get("format") != FORMAT:
        raise SampleFileError(
            f"it is an HDF5 file, but not a sample: the attribute `format` is not {FORMAT!r}"
        )
    if attributes["format_version"] > FORMAT_VERSION:
        raise SampleFileError(
            f"it has format version {attributes['format_version']}, this version of stochreset reads up to "
            f"{FORMAT_VERSION}; upgrade stochreset"
        )
    dt, bias = attributes.get("dt"), attributes.get("bias")
    sample = SimulatedSample(
        file["times"][...],
        file["censored"][...],
        method=str(attributes["method"]),
        dt=None if dt is None else float(dt),
        expected_bias=str(attributes["expected_bias"]),
        bias=None if bias is None else Estimate(*json.loads(bias)),
        seed=int(attributes["seed"]),
        steps=int(attributes["steps"]),
        seconds=float(attributes["seconds"]),
    )
    if sample.digest() != attributes["digest"]:
        raise SampleFileError("its times do not fit its digest, it was changed or is damaged; simulate again")
    return sample
