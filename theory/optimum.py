"""The best period of a perturbation, and the best perturbation.

The period is searched where a cycle settles, from the shortest to the longest period of `ValidRange`; the status of
the prediction there says whether it is valid or extrapolated. In a quasi-steady state the hazard is constant, so
where perturbing helps at all, sooner is better, and the optimum lies on the short edge of that range: then the
recommendation says so, and names the runs that would confirm it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from theory.arguments import check_kind, check_threshold
from theory.bootstrap import bootstrap_estimate, bootstrap_ratio, percentile_interval
from theory.confirmation import Confirmation, confirm
from theory.ensembles import Study
from theory.estimates import Estimate
from theory.measured import choose_measured, respond
from theory.prediction import Prediction, predict, restricted_cycle_mean
from theory.relaxation import QuasiSteadyState, relaxation
from theory.response import Response
from theory.survival import restricted_mean
from theory.validity import ValidRange


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Best period found for one perturbation.

    Attributes
    ----------
    perturbation : str
        Its name.
    prediction : Prediction
        At the best period, with its status: valid, extrapolated, or out of range where no mean can be given.
    period_low, period_high : int
        95 % interval of the best period, among those searched, from the bootstrap.
    speedup : Estimate
        Restricted mean without perturbation over that with it, both up to ``horizon``.
    horizon : int
        Epochs over which the speed-up is stated.
    advice : str
        What bounds the answer, and the run that would confirm it.
    restricted : Estimate
        Predicted restricted mean at the best period up to ``horizon``, epochs.
    confirmation : Confirmation or None
        The runs at the best period, if there are any.
    response : Response
        What it was predicted from.
    limits : ValidRange
        Time scales that bound the validity.
    """

    perturbation: str
    prediction: Prediction
    period_low: int
    period_high: int
    speedup: Estimate
    horizon: int
    advice: str
    restricted: Estimate
    confirmation: Confirmation | None
    response: Response
    limits: ValidRange

    @property
    def confirmed(self) -> bool:
        """Whether runs at the best period, other than those predicted from, agree with the prediction."""
        fresh = self.prediction.period != self.response.period
        return fresh and self.confirmation is not None and self.confirmation.agrees


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Perturbations at their best periods, best first, against no perturbation.

    Attributes
    ----------
    threshold : float
        In the unit of the metric.
    horizon : int
        Epochs; all restricted means and speed-ups are stated up to it.
    unperturbed : Estimate
        Restricted mean without perturbation, epochs.
    unperturbed_runs, unperturbed_censored : int
        Runs, and those that had not arrived by the horizon.
    optima : tuple of Optimum
        Best first, by the restricted mean.
    qss : QuasiSteadyState
        Verdict on the unperturbed runs.
    """

    threshold: float
    horizon: int
    unperturbed: Estimate
    unperturbed_runs: int
    unperturbed_censored: int
    optima: tuple[Optimum, ...]
    qss: QuasiSteadyState


def candidate_periods(limits: ValidRange) -> NDArray[np.int64]:
    """Periods to search: every epoch at which a cycle settles up to 50, then steps of 5 %; always P* itself."""
    shortest = limits.shortest if limits.shortest is not None else limits.measured_period
    longest = max(limits.longest, limits.measured_period)
    dense = np.arange(shortest, min(50, longest) + 1)
    coarse = np.geomspace(50, max(longest, 50), 1 + int(np.log(max(longest, 50) / 50) / 0.05)).astype(int)
    coarse = coarse[(coarse >= shortest) & (coarse <= longest)]
    return np.unique(np.r_[shortest, dense, coarse, limits.measured_period])


def best_period(
    response: Response, limits: ValidRange, *, horizon: int, study: Study | None = None
) -> Optimum:
    """Find the period with the smallest predicted restricted mean, among those at which a cycle settles.

    Parameters
    ----------
    response : Response
        Measured at one period.
    limits : ValidRange
        Time scales that bound the validity.
    horizon : int
        Epochs up to which means are restricted and the speed-up is stated; at most ``response.horizon``.
    study : Study, optional
        Where to look for runs at the best period, to confirm, and for runs at others that are faster still.

    Raises
    ------
    ValueError
        If the survival without perturbation is not known up to ``horizon``.
    """
    if not 1 <= horizon <= response.horizon:
        raise ValueError(f"`horizon` must be from 1 to {response.horizon} epochs, got {horizon}")
    periods = candidate_periods(limits)
    means = np.stack([_restricted_mean(response, int(p), horizon) for p in periods], axis=1)
    chosen = np.argmin(np.where(np.isnan(means), np.inf, means), axis=1)
    best = int(periods[chosen[0]])
    low, high = percentile_interval(periods[chosen[1:]]) if len(chosen) > 1 else (best, best)
    prediction = predict(response, [best], limits, model="cycles")[0]
    together, unperturbed = means[:, chosen[0]], response.survival[:, :horizon].sum(axis=1)
    alive = response.perturbed_alive
    restricted = bootstrap_estimate(together, alive)
    restricted = replace(restricted, high=min(restricted.high, float(horizon)))
    speedup = bootstrap_ratio(unperturbed / together, alive)
    found = {} if study is None else _measured(study, response, horizon, restricted)
    confirmation = found.get(best)
    if min(unperturbed[0], together[0]) == horizon:
        advice = f"no run reaches {response.threshold:g} before epoch {horizon}; choose a threshold that some reach"
    else:
        advice = "; ".join(
            _advice(best, int(periods[0]), limits, speedup, found) + _faster(found, best, restricted, horizon)
        )
    return Optimum(
        response.perturbation,
        prediction,
        int(low),
        int(high),
        speedup,
        horizon,
        advice,
        restricted,
        confirmation,
        response,
        limits,
    )


def _restricted_mean(response: Response, period: int, horizon: int) -> NDArray[np.float64]:
    """Restricted mean at ``period``, midway between its bounds, for the data and each resample."""
    fast = restricted_cycle_mean(response, period, horizon, "hazard continues")
    if period <= response.window:
        return fast
    return (fast + restricted_cycle_mean(response, period, horizon, "nobody completes")) / 2


def _measured(
    study: Study, response: Response, horizon: int, restricted: Estimate
) -> dict[int, Confirmation]:
    """What the runs at each period say, beside the mean predicted at the best."""
    name, threshold = response.perturbation, response.threshold
    found = {each: confirm(study, name, each, threshold, horizon, restricted) for each in study.periods(name)}
    return {period: each for period, each in found.items() if each is not None}


def _faster(found: Mapping[int, Confirmation], best: int, restricted: Estimate, horizon: int) -> list[str]:
    """Name the period that was run and whose mean lies below the predicted best, beyond the error of either."""
    shown = {}
    for period, each in found.items():
        error = 1.96 * float(np.hypot(each.restricted.stderr, restricted.stderr))
        if period != best and each.horizon == horizon and each.restricted.value + error < restricted.value:
            shown[period] = each.restricted.value
    if not shown:
        return []
    period = min(shown, key=lambda each: shown[each])
    return [f"the runs at period {period} are faster still, {shown[period]:.3g} epochs: rely on them"]


def _advice(
    best: int, shortest: int, limits: ValidRange, speedup: Estimate, found: Mapping[int, Confirmation]
) -> list[str]:
    parts = []
    confirmation = found.get(best)
    if speedup.high < 1:
        return ["do not perturb: it slows training down at every period searched"]
    if not speedup.low > 1:
        return [
            f"no speed-up is shown: its interval {'is not known' if np.isnan(speedup.low) else 'contains 1'}"
        ]
    if limits.shortest is None:
        parts.append(
            f"only the measured period {limits.measured_period} is validated; measure at a longer period"
        )
    elif best == shortest and best > 1:
        parts.append(
            f"the optimum lies at or below {best}, the edge of the validated range: what is shorter cannot be predicted"
        )
        if best // 2 not in found:
            parts.append(f"run period {best // 2} to look beyond")
    if confirmation is None or best == limits.measured_period:
        parts.append(f"confirm with {'fresh ' if confirmation else ''}runs at period {best}")
    elif not confirmation.agrees:
        parts.append(f"the runs at period {best} do not agree with the prediction: rely on them")
    return parts


def rank(
    study: Study,
    threshold: float,
    *,
    measured: Mapping[str, int] | None = None,
    horizon: int | None = None,
    qss: QuasiSteadyState | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Rank the perturbations of a study, each at its best period.

    Parameters
    ----------
    study : Study
        Unperturbed runs, and each perturbation at one period at least.
    threshold : float
        In the unit of the metric.
    measured : mapping of name to period, optional
        The one period from which each perturbation is predicted. Default: see `choose_measured`.
    horizon : int, optional
        Epochs up to which speed-ups are stated. Default: the end of the unperturbed runs.
    qss : QuasiSteadyState, optional
        Verdict on the unperturbed runs, if it is known already.
    resamples, seed : int
        Of the bootstrap.
    """
    check_kind("study", study, Study, "write Study(unperturbed, [perturbed, ...])")
    check_threshold(threshold)
    if not study.perturbations:
        raise ValueError("`study` has no perturbed runs; add an ensemble with a perturbation at one period")
    unknown = set(measured or {}) - set(study.perturbations)
    if unknown:
        raise ValueError(
            f"`measured` names {', '.join(sorted(unknown))}; this study has {', '.join(study.perturbations)}"
        )
    end = study.unperturbed.horizon if horizon is None else horizon
    if not 1 <= end <= study.unperturbed.horizon:
        raise ValueError(f"`horizon` must be from 1 to {study.unperturbed.horizon} epochs, got {end}")
    sample = study.unperturbed.first_passage(threshold, end)
    if sample.horizon < end and sample.censored[sample.times == sample.horizon].any():
        raise ValueError(
            f"no unperturbed run is recorded beyond epoch {sample.horizon:g}, and some had not arrived by then; give "
            "a shorter `horizon`, or runs that do not diverge or end there"
        )
    qss = relaxation(study.unperturbed) if qss is None else qss
    optima = []
    for name in study.perturbations:
        period = (measured or {}).get(name) or choose_measured(study, name, threshold, qss)
        response, limits = respond(study, name, period, threshold, qss, resamples=resamples, seed=seed)
        optima.append(best_period(response, limits, horizon=end, study=study))
    alone = restricted_mean(sample, end)
    optima.sort(key=lambda optimum: optimum.restricted.value)
    return Ranking(threshold, end, alone, len(sample), sample.n_censored, tuple(optima), qss)
