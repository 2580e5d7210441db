r"""Predict <T_P> at any period, and under any renewal protocol, from the response at one period.

Constant response (arXiv:2502.04121): in a quasi-steady state <tau_P> = <tau>, so

    <T_P> = sum_{t<P} S(t) + S(P) <tau>,

and for a random first activation R, <T_R> = <min(T, R)> + Pr(T > R) <tau>.

Cycle-resolved response: let B_n = <G_n(R)> be the probability to live through the n-th cycle and
A_n = sum_s G_n(s) Pr(R > s) the mean time spent in it. Then <tau_R> = sum_n [prod_{m<n} B_m] A_n, where the
last measured cycle repeats: its geometric series is summed in closed form. For a sharp period
B_n = G_n(P) and A_n = sum_{s<P} G_n(s), the cycle-resolved row of the table in the README.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from theory.arguments import check_kind
from theory.bootstrap import bootstrap_estimate
from theory.protocols import IntervalLaw, periodic
from theory.response import Array, Response
from theory.validity import Status, ValidRange, constant_findings, cycle_findings, grade

NEGLIGIBLE = 1e-4
"""Intervals beyond the unperturbed runs that are rarer than this count as ending with these runs."""

Model = Literal["auto", "constant", "cycles"]
Late = Literal["hazard continues", "nobody completes"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predicted mean first-passage time at one period.

    Attributes
    ----------
    period : int
        Epochs between perturbations.
    mean, stderr : float
        Epochs; infinite or NaN where the formula gives no finite mean.
    low, high : float
        95 % interval; where a part of a cycle was not measured, of the lower and of the upper bound.
    model : {"constant", "cycles"}
        Formula used.
    status : {"valid", "extrapolated", "out_of_range"}
        Whether the assumptions of the formula hold there.
    reason : str
        Why.
    """

    period: int
    mean: float
    stderr: float
    low: float
    high: float
    model: str
    status: Status
    reason: str


def extend_cycles(response: Response, length: int, late: Late) -> Array:
    """G_n(s) for s = 0 .. length, shape (rows, cycles, length + 1).

    Beyond the measured window either nobody completes any more (an upper bound of G), or the mean hazard
    of the last quarter of the window continues (a lower bound where hazards fall with time).
    """
    if late not in get_args(Late):
        raise ValueError(f"`late` must be one of {', '.join(map(repr, get_args(Late)))}, got {late!r}")
    cycles, window = response.cycles, response.window
    if length <= window:
        return cycles[..., : length + 1]
    last = cycles[..., -1:]
    if late == "nobody completes":
        return np.concatenate([cycles, np.repeat(last, length - window, axis=-1)], axis=-1)
    quarter = max(1, -(-window // 4))
    before = cycles[..., -1 - quarter, None]
    ratio = np.divide(last, before, out=np.zeros_like(last), where=before > 0) ** (1 / quarter)
    return np.concatenate([cycles, last * ratio ** np.arange(1, length - window + 1)], axis=-1)


def _until_activation(response: Response, law: IntervalLaw) -> tuple[Array, Array]:
    """``<min(T, R)>`` and Pr(T > R), each (rows,); NaN where R reaches beyond the unperturbed runs."""
    check_kind("law", law, IntervalLaw, "make one with theory.periodic, theory.poisson or theory.renewal")
    survival, beyond = response.survival, law.beyond
    reach = law.longest - response.horizon
    if reach > 0 and beyond[response.horizon] < NEGLIGIBLE:
        beyond = np.r_[beyond[: response.horizon], 0.0]
    elif reach > 0:
        # Beyond the runs S is unknown, unless it has fallen to zero.
        rest = np.where(survival[:, -1:] == 0, 0.0, np.nan)
        survival = np.concatenate([survival, np.repeat(rest, reach, axis=1)], axis=1)
    survival = survival[:, : beyond.size]
    return survival[:, :-1] @ beyond[:-1], survival[:, 1:] @ -np.diff(beyond)


def constant_mean(response: Response, law: IntervalLaw) -> Array:
    """<T_R> by the constant response, epochs, for the data and each resample, shape (rows,).

    Source: arXiv:2502.04121; see the formulas at the head of this file.
    """
    early, activated = _until_activation(response, law)
    return early + activated * response.tau


def cycle_mean(response: Response, law: IntervalLaw, late: Late = "hazard continues") -> tuple[Array, Array]:
    """<T_R> by the cycle-resolved response, and the part of it in cycles beyond the measured ones.

    Both in epochs, shape (rows,); infinite where nobody completes in the last cycle.
    """
    early, activated = _until_activation(response, law)
    survival = extend_cycles(response, law.longest, late)
    spent = survival[..., :-1] @ law.beyond[:-1]
    lived = survival[..., 1:] @ law.pmf
    reached = np.concatenate([np.ones((len(lived), 1)), np.cumprod(lived, axis=1)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        repeats = np.where(reached[:, -1] > 0, reached[:, -1] * spent[:, -1] / (1 - lived[:, -1]), 0.0)
        tau = np.sum(reached[:, :-1] * spent, axis=1) + repeats
        rest, repeated = (np.where(activated > 0, activated * time, 0.0) for time in (tau, repeats))
    return np.where(np.isnan(activated), np.nan, early + rest), repeated


def restricted_cycle_mean(response: Response, period: int, horizon: int, late: Late) -> Array:
    """``<min(T_P, horizon)>`` by the cycle-resolved response, epochs, shape (rows,).

    It is finite even where <T_P> is not, and rests on no cycle that begins after ``horizon``.
    """
    survival = extend_cycles(response, period, late)
    total: Array = response.survival[:, : min(period, horizon)].sum(axis=1)
    alive = response.survival[:, min(period, response.horizon)]
    for n, start in enumerate(range(period, horizon, period)):
        cycle = survival[:, min(n, survival.shape[1] - 1)]
        total = total + alive * cycle[:, : min(period, horizon - start)].sum(axis=1)
        alive = alive * cycle[:, period]
    return total


def predict_survival(
    response: Response, period: int, epochs: int, late: Late = "hazard continues"
) -> NDArray[np.float64]:
    """Law under period P by the cycle-resolved response: S_P(t) = Pr(T_P > t).

    Returns
    -------
    (1 + resamples, epochs + 1) array
        S_P at t = 0 .. epochs: S(t) up to P, then S(P) prod_{m<n} G_m(P) G_n(t - nP) in cycle n.

    Raises
    ------
    ValueError
        If the unperturbed survival is not known up to ``period``.
    """
    if not 1 <= period <= response.horizon:
        raise ValueError(
            f"`period` must be from 1 to {response.horizon}, where the unperturbed runs end, got {period}"
        )
    survival = extend_cycles(response, period, late)
    pieces = [response.survival[:, :period]]
    alive = response.survival[:, period]
    count = max(0, -(-(epochs + 1 - period) // period))
    for n in range(count):
        cycle = survival[:, min(n, survival.shape[1] - 1)]
        pieces.append(alive[:, None] * cycle[:, :period])
        alive = alive * cycle[:, period]
    return np.concatenate(pieces, axis=1)[:, : epochs + 1]


def _choose(model: Model, period: int, limits: ValidRange) -> Literal["constant", "cycles"]:
    """``auto``: cycles where a cycle of this length settles, else the constant response."""
    if model != "auto":
        return model
    shortest = limits.settled_after if limits.settled_after is not None else limits.measured_period
    return "cycles" if period >= min(shortest, limits.measured_period) else "constant"


def predict(
    response: Response, periods: Iterable[int], limits: ValidRange, model: Model = "auto"
) -> list[Prediction]:
    """Predict <T_P> at each period, with its standard error, interval and validity.

    Parameters
    ----------
    response : Response
        Measured at one period.
    periods : iterable of int
        Epochs, each at least 1.
    limits : ValidRange
        Time scales that bound the validity.
    model : {"auto", "constant", "cycles"}
        ``auto`` takes the cycle-resolved response where a cycle of that length settles, otherwise the
        constant response. The rule does not look at the predicted values.
    """
    if model not in get_args(Model):
        raise ValueError(f"`model` must be one of {', '.join(get_args(Model))}, got {model!r}")
    if not isinstance(periods, Iterable):
        raise TypeError(f"`periods` must be a sequence of epochs, got {periods!r}; put it in brackets")
    periods = list(periods)
    for period in periods:
        periodic(period)  # raises where it is no period
    return [_predict_one(response, int(period), limits, _choose(model, period, limits)) for period in periods]


def _predict_one(
    response: Response, period: int, limits: ValidRange, model: Literal["constant", "cycles"]
) -> Prediction:
    law = periodic(period)
    if model == "constant":
        lower = upper = constant_mean(response, law)
        status, reason = grade(constant_findings(period, limits, response))
    else:
        lower, repeats = cycle_mean(response, law, "hazard continues")
        upper, _ = cycle_mean(response, law, "nobody completes")
        upper = np.where(np.isfinite(upper), upper, lower)
        spread = np.subtract(upper, lower, out=np.zeros_like(upper), where=np.isfinite(lower))
        findings = cycle_findings(period, limits, response, _part(spread, lower), _part(repeats, lower))
        status, reason = grade(findings)
    mean = float(lower[0] + upper[0]) / 2
    if not np.isfinite(mean):
        if np.isinf(mean):
            reason = f"no run completes within {period} epochs after a perturbation; {reason}"
        return Prediction(period, mean, *_NO_ERROR, model, "out_of_range", reason)
    alive = response.perturbed_alive
    # The truth may lie anywhere between the bounds: uniform, with variance (upper - lower)^2 / 12.
    low, high = bootstrap_estimate(lower, alive).low, bootstrap_estimate(upper, alive).high
    stderr = float(
        np.hypot(bootstrap_estimate((lower + upper) / 2, alive).stderr, (upper[0] - lower[0]) / np.sqrt(12))
    )
    return Prediction(period, mean, stderr, low, high, model, status, reason)


_NO_ERROR = (float("nan"), float("nan"), float("nan"))


def _part(part: Array, whole: Array) -> float:
    """Part over whole in the data; 1 where the whole is infinite."""
    return float(part[0] / whole[0]) if np.isfinite(whole[0]) else 1.0
