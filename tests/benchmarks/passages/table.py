"""One table a work, at most 100 columns wide."""

from passages.by_numba import NAME as PLAIN_NUMBA
from passages.cpp import FLOAT64
from passages.timing import Measured
from passages.works import Work

ACCURACY = 1e-3  # relative, of the mean passage time
HEAD = (
    f"{'':33s}{'Msteps/s':>9s}{'runs/s':>10s}{'/numba':>8s}{'/C++64':>8s}{'bias %':>9s}{'+-':>6s}"
    f"{'time to 0.1 %':>15s}"
)
LEGEND = """\
runs/s: trajectories a second; /numba, /C++64: that rate over plain numba's and over the C++ float64
bound's; bias of the mean passage time, and its standard error; time to 0.1 %: until the standard
error of the mean is 0.1 %. ~: for Euler, extrapolated to the smaller step where its bias (as the
square root of the step; from the best measured Euler row that agrees) is 0.1 % too. never: the bias
is larger and stays. ?: it cannot be told from this many runs."""


def seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.3g} s" if value < 3600 else f"{value / 3600:.3g} h"


def well_measured_bias(row: Measured, rows: list[Measured]) -> tuple[float, float]:
    """The row's bias, or that of a better measured Euler row where the two agree: it is the same scheme."""
    bias, error = row.bias
    if row.method.euler:
        for other, other_error in (peer.bias for peer in rows if peer.draws and peer.method.euler):
            if other_error < error and abs(other - row.bias[0]) < 3 * row.bias[1]:
                bias, error = other, other_error
    return bias, error


def time_to_accuracy(row: Measured, rows: list[Measured]) -> str:
    if not row.method.samples:
        found = row.draws[-1][1].law_seconds
        return "never" if found is None else seconds(found)
    exact, deviation = row.work.exact
    needed = (deviation / exact / ACCURACY) ** 2 * row.seconds_per_run
    bias, error = well_measured_bias(row, rows)
    if abs(bias) - 2 * error > ACCURACY:
        work, words = row.method.never
        if work == row.work.name:
            return words
        return f"~{seconds(needed * (bias / ACCURACY) ** 2)}" if row.method.euler else "never"
    return seconds(needed) + ("" if abs(bias) + 2 * error < 2 * ACCURACY else " ?")


def ratio(row: Measured, reference: Measured | None) -> str:
    if reference is None or not reference.draws or not row.method.samples:
        return "-"
    value = reference.seconds_per_run / row.seconds_per_run
    if value < 1:
        return f"{value:.2g}"
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"


def line(row: Measured, rows: list[Measured]) -> str:
    if row.unavailable or not row.draws:
        return f"{row.method.name:33s} {row.unavailable}"[:99]
    steps = f"{row.step_rate / 1e6:.4g}" if row.step_rate else "-"
    runs = f"{1 / row.seconds_per_run:.3g}" if row.method.samples else "-"
    bias, error = row.bias
    by_name = {other.method.name: other for other in rows}
    ratios = "".join(f"{ratio(row, by_name.get(name)):>8s}" for name in (PLAIN_NUMBA, FLOAT64))
    percent = f"{100 * bias:>9.3f}{100 * error:>6.3f}"
    return f"{row.label:33s}{steps:>9s}{runs:>10s}{ratios}{percent}{time_to_accuracy(row, rows):>15s}"


def render(work: Work, rows: list[Measured]) -> str:
    mean, deviation = work.exact
    title = f"{work.name}, {work.title}: exact mean {mean:.6g}, standard deviation {deviation:.4g}"
    return "\n".join([title, HEAD, *(line(row, rows) for row in rows)])
