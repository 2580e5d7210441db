"""A group of training runs under one protocol, with every metric recorded: what a runs file holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.ensembles import UNPERTURBED, Ensemble, ensemble_name
from theory.passages import Direction
from theory.traces import StoredTraces
from training.checks import shown

COORDINATES = ("seed", "epoch")
LONGEST_NAME = 200
"""Characters of the name of a metric, perturbation or protocol."""


@dataclass(frozen=True, slots=True, eq=False)
class RunGroup:
    """Traces of every recorded metric for independent runs under one protocol.

    Attributes
    ----------
    seeds : (runs,) int array
        Seed of each run, unique within the group.
    metrics : dict of str to (runs, epochs) float array
        Value of each metric after each epoch, counted from 1; NaN after the end of a shorter run (see
        `pad_traces`), NaN or infinity where a run diverged.
    directions : dict of str to {"at_least", "at_most"}
        For each metric, on which side of a threshold training is complete.
    perturbation : str or None
        Name of the perturbation, None for unperturbed runs.
    period : int or None
        Epochs between perturbations, None for unperturbed runs and for other protocols.
    parameters : dict
        Parameters of the perturbation, as JSON takes them.
    first : int or None
        Epoch of the first perturbation, where that is not ``period``: branches off unperturbed runs.
    protocol : dict
        For protocols other than periodic ones, with a text ``label`` for the name, as JSON takes it.
    """

    seeds: NDArray[np.int64]
    metrics: Mapping[str, NDArray[np.float64]]
    directions: Mapping[str, Direction]
    perturbation: str | None = None
    period: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    first: int | None = None
    protocol: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seeds = np.array(self.seeds)
        if seeds.dtype.kind not in "iu" or not np.can_cast(seeds.dtype, np.int64):
            raise ValueError(f"`seeds` must be integers that fit int64, got dtype {seeds.dtype}")
        seeds = seeds.astype(np.int64)
        seeds.flags.writeable = False
        for argument, example in (("metrics", "values"), ("directions", '"at_most"')):
            if not isinstance(getattr(self, argument), Mapping):
                raise ValueError(
                    f'`{argument}` must be a dict with the names of the metrics, such as {{"test_loss": {example}}}, '
                    f"got {shown(getattr(self, argument))}"
                )
        if not self.metrics or set(self.metrics) != set(self.directions):
            raise ValueError(
                "`metrics` and `directions` must have the same names, at least one; "
                f"got {sorted(self.metrics)} and {sorted(self.directions)}"
            )
        for argument in ("period", "first"):
            value = getattr(self, argument)
            if value is not None:
                if isinstance(value, bool) or not isinstance(value, int | np.integer):
                    raise ValueError(f"`{argument}` must be a whole number of epochs, got {value!r}")
                object.__setattr__(self, argument, int(value))
        if self.protocol and (self.perturbation is None or self.period is not None):
            raise ValueError(
                "`protocol` belongs to a perturbation and replaces `period`; "
                f"got {self.perturbation!r} and {self.period!r}"
            )
        if self.perturbation is not None:
            check_name("perturbation", self.perturbation, "/:")
        parameters, protocol = (_json(name, getattr(self, name)) for name in ("parameters", "protocol"))
        if protocol:
            check_name("protocol", protocol.get("label"), "/:")
        if parameters and self.perturbation is None:
            raise ValueError(f"`parameters` belong to a perturbation; unperturbed runs got {parameters}")
        metrics: dict[str, NDArray[np.float64]] = {}
        for name, values in self.metrics.items():
            check_name("metrics", name, "/")
            try:
                metrics[name] = self._ensemble(values, seeds, name).values
            except ValueError as problem:
                raise ValueError(f"`metrics` {name!r}: {problem}") from None
        shapes = {name: values.shape for name, values in metrics.items()}
        if len(set(shapes.values())) > 1:
            raise ValueError(f"`metrics` must all have the same shape (runs, epochs), got {shapes}")
        for key, value in (
            ("seeds", seeds),
            ("metrics", metrics),
            ("parameters", parameters),
            ("protocol", protocol),
        ):
            object.__setattr__(self, key, value)
        object.__setattr__(self, "directions", {name: self.directions[name] for name in metrics})

    @property
    def name(self) -> str:
        """``unperturbed``, or perturbation and period joined by a colon; also the name of the HDF5 group."""
        if self.perturbation is None or self.protocol:
            return (
                UNPERTURBED if self.perturbation is None else f"{self.perturbation}:{self.protocol['label']}"
            )
        return ensemble_name(self.perturbation, self.period, self.first)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of runs and of epochs of the longest run."""
        runs, epochs = next(iter(self.metrics.values())).shape
        return runs, epochs

    def ensemble(self, metric: str) -> Ensemble:
        """Return the traces of one metric; not for protocols other than periodic ones."""
        if self.protocol:
            raise ValueError(
                f"{self.name} was not perturbed periodically, which the theory of ensembles asks for"
            )
        return self._ensemble(self.metrics[metric], self.seeds, metric)

    def _ensemble(self, values: ArrayLike, seeds: NDArray[np.int64], metric: str) -> Ensemble:
        # The traces of any other protocol are checked as those of unperturbed runs.
        perturbation = None if self.protocol else self.perturbation
        array: Any = values if isinstance(values, StoredTraces) else np.asarray(values, dtype=float)
        return Ensemble(array, seeds, metric, self.directions[metric], perturbation, self.period, self.first)


def pad_traces(traces: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Stack traces of different length into a (runs, epochs) array, NaN after the end of each.

    Examples
    --------
    >>> pad_traces([[1.0, 2.0, 3.0], [4.0]])
    array([[ 1.,  2.,  3.],
           [ 4., nan, nan]])
    """
    arrays = [np.asarray(trace, dtype=float) for trace in traces]
    for index, array in enumerate(arrays):
        if array.ndim != 1:
            raise ValueError(f"`traces` must be 1-D, number {index} has shape {array.shape}")
    padded = np.full((len(arrays), max((array.size for array in arrays), default=0)), np.nan)
    for row, array in zip(padded, arrays, strict=True):
        row[: array.size] = array
    return padded


def _json(argument: str, value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise ValueError(f"`{argument}` must be JSON: {problem}") from None
    return loaded


def check_name(argument: str, name: object, forbidden: str) -> None:
    """Raise if a name cannot be that of a group or data set of a runs file; names of files are made of it too."""
    if (
        not isinstance(name, str)
        or name in ("", ".", "..", *COORDINATES)
        or len(name) > LONGEST_NAME
        or not name.isprintable()
        or any(character in name for character in forbidden)
    ):
        raise ValueError(
            f"`{argument}` {name!r:.{LONGEST_NAME}} is not a usable name: it must be printable text without any of "
            f"{' '.join(forbidden)}, none of {', '.join(COORDINATES)}, and at most {LONGEST_NAME} characters long"
        )
