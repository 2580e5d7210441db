"""Figures of the comparison with exact means, in the manner of `theory.plots`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theory.numerical.qss_comparison import QssComparison
from theory.plots import BLUE, GREY, ORANGE, _axes, _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOOR = 1e-12
"""Errors below this are rounding and drawn at it."""


def plot_qss_error(result: QssComparison, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw the size of the relative error of both predictions against P / t_rel.

    Parameters
    ----------
    result : QssComparison
        From `compare_predictions`. Where no relaxation time is known the axis is P itself.
    ax : matplotlib axes, optional
        Where to draw.
    **kwargs
        Passed to ``ax.plot`` for both lines.
    """
    ax = _axes(ax)
    scale = result.relaxation_time if 0 < result.relaxation_time < np.inf else 1.0
    x = result.periods / scale
    for error, colour, marker, style, label in (
        (result.constant_error, BLUE, "o", "-", "constant response"),
        (result.cycles_error, ORANGE, "s", "--", "cycle-resolved"),
    ):
        size = np.maximum(np.abs(error), FLOOR)
        ax.plot(x, size, **_style(kwargs, color=colour, marker=marker, ls=style, ms=4, lw=1.4, label=label))
    ax.axvline(
        result.measured_period / scale,
        color=GREY,
        ls="--",
        lw=1,
        label=f"measured period {result.measured_period:.3g}",
    )
    if np.isfinite(result.optimum):
        ax.axvline(
            result.optimum / scale, color="black", ls=":", lw=1, label=r"hazard = $1/\langle\tau\rangle$"
        )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="period / relaxation time" if scale == result.relaxation_time else "period P",
        ylabel=r"|relative error| of $\langle T_P\rangle$",
    )
    ax.legend(fontsize="small", frameon=False)
    return ax
