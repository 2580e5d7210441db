"""Ensembles of metric traces, and the study that collects them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.arguments import check_kind, whole_epochs
from theory.passages import Direction, PassageSample, check_direction, first_passage, read_only, valid_lengths
from theory.traces import StoredTraces, pick_rows, row_blocks

UNPERTURBED = "unperturbed"
SOME = 2500
"""Runs that show the law of a metric and its mean well enough; more would find shifts too small to matter."""


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Traces of one metric for independent runs under one protocol.

    Attributes
    ----------
    values : (runs, epochs) float array
        The metric after each epoch, epochs counted from 1; NaN after the end of a shorter run, NaN or
        infinity where a run diverged. Or `StoredTraces`, which are read a block of runs at a time where an
        analysis allows that.
    seeds : (runs,) int array
        Seed of each run, unique within the ensemble. Runs of equal seed in two ensembles are taken as
        dependent when they are resampled.
    metric : str
        Name of the metric.
    direction : {"at_least", "at_most"}
        Whether training is complete when the metric is at least, or at most, the threshold.
    perturbation : str or None
        Name of the perturbation, None for unperturbed runs.
    period : int or None
        Epochs between perturbations; the n-th one acts after the metric of epoch ``n * period``.
    first : int or None
        Epoch of the first perturbation where that is not ``period``, as for runs that branch off unperturbed
        ones: the n-th perturbation acts after the metric of epoch ``first + (n - 1) * period``.
    """

    values: NDArray[np.float64]
    seeds: NDArray[np.int64]
    metric: str = "metric"
    direction: Direction = "at_least"
    perturbation: str | None = None
    period: int | None = None
    first: int | None = None

    def __post_init__(self) -> None:
        stored = isinstance(self.values, StoredTraces)
        values = self.values if stored else read_only(self.values, np.float64)
        seeds = _whole(self.seeds)
        if len(values.shape) != 2 or 0 in values.shape:
            raise ValueError(f"`values` must be a non-empty (runs, epochs) array, got shape {values.shape}")
        if seeds.shape != values.shape[:1]:
            raise ValueError(
                f"`seeds` must have one entry per run ({values.shape[0]}), got shape {seeds.shape}"
            )
        unique, counts = np.unique(seeds, return_counts=True)
        if unique.size != seeds.size:
            raise ValueError(
                f"`seeds` must be unique within an ensemble; {unique[counts > 1][0]} occurs twice"
            )
        check_direction(self.direction)
        if (self.perturbation is None) != (self.period is None):
            raise ValueError(
                "`perturbation` and `period` go together: give both, or neither for unperturbed runs; "
                f"got {self.perturbation!r} and {self.period!r}"
            )
        for argument, number in (("period", self.period), ("first", self.first)):
            if number is not None:
                object.__setattr__(self, argument, whole_epochs(argument, number))
        if self.first is not None and self.period is None:
            raise ValueError(f"`first` needs a `perturbation` and a `period`, got {self.first} alone")
        if self.first == self.period:
            object.__setattr__(self, "first", None)
        seeds.flags.writeable = False
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "seeds", seeds)

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def name(self) -> str:
        """``unperturbed``, or perturbation and period joined by a colon."""
        return ensemble_name(self.perturbation, self.period, self.first)

    @property
    def onset(self) -> int | None:
        """Epoch of the first perturbation, None for unperturbed runs."""
        return self.period if self.first is None else self.first

    @property
    def horizon(self) -> int:
        """Number of epochs of the longest run."""
        return int(self.values.shape[1])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Epochs of each run before its end or divergence, shape (runs,)."""
        return np.concatenate([valid_lengths(block) for _, block in row_blocks(self.values)])

    @property
    def recorded(self) -> NDArray[np.float64]:
        """The metric while a run was sound, shape (runs, epochs); NaN from its end or divergence on."""
        values = np.asarray(self.values)
        return np.where(np.arange(self.horizon) < valid_lengths(values)[:, None], values, np.nan)

    def some(self, runs: int = SOME) -> Ensemble:
        """So many of the runs, drawn at random but always the same ones; the ensemble itself if it has no more."""
        if len(self) <= runs:
            return self
        rows = np.sort(np.random.default_rng(0).permutation(len(self))[:runs])
        values = self.values
        if isinstance(values, StoredTraces):
            return replace(
                self, values=values.once(runs, lambda: pick_rows(values, rows)), seeds=self.seeds[rows]
            )
        return replace(self, values=values[rows], seeds=self.seeds[rows])

    def first_passage(self, threshold: float, horizon: int | None = None) -> PassageSample:
        """First-passage times to ``threshold``, in epochs; see `theory.first_passage`."""
        if isinstance(self.values, StoredTraces):
            question = (threshold, self.direction, horizon)
            return self.values.once(question, lambda: self._first_passage(threshold, horizon))
        return self._first_passage(threshold, horizon)

    def _first_passage(self, threshold: float, horizon: int | None) -> PassageSample:
        return first_passage(self.values, threshold, self.direction, horizon)


def _whole(seeds: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(seeds)
    whole = np.array(given, dtype=np.int64)
    if (whole != given).any():
        raise ValueError(f"`seeds` must be whole numbers, got {given[whole != given][0]!r}")
    return whole


def ensemble_name(perturbation: str | None, period: int | None, first: int | None = None) -> str:
    """Name of an ensemble: ``unperturbed``, ``NAME:PERIOD``, or ``NAME:PERIOD@FIRST`` for branches.

    Examples
    --------
    >>> ensemble_name("shrink_perturb", 20), ensemble_name("shrink_perturb", 20, 60)
    ('shrink_perturb:20', 'shrink_perturb:20@60')
    """
    if perturbation is None:
        return UNPERTURBED
    return f"{perturbation}:{period}" + ("" if first is None else f"@{first}")


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One metric of an unperturbed ensemble and of any number of perturbed ones.

    Perturbed ensembles that start to be perturbed at ``first`` rather than at their period are branches: they
    tell the response to a perturbation, not the first-passage time under the period.
    """

    unperturbed: Ensemble
    perturbed: tuple[Ensemble, ...] = ()

    def __post_init__(self) -> None:
        check_kind("unperturbed", self.unperturbed, Ensemble, "write Study(Ensemble(values, seeds), [...])")
        if isinstance(self.perturbed, Ensemble):
            raise TypeError(
                "`perturbed` must be a sequence of ensembles, got one Ensemble; put it in brackets"
            )
        object.__setattr__(self, "perturbed", tuple(self.perturbed))
        if self.unperturbed.perturbation is not None:
            raise ValueError(f"`unperturbed` must have no perturbation, got {self.unperturbed.name}")
        seen = set()
        for ensemble in self.perturbed:
            check_kind("perturbed", ensemble, Ensemble, "give a sequence of ensembles")
            if ensemble.perturbation is None:
                raise ValueError("every ensemble in `perturbed` needs a perturbation and a period")
            if ensemble.name in seen:
                raise ValueError(f"`perturbed` holds {ensemble.name} twice; merge its runs into one ensemble")
            if (ensemble.metric, ensemble.direction) != (self.unperturbed.metric, self.unperturbed.direction):
                raise ValueError(
                    f"`perturbed` {ensemble.name} has metric {ensemble.metric!r} ({ensemble.direction}), "
                    f"the unperturbed runs {self.unperturbed.metric!r} ({self.unperturbed.direction})"
                )
            seen.add(ensemble.name)

    def __iter__(self) -> Iterator[Ensemble]:
        yield self.unperturbed
        yield from self.perturbed

    @property
    def perturbations(self) -> tuple[str, ...]:
        """Names of the perturbations, in the order of their first ensemble."""
        return tuple(dict.fromkeys(str(e.perturbation) for e in self.perturbed if e.first is None))

    def periods(self, perturbation: str) -> tuple[int, ...]:
        """Periods at which ``perturbation`` was run, ascending."""
        return tuple(
            sorted(
                int(e.period)
                for e in self.perturbed
                if e.perturbation == perturbation and e.period and e.first is None
            )
        )

    def branches(self, perturbation: str, period: int) -> tuple[Ensemble, ...]:
        """Return the runs perturbed every ``period`` epochs from some other epoch on, earliest first."""
        found = [
            e
            for e in self.perturbed
            if (e.perturbation, e.period) == (perturbation, period) and e.first is not None
        ]
        return tuple(sorted(found, key=lambda each: each.first or 0))

    def ensemble(self, perturbation: str, period: int) -> Ensemble:
        """Return the runs of ``perturbation`` at ``period``."""
        for candidate in self.perturbed:
            if (candidate.perturbation, candidate.period, candidate.first) == (perturbation, period, None):
                return candidate
        if perturbation not in self.perturbations:
            known = ", ".join(self.perturbations) or "none"
            raise ValueError(f"`perturbation` {perturbation!r} is not in this study; it has: {known}")
        known = ", ".join(map(str, self.periods(perturbation)))
        raise ValueError(f"`period` {period} was not run for {perturbation!r}; it was run at: {known}")
