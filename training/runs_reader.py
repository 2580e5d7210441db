"""Checked reading of a runs file, whose format `training.runs_file` describes: all of it, or an error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from theory.ensembles import UNPERTURBED
from training.run_group import COORDINATES, RunGroup

FORMAT = "stochreset-runs"
FORMAT_VERSION = 2


class RunsFileError(ValueError):
    """A file is not a runs file that can be read; the message names the file and what is wrong with it."""


def load(path: str | os.PathLike[str]) -> tuple[tuple[RunGroup, ...], dict[str, Any]]:
    """Return the groups and the root attributes of a runs file; see `training.read_runs` for the errors."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no runs file {path}")
    if not h5py.is_hdf5(path):
        raise RunsFileError(f"{path} is not a readable HDF5 file; a runs file is one written by `write_runs`")
    try:
        with h5py.File(path, "r") as file:
            return _read_groups(file), _read_attributes(file)
    except RunsFileError as problem:
        raise RunsFileError(f"{path}: {problem}") from None
    # What h5py raises on damaged files; the message it gives is passed on.
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, MemoryError) as problem:
        raise RunsFileError(f"{path} cannot be read, it may be damaged: {problem}") from problem


def _read_attributes(file: h5py.File) -> dict[str, Any]:
    default = _text(file, "default_metric") if "default_metric" in file.attrs else None
    return {
        "format_version": int(file.attrs["format_version"]),
        "default_metric": default,
        "provenance": _json(file, "provenance") if "provenance" in file.attrs else {},
    }


def _read_groups(file: h5py.File) -> tuple[RunGroup, ...]:
    _check_format(file)
    groups = [read_group(name, node) for name, node in _children(file, h5py.Group).items()]
    names = [group.name for group in groups]
    if UNPERTURBED not in names:
        raise RunsFileError(f"it has no group `{UNPERTURBED}`, only: {', '.join(names) or 'no group at all'}")
    for name in names:
        if names.count(name) > 1:
            raise RunsFileError(f"it holds the ensemble {name} twice")
    groups.sort(key=lambda group: (group.perturbation or "", group.period or 0, group.first or 0, group.name))
    groups.sort(key=lambda group: group.perturbation is not None)
    reference = dict(groups[0].directions)
    for group in groups:
        if dict(group.directions) != reference:
            raise RunsFileError(
                f"group {group.name} has metrics {dict(group.directions)}, the unperturbed runs {reference}"
            )
    return tuple(groups)


def read_group(name: str, node: h5py.Group) -> RunGroup:
    """Read one ensemble; ``name`` tells whether it is the unperturbed one."""
    perturbed = name != UNPERTURBED
    other = perturbed and "protocol" in node.attrs
    for key, wanted in (("perturbation", perturbed), ("period", perturbed and not other)):
        if (key in node.attrs) != wanted:
            fault = "lacks the attribute" if wanted else "must not have the attribute"
            raise RunsFileError(f"group {name} {fault} `{key}`")
    datasets = _children(node, h5py.Dataset)
    missing = [key for key in COORDINATES if key not in datasets]
    if missing:
        raise RunsFileError(f"group {name} has no dataset `{missing[0]}`")
    seeds, epochs = (_values(name, datasets.pop(key), np.int64, 1) for key in COORDINATES)
    if not np.array_equal(epochs, np.arange(1, epochs.size + 1)):
        raise RunsFileError(f"group {name}: `epoch` must count 1..N, got {epochs[:5]}...")
    metrics: dict[str, Any] = {}
    directions: dict[str, Any] = {}
    for metric, dataset in datasets.items():
        if dataset.shape != (seeds.size, epochs.size):
            raise RunsFileError(
                f"group {name}: `{metric}` has shape {dataset.shape}, "
                f"`seed` and `epoch` ask for {(seeds.size, epochs.size)}"
            )
        metrics[metric] = _values(name, dataset, np.float64, 2)
        directions[metric] = _text(dataset, "direction")
    try:
        return RunGroup(
            seeds,
            metrics,
            directions,
            _text(node, "perturbation") if perturbed else None,
            node.attrs["period"] if perturbed and not other else None,
            _json(node, "parameters") if perturbed else {},
            node.attrs["first"] if perturbed and "first" in node.attrs else None,
            _json(node, "protocol") if other else {},
        )
    except ValueError as problem:
        raise RunsFileError(f"group {name}: {problem}") from None


def _check_format(file: h5py.File) -> None:
    if file.attrs.get("format") not in (FORMAT, FORMAT.encode()):
        raise RunsFileError(
            f"it is an HDF5 file, but not a runs file: the attribute `format` is not {FORMAT!r}"
        )
    version = file.attrs.get("format_version")
    if not isinstance(version, np.integer) or version < 1:
        raise RunsFileError(f"the attribute `format_version` must be a whole number from 1, got {version!r}")
    if version > FORMAT_VERSION:
        raise RunsFileError(
            f"it has format version {version}, this version of stochreset reads up to {FORMAT_VERSION}; "
            "upgrade stochreset"
        )


def _children(node: h5py.Group, kind: type) -> dict[str, Any]:
    children = {}
    for name in node:
        link = node.get(name, getlink=True)
        # A soft or external link could lead out of the group, or to any other file.
        if not isinstance(link, h5py.HardLink):
            raise RunsFileError(
                f"`{node.name}` holds the link {name!r}; a runs file has no soft or external links"
            )
        child = node[name]
        if not isinstance(child, kind):
            raise RunsFileError(f"`{child.name}` is a {type(child).__name__}, expected a {kind.__name__}")
        children[name] = child
    return children


def _values(group: str, dataset: h5py.Dataset, dtype: type, dimensions: int) -> np.ndarray:
    name = dataset.name.rpartition("/")[2]
    if dataset.external or dataset.is_virtual:
        raise RunsFileError(
            f"group {group}: the values of `{name}` lie in another file; store them in this one"
        )
    # Exactly this type: rounded to float32, a metric equal to a threshold can fall below it.
    if dataset.dtype.newbyteorder("=") != np.dtype(dtype) or dataset.ndim != dimensions:
        raise RunsFileError(
            f"group {group}: `{name}` must be {dimensions}-D {np.dtype(dtype)}, "
            f"got {dataset.ndim}-D {dataset.dtype}"
        )
    return dataset[...]


def _text(node: h5py.HLObject, key: str) -> str:
    value = node.attrs.get(key)
    if isinstance(value, bytes):
        value = value.decode()
    if not isinstance(value, str):
        raise RunsFileError(f"`{node.name}` must have an attribute `{key}` that is text, got {value!r}")
    return value


def _json(node: h5py.HLObject, key: str) -> dict[str, Any]:
    try:
        value = json.loads(_text(node, key))
    except json.JSONDecodeError as problem:
        raise RunsFileError(f"`{node.name}`: the attribute `{key}` is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise RunsFileError(f"`{node.name}`: the attribute `{key}` must be a JSON object, got {value!r}")
    return value
