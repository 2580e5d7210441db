"""First-passage times from metric traces, with right-censoring.

A run produces one value of a metric after each epoch, counted from 1. Its first-passage time is
``T = min{t >= 1 : a(t) >= threshold}`` (``<=`` for a metric to be minimised). A run that has not
reached the threshold when it ends is right-censored there: never dropped, never counted as arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.arguments import check_threshold, whole_epochs
from theory.traces import StoredTraces, row_blocks

if TYPE_CHECKING:
    from scipy.stats import CensoredData

Direction = Literal["at_least", "at_most"]


def read_only(values: ArrayLike, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a read-only array; one that owns its data and is read-only already is taken to stay so, uncopied."""
    if isinstance(values, np.ndarray) and values.dtype == dtype and values.flags.owndata:
        if not values.flags.writeable:
            return values
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class PassageSample:
    """First-passage times of independent runs, some of them right-censored.

    Attributes
    ----------
    times : (runs,) float array
        First-passage time where ``censored`` is False, otherwise the last time at which the run was
        seen not to have arrived. In the unit of the process (epochs for training runs).
    censored : (runs,) bool array
        True where the run had not arrived.
    """

    times: NDArray[np.float64]
    censored: NDArray[np.bool_]

    def __post_init__(self) -> None:
        times, censored = read_only(self.times, np.float64), read_only(self.censored, np.bool_)
        if times.ndim != 1 or times.size == 0:
            raise ValueError(f"`times` must be a non-empty 1-D array, got shape {times.shape}")
        if censored.shape != times.shape:
            raise ValueError(f"`censored` must have the shape of `times` {times.shape}, got {censored.shape}")
        if not (times.min() >= 0 and times.max() < np.inf):  # also where any is NaN
            where = int(np.argmin(np.isfinite(times) & (times >= 0)))
            raise ValueError(
                f"`times` must be finite and non-negative, got {times[where]} at index {where}; "
                "mark a run that never arrived as censored at the last time it was seen"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "censored", censored)

    def __len__(self) -> int:
        return self.times.size

    @property
    def observed(self) -> NDArray[np.bool_]:
        """True where the run arrived."""
        return ~self.censored

    @property
    def n_censored(self) -> int:
        """Number of runs that had not arrived when they were last seen."""
        return int(self.censored.sum())

    @property
    def horizon(self) -> float:
        """Latest time at which any run was still watched."""
        return float(self.times.max())

    def to_censored_data(self) -> CensoredData:
        """Convert to `scipy.stats.CensoredData`, which sorts arrived from censored runs (order is lost)."""
        from scipy.stats import CensoredData

        return CensoredData.right_censored(self.times, self.censored)

    @classmethod
    def from_censored_data(cls, data: CensoredData) -> PassageSample:
        """Build from right-censored `scipy.stats.CensoredData`; left or interval censoring is refused."""
        if data._left.size or data._interval.size:
            raise ValueError(
                "`data` must hold only exact and right-censored times; it has left- or interval-censored ones"
            )
        times = np.concatenate([data._uncensored, data._right])
        return cls(times, np.arange(times.size) >= data._uncensored.size)

    def to_durations(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return ``(durations, event_observed)`` as the fitters of lifelines expect them."""
        return self.times.copy(), self.observed.copy()

    def restrict(self, horizon: float) -> PassageSample:
        """Censor at ``horizon`` whatever happens later."""
        if not horizon > 0:
            raise ValueError(f"`horizon` must be positive, got {horizon}")
        return PassageSample(np.minimum(self.times, horizon), self.censored | (self.times > horizon))


def valid_lengths(traces: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each trace the number of epochs before its first non-finite value, shape (runs,)."""
    broken = ~np.isfinite(traces)
    lengths: NDArray[np.int64] = np.where(broken.any(axis=1), broken.argmax(axis=1), traces.shape[1])
    return lengths


def check_direction(direction: str) -> None:
    """Raise if ``direction`` is not one of the two known ones."""
    if direction not in get_args(Direction):
        raise ValueError(f"`direction` must be 'at_least' or 'at_most', got {direction!r}")


def reaches(values: ArrayLike, threshold: float, direction: Direction) -> NDArray[np.bool_]:
    """Whether values of the metric are on the side of the threshold on which training is complete, or at it."""
    values = np.asarray(values)
    return np.asarray(values >= threshold if direction == "at_least" else values <= threshold)


def first_passage(
    traces: ArrayLike | StoredTraces,
    threshold: float,
    direction: Direction = "at_least",
    horizon: int | None = None,
) -> PassageSample:
    """First epoch at which each trace reaches ``threshold``.

    Parameters
    ----------
    traces : (runs, epochs) array or StoredTraces
        One row per run, one value per epoch, epochs counted from 1. The first NaN or infinity ends
        a run (end of a shorter run, or divergence): later values are ignored.
    threshold : float
        In the unit of the metric. Reaching it exactly counts as arrival.
    direction : {"at_least", "at_most"}
        Whether arrival means ``trace >= threshold`` or ``trace <= threshold``.
    horizon : int, optional
        Ignore what happens after this epoch. Default: the end of the traces.

    Returns
    -------
    PassageSample
        Times in epochs. A run that did not arrive is censored at its last finite epoch.

    Examples
    --------
    >>> sample = first_passage([[0.1, 0.5, 0.9], [0.2, 0.3, 0.4]], threshold=0.5)
    >>> sample.times, sample.censored
    (array([2., 3.]), array([False,  True]))
    """
    values = traces if isinstance(traces, StoredTraces) else _numbers(traces)
    if len(values.shape) != 2 or 0 in values.shape:
        raise ValueError(f"`traces` must be a non-empty (runs, epochs) array, got shape {values.shape}")
    check_threshold(threshold)
    check_direction(direction)
    if horizon is not None:
        horizon = whole_epochs("horizon", horizon)
    times, censored = np.empty(values.shape[0]), np.empty(values.shape[0], dtype=bool)
    for start, block in row_blocks(values):
        rows = slice(start, start + len(block))
        times[rows], censored[rows] = _passages(block[:, :horizon], threshold, direction)
    return PassageSample(times, censored)


def _numbers(traces: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(traces, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(
            f"`traces` must be a (runs, epochs) array of numbers, got {type(traces).__name__}; pad shorter runs with "
            "NaN, and of an ensemble take its method `first_passage`"
        ) from None


def _passages(
    values: NDArray[np.float64], threshold: float, direction: Direction
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Times, and which are censored, of a block of traces."""
    lengths = valid_lengths(values)
    hit = reaches(values, threshold, direction)
    hit &= np.arange(values.shape[1]) < lengths[:, None]
    arrived = np.asarray(hit.any(axis=1))
    return np.where(arrived, hit.argmax(axis=1) + 1, lengths), ~arrived
