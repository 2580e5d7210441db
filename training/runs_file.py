"""Runs files: the traces of an unperturbed and any number of perturbed ensembles, in one HDF5 file.

Root attributes: ``format`` ("stochreset-runs"), ``format_version`` (3), ``provenance`` (JSON) and, where one
metric is to be read unasked, ``default_metric``. One group per ensemble, named ``unperturbed`` or
``NAME:PERIOD``; the attributes ``perturbation``, ``period`` (epochs) and ``parameters`` (JSON) are what
counts. Version 2 adds branches, ``NAME:PERIOD@FIRST`` with the attribute ``first`` (epoch of the first
perturbation), and other protocols, which have an attribute ``protocol`` (JSON) in place of ``period``. In
each group ``seed`` (runs,) and ``epoch`` (epochs,) = 1..N, both int64, and one (runs, epochs) float64
dataset per metric, NaN after the end of a shorter run, with an attribute ``direction``. ``seed`` and
``epoch`` are HDF5 dimension scales, so that xarray opens a group with named dimensions:
``xarray.open_dataset(path, group="shrink_perturb:20", engine="h5netcdf")``.

Version 3 adds an attribute ``checksum`` to the root, each group and each data set, as `theory.hdf5.checksums`
describes; it covers all that is named above, other attributes may be added. A file with checksums is held to
them, whatever its version says, and one of version 3 must have them. To write one in another way, leave them out
and call it version 2. The values of a file may take 1 GiB, or 100 times its size where that is more; see
`theory.hdf5.datasets` for this and the other limits.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from theory.ensembles import UNPERTURBED, Study
from theory.files import replace_file
from theory.hdf5 import LIBVER, checksum, seal
from theory.passages import Direction
from training.checks import as_tuple
from training.provenance import provenance as current_provenance
from training.run_group import COORDINATES, RunGroup
from training.runs_header import KNOWN
from training.runs_reader import FORMAT, FORMAT_VERSION, load, load_metric, outline


def write_runs(
    path: str | os.PathLike[str],
    groups: Iterable[RunGroup],
    *,
    provenance: Mapping[str, Any] | None = None,
    metric: str | None = None,
) -> Path:
    """Write a runs file, all of it or nothing.

    Parameters
    ----------
    path : path
        File to write; one that exists is replaced in one step once the new one is safely on disk.
    groups : iterable of RunGroup
        One unperturbed group and any number of perturbed ones, all with the same metrics.
    provenance : mapping, optional
        What to record as provenance, as JSON takes it. Default: `training.provenance.provenance()`.
    metric : str, optional
        Metric to read when the reader names none. Default: the only one, or none.

    Returns
    -------
    pathlib.Path
        ``path``.

    Raises
    ------
    ValueError
        If the groups do not make a study, or ``metric`` is not one of theirs.
    OSError
        If the file cannot be written; a previous file is left as it was.
    """
    groups = as_tuple("groups", groups, RunGroup)
    _check_groups(groups)
    known = tuple(groups[0].metrics)
    if metric is not None and metric not in known:
        raise ValueError(f"`metric` {metric!r} is not in `groups`; they have: {', '.join(known)}")
    try:
        text = json.dumps(dict(current_provenance() if provenance is None else provenance), allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"`provenance` must be JSON: {problem}") from None
    # Built in memory, so that a full disk is a plain error of a plain write, not one inside the HDF5 library.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=LIBVER) as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["provenance"] = text
        if metric is not None or len(known) == 1:
            file.attrs["default_metric"] = metric or known[0]
        for group in groups:
            write_group(file.create_group(group.name), group)
        seal(file, KNOWN)
    replace_file(path, buffer.getbuffer())
    return Path(path)


def read_runs(path: str | os.PathLike[str]) -> tuple[RunGroup, ...]:
    """Read every group of a runs file: the unperturbed one, then the others by perturbation and period.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    RunsFileError
        If it is not a runs file, damaged, of a newer format, or does not hold what the format asks for.
    """
    return load(path)[0]


def read_study(path: str | os.PathLike[str], metric: str | None = None) -> Study:
    """Read one metric of a runs file as the study of its ensembles.

    Ensembles under other protocols than periodic ones are left out; `read_runs` has them. Traces of more than 256 MiB
    in all stay in the file, which must not be changed while they are analysed; see `theory.traces.StoredTraces`.

    Parameters
    ----------
    path : path
        A runs file.
    metric : str, optional
        Name of the metric. It may be left out where the file has only one, or names a default.

    Raises
    ------
    ValueError
        If ``metric`` is not in the file, or left out where it is needed; the message lists the metrics.
    FileNotFoundError, RunsFileError
        As for `read_runs`.
    """
    groups, attributes = outline(path)
    known = tuple(groups[0].metrics)
    chosen = metric if metric is not None else attributes["default_metric"]
    if chosen is None and len(known) == 1:
        chosen = known[0]
    if chosen is None:
        raise ValueError(f"`metric` is needed, {path} has several: {', '.join(known)}")
    if chosen not in known:
        raise ValueError(f"`metric` {chosen!r} is not in {path}; it has: {', '.join(known)}")
    groups = load_metric(path, chosen)
    first, *others = (group.ensemble(chosen) for group in groups if not group.protocol)
    return Study(first, tuple(others))


def metrics(path: str | os.PathLike[str]) -> dict[str, Direction]:
    """Return the names of the metrics of a runs file, each with its direction."""
    return dict(outline(path)[0][0].directions)


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Summarise a runs file, ready for JSON.

    Returns
    -------
    dict
        ``format_version``, ``default_metric`` (or None), ``metrics`` (name to direction), ``provenance`` and
        ``ensembles``, a list of dicts with ``name``, ``perturbation``, ``period``, ``first``, ``protocol``,
        ``parameters``, ``runs`` and ``epochs``.
    """
    groups, attributes = outline(path)
    ensembles = [
        {
            "name": group.name,
            "perturbation": group.perturbation,
            "period": group.period,
            "first": group.first,
            "protocol": dict(group.protocol),
            "parameters": dict(group.parameters),
            "runs": group.shape[0],
            "epochs": group.shape[1],
        }
        for group in groups
    ]
    return {**attributes, "metrics": dict(groups[0].directions), "ensembles": ensembles}


def _check_groups(groups: Sequence[RunGroup]) -> None:
    names = [group.name for group in groups]
    if names.count(UNPERTURBED) != 1:
        raise ValueError(f"`groups` must hold one unperturbed group, got {', '.join(names) or 'no groups'}")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"`groups` holds {name} twice; merge its runs into one group")
    reference = next(group for group in groups if group.name == UNPERTURBED)
    for group in groups:
        if dict(group.directions) != dict(reference.directions):
            raise ValueError(
                f"`groups` must share their metrics: {group.name} has {dict(group.directions)}, "
                f"the unperturbed runs {dict(reference.directions)}"
            )


def write_group(node: h5py.Group, group: RunGroup) -> None:
    """Write one ensemble into an empty HDF5 group, with checksums of its data sets, not of the group."""
    if group.perturbation is not None:
        node.attrs["perturbation"] = group.perturbation
        for key in ("period", "first"):
            if getattr(group, key) is not None:
                node.attrs[key] = getattr(group, key)
        if group.protocol:
            node.attrs["protocol"] = json.dumps(group.protocol)
        node.attrs["parameters"] = json.dumps(group.parameters)
    coordinates = {"seed": group.seeds, "epoch": np.arange(1, group.shape[1] + 1, dtype=np.int64)}
    for name, numbers in coordinates.items():
        scale = node.create_dataset(name, data=numbers, track_times=False)
        scale.make_scale(name)
        scale.attrs["checksum"] = checksum(scale, KNOWN, numbers)
    for name, values in group.metrics.items():
        dataset = node.create_dataset(name, data=values, compression="gzip", shuffle=True, track_times=False)
        dataset.attrs["direction"] = group.directions[name]
        dataset.attrs["checksum"] = checksum(dataset, KNOWN, values)
        for axis, coordinate in enumerate(COORDINATES):
            dataset.dims[axis].attach_scale(node[coordinate])
