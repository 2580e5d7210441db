"""Checked reading of a runs file, whose format `training.runs_file` describes: all of it, or an error."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import h5py
import numpy as np

from theory.ensembles import UNPERTURBED
from theory.hdf5 import (
    Allowance,
    Hdf5Error,
    attribute,
    check_seals,
    children,
    format_version,
    is_sealed,
    json_object,
    read,
    reading,
    text,
    verify,
)
from theory.hdf5.access import MOST_GROUPS
from training.run_group import RunGroup
from training.runs_header import KNOWN, GroupHeader, read_header
from training.stored_metric import LARGE, SMALL, StoredMetric

FORMAT = "stochreset-runs"
FORMAT_VERSION = 3
SEALED_VERSION = 3
"""First version with checksums."""
WAY_OUT = "restore it from a copy; a runs file is one written by `write_runs`"


class RunsFileError(ValueError):
    """A file is not a runs file that can be read; the message names the file and what is wrong with it."""


def load(path: str | os.PathLike[str]) -> tuple[tuple[RunGroup, ...], dict[str, Any]]:
    """Return the groups and the root attributes of a runs file; see `training.read_runs` for the errors."""
    with reading(h5py, path, "runs file", RunsFileError, WAY_OUT) as file:
        headers, attributes, sealed = check_file(file, Allowance(path))
        return _read_groups(headers, sealed), attributes


def outline(path: str | os.PathLike[str]) -> tuple[tuple[RunGroup, ...], dict[str, Any]]:
    """Return the same, but the traces unread and not compared with their checksums."""
    with reading(h5py, path, "runs file", RunsFileError, WAY_OUT) as file:
        headers, attributes, sealed = check_file(file, Allowance(path))
        return _read_groups(headers, sealed, StoredMetric), attributes


def load_metric(path: str | os.PathLike[str], metric: str) -> tuple[RunGroup, ...]:
    """Return the groups with one of their metrics alone; where that is large, its traces stay in the file.

    They have been compared with their checksums once.
    """
    with reading(h5py, path, "runs file", RunsFileError, WAY_OUT) as file:
        headers, _, sealed = check_file(file, Allowance(path))
        _check_directions(headers)
        chosen = [_only(header, metric) for header in headers]
        large = sum(_size(header.metrics[metric]) for header in headers) > LARGE

        def values(dataset: h5py.Dataset) -> Any:
            if not large or _size(dataset) <= SMALL:
                return read(dataset, KNOWN, sealed)
            if sealed:
                verify(dataset, KNOWN)
            return StoredMetric(dataset)

        return _read_groups(chosen, sealed, values)


def _only(header: GroupHeader, metric: str) -> GroupHeader:
    return replace(
        header,
        metrics={metric: header.metrics[metric]},
        directions={metric: header.directions[metric]},
    )


def _size(dataset: h5py.Dataset) -> int:
    return int(math.prod(dataset.shape) * dataset.dtype.itemsize)


def _check_directions(headers: Sequence[GroupHeader]) -> GroupHeader:
    """Raise if the ensembles do not share their metrics; return the header of the unperturbed one."""
    reference = next(header for header in headers if header.name == UNPERTURBED)
    for header in headers:
        if dict(header.directions) != dict(reference.directions):
            raise Hdf5Error(
                f"group {header.name} has metrics {dict(header.directions)}, the unperturbed runs "
                f"{dict(reference.directions)}"
            )
    return reference


def check_file(file: h5py.File, allowance: Allowance) -> tuple[list[GroupHeader], dict[str, Any], bool]:
    """Check all of a runs file but the values of its data sets.

    Returns
    -------
    list of GroupHeader
        One for each ensemble, as they stand in the file.
    dict
        ``format_version``, ``default_metric`` and ``provenance``.
    bool
        Whether the file has checksums. Those of its structure and attributes have been compared then.
    """
    version = _check_format(file)
    headers = [
        read_header(name, node, allowance) for name, node in children(file, h5py.Group, MOST_GROUPS).items()
    ]
    sealed = check_structure(file, version >= SEALED_VERSION)
    attributes = {
        "format_version": version,
        "default_metric": text(file, "default_metric") if "default_metric" in file.attrs else None,
        "provenance": json_object(file, "provenance") if "provenance" in file.attrs else {},
    }
    names = [header.name for header in headers]
    if UNPERTURBED not in names:
        raise Hdf5Error(f"it has no group `{UNPERTURBED}`, only: {', '.join(names) or 'no group at all'}")
    return headers, attributes, sealed


def check_structure(file: h5py.File, needed: bool) -> bool:
    """Compare the checksums of attributes and structure; return whether there are any, as there must be if needed."""
    # A file with checksums is held to them whatever its version says, which may be what is damaged.
    sealed = needed or is_sealed(file)
    if sealed:
        check_seals(file, KNOWN)
    return sealed


def read_group(
    header: GroupHeader, sealed: bool, values: Callable[[h5py.Dataset], Any] | None = None
) -> RunGroup:
    """Read the runs of one ensemble, compared with their checksums where the file is sealed.

    ``values`` makes the traces of a data set; the default reads them.
    """
    if values is None:
        values = partial(read, known=KNOWN, sealed=sealed)
    epochs = read(header.epoch, KNOWN, sealed)
    if not np.array_equal(epochs, np.arange(1, epochs.size + 1)):
        raise Hdf5Error(f"group {header.name}: `epoch` must count 1..N, got {epochs[:5]}...")
    seeds = read(header.seed, KNOWN, sealed)
    try:
        return RunGroup(
            seeds,
            {metric: values(dataset) for metric, dataset in header.metrics.items()},
            header.directions,
            header.perturbation,
            header.period,
            header.parameters,
            header.first,
            header.protocol,
        )
    except Hdf5Error:
        raise
    except ValueError as problem:
        raise Hdf5Error(f"group {header.name}: {problem}") from None


def _read_groups(
    headers: Sequence[GroupHeader], sealed: bool, values: Callable[[h5py.Dataset], Any] | None = None
) -> tuple[RunGroup, ...]:
    groups = [read_group(header, sealed, values) for header in headers]
    names = [group.name for group in groups]
    for name in names:
        if names.count(name) > 1:
            raise Hdf5Error(f"it holds the ensemble {name} twice")
    groups.sort(key=lambda group: (group.perturbation or "", group.period or 0, group.first or 0, group.name))
    groups.sort(key=lambda group: group.perturbation is not None)
    _check_directions(headers)
    return tuple(groups)


def _check_format(file: h5py.File) -> int:
    if attribute(file, "format") != FORMAT:
        raise Hdf5Error(f"it is an HDF5 file, but not a runs file: the attribute `format` is not {FORMAT!r}")
    return format_version(file, FORMAT_VERSION)
