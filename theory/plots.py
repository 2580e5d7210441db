"""Figures: each function draws one result on given axes (or new ones) and returns them.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; every series also differs in
marker, line style or hatching, so that the figures read in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ensembles import Ensemble
from theory.measured import MeasuredPoint
from theory.optimum import Ranking
from theory.prediction import Prediction
from theory.relaxation import QuasiSteadyState
from theory.survival import SurvivalCurve
from theory.validity import ValidRange

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "0.45"


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    return figure.subplots()


def _style(given: dict[str, Any], **default: Any) -> dict[str, Any]:
    return default | given


def plot_traces(
    ensemble: Ensemble,
    ax: Axes | None = None,
    *,
    threshold: float | None = None,
    colour: str = BLUE,
    **kwargs: Any,
) -> Axes:
    """Draw the metric against epoch: median, and bands with 50 % and 90 % of the runs.

    Parameters
    ----------
    ensemble : Ensemble
        Runs to draw.
    ax : matplotlib axes, optional
        Where to draw.
    threshold : float, optional
        Drawn as a horizontal line.
    colour : str
        Of the bands and the median.
    **kwargs
        Passed to ``ax.plot`` for the median.
    """
    ax = _axes(ax)
    values = ensemble.some().recorded
    present = np.isfinite(values).any(axis=0)
    epochs = np.arange(1, ensemble.horizon + 1)[present]
    if not epochs.size:
        ax.set_title(f"{ensemble.name}: no run has a finite {ensemble.metric}")
        return ax
    quantiles = np.nanquantile(values[:, present], [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    ax.fill_between(epochs, quantiles[0], quantiles[4], color=colour, alpha=0.2, lw=0, label="90 % of runs")
    ax.fill_between(epochs, quantiles[1], quantiles[3], color=colour, alpha=0.4, lw=0, label="50 % of runs")
    ax.plot(epochs, quantiles[2], **_style(kwargs, color=colour, lw=1.2, label="median"))
    if ensemble.period:
        for n, epoch in enumerate(
            range(ensemble.onset or ensemble.period, ensemble.horizon, ensemble.period)
        ):
            ax.axvline(epoch, color=GREY, lw=0.6, ls=":", label="perturbation" if n == 0 else None)
    if threshold is not None:
        ax.axhline(threshold, color="black", lw=1, ls="--", label=f"threshold {threshold:g}")
    # The transient from the start would squeeze everything else into a line.
    shown = quantiles[:, epochs >= max(min(5, epochs[-1]), epochs[-1] // 10)].ravel()
    if threshold is not None:
        shown = np.append(shown, threshold)
    margin = 0.05 * (shown.max() - shown.min() or 1.0)
    ax.set_ylim(shown.min() - margin, shown.max() + margin)
    ax.set(
        xlabel="epoch",
        ylabel=ensemble.metric.replace("_", " "),
        title=f"{ensemble.name}, {len(ensemble)} runs",
    )
    ax.legend(loc="best", fontsize="small", frameon=False)
    return ax


def plot_survival(
    curve: SurvivalCurve,
    ax: Axes | None = None,
    *,
    colour: str = BLUE,
    label: str = "Kaplan–Meier",
    xlabel: str = "time t",
    **kwargs: Any,
) -> Axes:
    """Draw a survival curve with its pointwise 95 % interval; ``kwargs`` go to ``ax.step``."""
    ax = _axes(ax)
    times = np.r_[0.0, curve.times]
    low, high = curve.confidence_interval(times)
    ax.step(times, curve.evaluate(times), where="post", **_style(kwargs, color=colour, lw=1.4, label=label))
    ax.fill_between(times, low, high, step="post", color=colour, alpha=0.25, lw=0)
    ax.set(xlabel=xlabel, ylabel="S(t) = Pr(T > t)", ylim=(-0.02, 1.02), xlim=(0, None))
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_relaxation(qss: QuasiSteadyState, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw the KS distance to the later reference epochs against epoch, and the relaxation epoch."""
    ax = _axes(ax)
    if not qss.epochs.size:
        ax.text(0.5, 0.5, qss.reason, ha="center", va="center", wrap=True, transform=ax.transAxes)
        return ax
    rejected = qss.p_values <= 0.05
    for chosen, marker, fill, label in (
        (rejected, "o", BLUE, "law differs (5 % level)"),
        (~rejected, "s", "white", "no difference found"),
    ):
        style = _style(kwargs, color=BLUE, mfc=fill, ls="none", marker=marker, label=label)
        ax.plot(qss.epochs[chosen], qss.distances[chosen], **style)
    if qss.relaxation_epoch is not None:
        ax.axvline(
            qss.relaxation_epoch,
            color=ORANGE,
            ls="--",
            lw=1.2,
            label=f"relaxation epoch {qss.relaxation_epoch}",
        )
    verdict = qss.verdict.replace("_", " ")
    ax.set(
        xlabel="epoch",
        ylabel="KS distance to later epochs",
        ylim=(0, 1.05),
        title=f"quasi-steady state: {verdict}",
    )
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_predictions(
    predictions: Sequence[Prediction],
    measured: Sequence[MeasuredPoint] = (),
    limits: ValidRange | None = None,
    ax: Axes | None = None,
    *,
    title: str = "",
    measured_label: str = "measured",
) -> Axes:
    """Draw predicted and measured ⟨T_P⟩ against the period, with the valid range shaded.

    Parameters
    ----------
    predictions : sequence of Prediction
        Drawn as a line with its 95 % band where valid, dashed with a pale band where extrapolated, dotted
        where out of range.
    measured : sequence of MeasuredPoint
        Drawn with 95 % intervals; open and pointing up where censored runs make it a lower bound.
    limits : ValidRange, optional
        Gives the measured period.
    ax : matplotlib axes, optional
        Where to draw.
    title : str
        Of the axes.
    measured_label : str
        Of the measured points.
    """
    ax = _axes(ax)
    points = [p for p in sorted(predictions, key=lambda p: p.period) if np.isfinite(p.mean)]
    period = np.array([p.period for p in points])
    mean, low, high = (np.array([getattr(p, name) for p in points]) for name in ("mean", "low", "high"))
    valid = np.array([p.status == "valid" for p in points], dtype=bool)
    if valid.any():
        shade = _style({}, color="0.92", lw=0, label="valid range", zorder=0)
        ax.axvspan(period[valid].min(), period[valid].max(), **shade)
    ax.plot(period, mean, color=BLUE, ls=":", lw=1.2, label="out of range")
    usable = np.array([p.status != "out_of_range" for p in points], dtype=bool)
    for chosen, style, width, alpha, label in (
        (usable, "--", 1.4, 0.12, "predicted, extrapolated"),
        (valid, "-", 1.8, 0.25, "predicted, valid"),
    ):
        y, bottom, top = (np.where(chosen, values, np.nan) for values in (mean, low, high))
        ax.plot(period, y, color=BLUE, ls=style, lw=width, label=label)
        ax.fill_between(period, bottom, top, color=BLUE, alpha=alpha, lw=0)
    if usable.any():
        # Intervals of means that the runs hardly determine would squeeze everything else.
        seen = [m.mean.value for m in measured]
        ax.set_ylim(0.7 * min([*mean, *seen]), 1.6 * max([*mean[usable], *seen]))
    for censored, marker, fill, label in (
        (False, "o", ORANGE, measured_label),
        (True, "^", "white", f"{measured_label}, lower bound"),
    ):
        group = [m for m in measured if (m.censored > 0) == censored]
        if group:
            x, y = [m.period for m in group], np.array([m.mean.value for m in group])
            ends = np.array([[m.mean.low, m.mean.high] for m in group]).T
            error = np.nan_to_num(np.abs(ends - y))
            ax.errorbar(x, y, yerr=error, fmt=marker, color=ORANGE, mfc=fill, ms=5, capsize=2, label=label)
    if limits is not None:
        ax.axvline(
            limits.measured_period,
            color=GREY,
            ls="--",
            lw=1,
            label=f"measured period {limits.measured_period}",
        )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="period P (epochs)",
        ylabel="mean first-passage time (epochs)",
        title=title,
    )
    _plain_ticks(ax)
    ax.legend(fontsize="small", frameon=False)
    return ax


def _plain_ticks(ax: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def plot_ranking(ranking: Ranking, ax: Axes | None = None) -> Axes:
    """Draw the speed-up of each perturbation at its best period, with 95 % intervals, best on top."""
    ax = _axes(ax)
    optima = ranking.optima[::-1]
    hatches = cycle(["", "//", "..", "xx", "\\\\"])
    colours = cycle([BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9"])
    styles = [next(colours) for _ in optima][::-1]
    patterns = [next(hatches) for _ in optima][::-1]
    for row, (optimum, colour, hatch) in enumerate(zip(optima, styles, patterns, strict=True)):
        value = optimum.speedup
        error = np.nan_to_num([[value.value - value.low], [value.high - value.value]])
        ax.barh(
            row,
            value.value,
            xerr=error,
            color=colour,
            hatch=hatch,
            alpha=0.8,
            height=0.6,
            capsize=3,
            edgecolor="white",
        )
    labels = [
        f"{o.perturbation.replace('_', ' ')}\nevery {o.prediction.period}" + (" ✓" if o.confirmed else "")
        for o in optima
    ]
    ax.set_yticks(range(len(optima)), labels)
    ax.axvline(1, color="black", lw=1, ls="--")
    ax.set(
        xlabel=f"speed-up over no perturbation (means up to epoch {ranking.horizon})",
        title=f"threshold {ranking.threshold:g}; ✓: confirmed by runs there",
    )
    return ax
