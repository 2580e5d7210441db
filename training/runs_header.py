"""What the group of one ensemble says of itself, checked before any trace is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from theory.ensembles import UNPERTURBED
from theory.hdf5 import Allowance, Hdf5Error, check_dataset, children, integer, json_object, text
from theory.hdf5.access import MOST_DATASETS
from training.run_group import COORDINATES

KNOWN = (
    "format",
    "format_version",
    "provenance",
    "default_metric",
    "perturbation",
    "period",
    "first",
    "parameters",
    "protocol",
    "direction",
)
"""Attributes of a runs file, which its checksums cover."""
MOST_EPOCHS = 2**53


@dataclass(frozen=True, slots=True)
class GroupHeader:
    """One ensemble of an open file: its attributes, and data sets that are fit to be read.

    Attributes
    ----------
    name : str
        Of the HDF5 group.
    seed, epoch : h5py.Dataset
        Coordinates, (runs,) and (epochs,) int64.
    metrics : dict of str to h5py.Dataset
        Traces, (runs, epochs) float64.
    directions : dict of str to str
        Of each metric.
    perturbation, period, first, parameters, protocol
        As in `RunGroup`.
    """

    name: str
    seed: h5py.Dataset
    epoch: h5py.Dataset
    metrics: Mapping[str, h5py.Dataset]
    directions: Mapping[str, Any]
    perturbation: str | None
    period: int | None
    first: int | None
    parameters: Mapping[str, Any]
    protocol: Mapping[str, Any]


def read_header(name: str, node: h5py.Group, allowance: Allowance) -> GroupHeader:
    """Check the group of an ensemble; ``name`` tells whether it is the unperturbed one.

    Raises
    ------
    Hdf5Error
        If it lacks something, or declares more than is stored.
    """
    perturbed = name != UNPERTURBED
    other = perturbed and "protocol" in node.attrs
    for key, wanted in (("perturbation", perturbed), ("period", perturbed and not other)):
        if (key in node.attrs) != wanted:
            fault = "lacks the attribute" if wanted else "must not have the attribute"
            raise Hdf5Error(f"group {name} {fault} `{key}`")
    seed, epoch, metrics = _datasets(name, node, allowance)
    return GroupHeader(
        name,
        seed,
        epoch,
        metrics,
        {metric: text(dataset, "direction") for metric, dataset in metrics.items()},
        text(node, "perturbation") if perturbed else None,
        _epochs(node, "period") if perturbed and not other else None,
        _epochs(node, "first") if perturbed and "first" in node.attrs else None,
        json_object(node, "parameters") if perturbed else {},
        json_object(node, "protocol") if other else {},
    )


def _epochs(node: h5py.Group, key: str) -> int:
    return integer(node, key, least=1, most=MOST_EPOCHS)


def _datasets(
    name: str, node: h5py.Group, allowance: Allowance
) -> tuple[h5py.Dataset, h5py.Dataset, dict[str, h5py.Dataset]]:
    datasets = children(node, h5py.Dataset, MOST_DATASETS)
    missing = [key for key in COORDINATES if key not in datasets]
    if missing:
        raise Hdf5Error(f"group {name} has no dataset `{missing[0]}`")
    seed, epoch = (datasets.pop(key) for key in COORDINATES)
    for coordinate in (seed, epoch):
        check_dataset(coordinate, np.int64, 1, allowance)
    for metric, dataset in datasets.items():
        check_dataset(dataset, np.float64, 2, allowance)
        if dataset.shape != (*seed.shape, *epoch.shape):
            raise Hdf5Error(
                f"group {name}: `{metric}` has shape {dataset.shape}, `seed` and `epoch` ask for "
                f"{(*seed.shape, *epoch.shape)}"
            )
    return seed, epoch, datasets
