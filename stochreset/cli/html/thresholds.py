"""The thresholds that the slider can be put at."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from theory import Ensemble, Study

COUNT = 9
MOST = 101
SPAN = (0.05, 0.95)
"""Quantiles of the best values reached that tell which thresholds matter."""


def parse_thresholds(text: str) -> list[float]:
    """Thresholds from a list such as ``72,73.5`` or a range ``72:76:0.5`` (start:stop:step, the stop included).

    Raises
    ------
    ValueError
        If the text is neither, or gives more than 101 thresholds.

    Examples
    --------
    >>> parse_thresholds("70,72:73:0.5")
    [70.0, 72.0, 72.5, 73.0]
    """
    found: list[float] = []
    for part in text.split(","):
        try:
            numbers = [float(number) for number in part.split(":")]
        except ValueError:
            numbers = []
        if not all(math.isfinite(number) for number in numbers):
            numbers = []
        if len(numbers) == 1:
            found += numbers
        elif len(numbers) == 3 and numbers[2] > 0 and numbers[0] <= numbers[1]:
            start, stop, step = numbers
            steps = (stop - start) / step
            if steps >= MOST:
                raise ValueError(f"`--thresholds` {part!r} is too long; {MOST} thresholds at most")
            found += [_tidy(start + k * step) for k in range(math.floor(steps + 1e-9) + 1)]
        else:
            raise ValueError(f"`--thresholds` must look like 72:76:0.5 or 72,73,74, got {part!r} in {text!r}")
    return _checked(found)


def default_thresholds(study: Study, threshold: float, count: int = COUNT) -> list[float]:
    """Evenly spaced thresholds around the given one, over twice the spread of the best values without perturbation.

    None is easier than what 95 % of the unperturbed runs reach, none harder than what 5 % of the runs of every
    ensemble miss.

    Parameters
    ----------
    study : Study
        Runs.
    threshold : float
        Always among them.
    count : int
        How many at most.
    """
    sign = 1 if study.unperturbed.direction == "at_least" else -1
    spans = [span for ensemble in study if (span := _span(ensemble)) is not None]
    step = _nice(2 * (spans[0][1] - spans[0][0]) / (count - 1)) if spans else 0.0
    if not step > 0:
        return [threshold]
    low, high = spans[0][0], max(span[1] for span in spans)
    given = sign * threshold
    if not low - step <= given <= high + step:
        nearest = min(max(given, low), high)
        given = step * round(nearest / step)
    around = [given + k * step for k in range(-2 * count, 2 * count + 1)]
    chosen = {_tidy(sign * each) for each in around if low <= each <= high} - {threshold}
    nearest_first = sorted(chosen, key=lambda each: (abs(each - sign * given), each))
    return sorted({*nearest_first[: count - 1], threshold})


def with_given(thresholds: Iterable[float], given: float) -> list[float]:
    """Thresholds in ascending order, the given one among them."""
    return _checked([*thresholds, given])


def _checked(found: Iterable[float]) -> list[float]:
    thresholds = sorted(set(found))
    if len(thresholds) > MOST:
        raise ValueError(f"`--thresholds` lists {len(thresholds)} thresholds; {MOST} at most")
    return thresholds


def _span(ensemble: Ensemble) -> tuple[float, float] | None:
    """Central interval of the best values that runs reach; for metrics that fall, of their negatives."""
    values = ensemble.recorded
    seen = np.isfinite(values).any(axis=1)
    if not seen.any():
        return None
    best = (
        np.nanmax(values[seen], axis=1)
        if ensemble.direction == "at_least"
        else np.nanmax(-values[seen], axis=1)
    )
    low, high = np.quantile(best, SPAN)
    return float(low), float(high)


def _nice(step: float) -> float:
    """Nearest of 1, 2, 2.5 and 5 times a power of ten."""
    if not step > 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(step))
    return power * min((1, 2, 2.5, 5, 10), key=lambda each: abs(math.log(each * power / step)))


def _tidy(value: float) -> float:
    return float(f"{value:.10g}")
