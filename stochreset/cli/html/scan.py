"""The analysis at every threshold of the slider."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stochreset.cli.reporting import Analysis, analyse, headline
from theory import Study

RESAMPLES = 500
"""Bootstrap resamples at the thresholds other than the chosen one, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """One threshold of the slider.

    Attributes
    ----------
    threshold : float
        In the unit of the metric.
    analysis : Analysis or None
        None where none is possible.
    left_out : dict of str to str
        Perturbations that cannot be analysed at this threshold, and why.
    """

    threshold: float
    analysis: Analysis | None
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The answer at this threshold, or why there is none."""
        reasons = "".join(f" {name}: {reason}." for name, reason in self.left_out.items())
        if self.analysis is None:
            return f"No analysis is possible at threshold {self.threshold:g}.{reasons}"
        return headline(self.analysis) + (f" Left out at this threshold:{reasons}" if reasons else "")


def scan(
    study: Study,
    thresholds: Iterable[float],
    chosen: Analysis,
    *,
    measured: Mapping[str, int] | None = None,
    horizon: int | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
) -> list[Position]:
    """Analyse a study at several thresholds, with fewer resamples than at the chosen one.

    Parameters
    ----------
    study : Study
        Runs.
    thresholds : iterable of float
        Where to analyse.
    chosen : Analysis
        At the threshold asked for: taken as it is where that is among the thresholds.
    measured, horizon, seed
        As for `theory.rank`.
    resamples : int
        Of the bootstrap; no more than 500 are used.
    advance : callable
        Called after each threshold.

    Returns
    -------
    list of Position
        In the order of ``thresholds``; a threshold where no analysis is possible says why.
    """
    settings = {
        "horizon": horizon,
        "qss": chosen.ranking.qss,
        "resamples": min(resamples, RESAMPLES),
        "seed": seed,
    }
    positions = []
    for threshold in thresholds:
        if threshold == chosen.ranking.threshold:
            positions.append(Position(threshold, chosen))
        else:
            positions.append(_position(study, threshold, dict(measured or {}), settings))
        advance()
    return positions


def _position(study: Study, threshold: float, measured: dict[str, int], settings: dict[str, Any]) -> Position:
    try:
        return Position(threshold, analyse(study, threshold, measured=measured, **settings))
    except ValueError:
        possible, left_out = [], {}
    for name in study.perturbations:
        try:
            _analyse(study, [name], threshold, measured, settings)
            possible.append(name)
        except ValueError as problem:
            left_out[name] = _plain(str(problem), name)
    analysis = _analyse(study, possible, threshold, measured, settings) if possible else None
    return Position(threshold, analysis, left_out)


def _analyse(
    study: Study, names: list[str], threshold: float, measured: dict[str, int], settings: dict[str, Any]
) -> Analysis:
    part = Study(study.unperturbed, tuple(e for e in study.perturbed if e.perturbation in names))
    chosen = {name: period for name, period in measured.items() if name in names}
    return analyse(part, threshold, measured=chosen, **settings)


def _plain(message: str, name: str) -> str:
    """Message of an error without the names of arguments and without the advice to change them."""
    message = re.sub(rf"^`perturbed` {re.escape(name)}:(\d+): ", r"at period \1, ", message)
    message = re.sub(r" at threshold [^;. ]+(\.\d+)?", "", message)
    return re.sub(r"^`\w+` ", "", message).split(". ")[0].rstrip(".")
