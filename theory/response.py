r"""Response to a perturbation, measured at one period.

Until the first perturbation both processes are the same, so exactly (arXiv:2502.04121, eq. 1)

    <T_P> = <min(T, P)> + S(P) <tau_P>,

with S the survival of unperturbed runs and tau_P the residual time from the first perturbation.
`measure_response` takes from the runs at one period P* all that the predictions need:

 - S, from the unperturbed runs pooled with the first P* epochs of the perturbed ones, which obey the
   same law until then;
 - <tau>, directly from the residuals T - P* of the perturbed runs alive at P*;
 - G_n(s), the probability not to have completed s epochs after the n-th perturbation, given alive at it.

All are products of one minus hazards, so a perturbed ensemble enters through its hazard at each epoch,
cut into cycles; censored runs leave the risk set as in the Kaplan–Meier estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.arguments import check_kind
from theory.bootstrap import RunWeights, bootstrap_estimate, resample_runs
from theory.ensembles import Ensemble
from theory.estimates import Estimate
from theory.passages import PassageSample

MIN_ALIVE = 10
"""A cycle of its own needs this many runs alive at its perturbation; later ones are pooled into it."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What one measured period tells, for the data (index 0 of the first axis) and each resample.

    Attributes
    ----------
    perturbation : str
        Name of the perturbation.
    period : int
        Measured period P*, epochs.
    threshold : float
        In the unit of the metric.
    survival : (1 + resamples, horizon + 1) array
        S(t), t = 0 .. horizon, pooled; NaN where no run was watched any more.
    tau : (1 + resamples,) array
        Mean residual time after the first perturbation, epochs.
    cycles : (1 + resamples, cycles, window + 1) array
        G_n(s) for n = 1 .. cycles, s = 0 .. window; the last cycle pools all later ones.
    alive : (cycles,) array
        Perturbed runs alive at the n-th perturbation (for the last, summed over the cycles it pools).
    unperturbed_runs, perturbed_runs : int
        Sizes of the ensembles.
    perturbed_alive : int
        Runs alive at their first perturbation, branches included: the residuals behind ``tau``.
    tau_censored : int
        Residuals that are censored: then ``tau`` is a restricted mean, a lower bound.
    inverted_tau : Estimate
        The residual time by inverting the decomposition, for comparison: unbiased, far noisier.
    """

    perturbation: str
    period: int
    threshold: float
    survival: Array
    tau: Array
    cycles: Array
    alive: NDArray[np.int64]
    unperturbed_runs: int
    perturbed_runs: int
    perturbed_alive: int
    tau_censored: int
    inverted_tau: Estimate

    @property
    def horizon(self) -> int:
        """Epochs for which the unperturbed survival is known."""
        return int(self.survival.shape[1] - 1)

    @property
    def window(self) -> int:
        """Epochs after a perturbation for which G_n is known; the measured period, or what fits."""
        return int(self.cycles.shape[2] - 1)

    @property
    def tau_estimate(self) -> Estimate:
        """Direct estimate of the mean residual time, epochs."""
        return bootstrap_estimate(self.tau, self.perturbed_alive, self.tau_censored > 0)


def epoch_counts(sample: PassageSample, weights: RunWeights, horizon: int) -> tuple[Array, Array]:
    """Weighted arrivals at, and runs at risk in, epochs 1 .. horizon; each (rows of weights, horizon)."""
    times = sample.times.astype(int)
    size = max(int(times.max()), horizon) + 1
    events = weights.counts(times, size, sample.observed)
    ended = events + weights.counts(times, size, sample.censored)
    at_risk = np.cumsum(ended[:, ::-1], axis=1)[:, ::-1]
    return events[:, 1 : horizon + 1], at_risk[:, 1 : horizon + 1]


def survival_from_counts(events: Array, at_risk: Array) -> Array:
    """Kaplan–Meier S(t), t = 0 .. epochs, along the last axis; NaN once nobody is watched, unless S = 0."""
    watched = at_risk > 0
    hazard = np.divide(events, at_risk, out=np.zeros_like(events), where=watched)
    hazard = np.where(hazard > 1 - 1e-12, 1.0, hazard)
    survival = np.ones((*events.shape[:-1], events.shape[-1] + 1))
    np.cumprod(1 - hazard, axis=-1, out=survival[..., 1:])
    survival[..., 1:][~watched & (survival[..., 1:] > 0)] = np.nan
    return survival


def measure_response(
    unperturbed: Ensemble,
    perturbed: Ensemble,
    threshold: float,
    *,
    resamples: int = 2000,
    seed: int | np.random.Generator = 0,
    pool: bool = True,
    branches: Sequence[Ensemble] = (),
) -> Response:
    """Measure S, <tau> and the cycle-resolved response from one perturbed ensemble.

    Parameters
    ----------
    unperturbed, perturbed : Ensemble
        The same metric; ``perturbed`` at the measured period.
    threshold : float
        In the unit of the metric.
    resamples : int
        Bootstrap resamples, over runs, equal seeds together.
    seed : int or numpy.random.Generator
        Seed of the bootstrap.
    pool : bool
        Whether S also uses the perturbed runs before their first perturbation.
    branches : sequence of Ensemble
        Runs under the same perturbation and period that were first perturbed at other epochs, within the
        quasi-steady state: their residuals tell the same response.

    Raises
    ------
    ValueError
        If no perturbed run is alive at its first perturbation, or watched after it.
    """
    for argument, ensemble in (("unperturbed", unperturbed), ("perturbed", perturbed)):
        check_kind(
            argument, ensemble, Ensemble, "write Ensemble(values, seeds, ...), or take one out of a study"
        )
    period = perturbed.period
    if period is None or perturbed.perturbation is None:
        raise ValueError("`perturbed` must have a perturbation and a period, got unperturbed runs")
    free, kicked = unperturbed.first_passage(threshold), perturbed.first_passage(threshold)
    for branch in branches:
        if (branch.perturbation, branch.period) != (perturbed.perturbation, period):
            raise ValueError(
                f"`branches` must be of {perturbed.name} from other epochs on, got {branch.name}"
            )
    aligned = [_aligned(branch, threshold, period) for branch in branches]
    alive = int(np.sum(kicked.times > period)) + sum(len(sample) for sample, _ in aligned)
    if alive < 2:
        raise ValueError(
            f"`perturbed` {perturbed.name}: {alive} of {len(perturbed)} runs are alive and watched after the "
            f"first perturbation at threshold {threshold:g}; at least 2 are needed. {_harder(perturbed)}, "
            "shorten the period or add runs"
        )
    free_weights, kicked_weights, *branch_weights = resample_runs(
        [unperturbed.seeds, perturbed.seeds, *(seeds for _, seeds in aligned)], resamples, seed
    )
    events, at_risk = epoch_counts(free, free_weights, unperturbed.horizon)
    free_survival = survival_from_counts(events, at_risk)
    # Branches begin later and may be watched for longer after their first perturbation.
    longest = max([perturbed.horizon, *(branch.horizon - _shift(branch, period) for branch in branches)])
    kicked_events, kicked_at_risk = epoch_counts(kicked, kicked_weights, longest)
    inverted = _inverted_tau(
        free_survival, survival_from_counts(kicked_events, kicked_at_risk), period, kicked.n_censored > 0
    )
    if pool:
        shared = min(period, unperturbed.horizon)
        events[:, :shared] += kicked_events[:, :shared]
        at_risk[:, :shared] += kicked_at_risk[:, :shared]
    for (sample, _), weights in zip(aligned, branch_weights, strict=True):
        more_events, more_at_risk = epoch_counts(sample, weights, longest)
        kicked_events += more_events
        kicked_at_risk += more_at_risk
    times = np.concatenate([kicked.times, *(sample.times for sample, _ in aligned)])
    residual = survival_from_counts(kicked_events[:, period:], kicked_at_risk[:, period:])
    cycles, alive_at = _cycle_survival(times, kicked_events, kicked_at_risk, period)
    return Response(
        perturbation=perturbed.perturbation,
        period=period,
        threshold=threshold,
        survival=survival_from_counts(events, at_risk),
        tau=np.nansum(residual[:, :-1], axis=1),
        cycles=cycles,
        alive=alive_at,
        unperturbed_runs=len(unperturbed),
        perturbed_runs=len(perturbed),
        perturbed_alive=alive,
        tau_censored=int(np.sum(kicked.censored & (kicked.times > period)))
        + sum(sample.n_censored for sample, _ in aligned),
        inverted_tau=inverted,
    )


def _harder(ensemble: Ensemble) -> str:
    """What to do about runs that arrive too early."""
    return f"{'Raise' if ensemble.direction == 'at_least' else 'Lower'} the threshold"


def _aligned(branch: Ensemble, threshold: float, period: int) -> tuple[PassageSample, NDArray[np.int64]]:
    """Times of the runs of a branch that are alive at its first perturbation, shifted so that it is at ``period``."""
    sample = branch.first_passage(threshold)
    shift = _shift(branch, period)
    alive = sample.times > period + shift
    if not alive.any():
        raise ValueError(
            f"`branches` {branch.name}: no run is alive and watched after the first perturbation at threshold "
            f"{threshold:g}; leave this branch out, or {_harder(branch).lower()}"
        )
    shifted = PassageSample(sample.times[alive] - shift, sample.censored[alive])
    return shifted, branch.seeds[alive]


def _shift(branch: Ensemble, period: int) -> int:
    """Epochs by which a branch is first perturbed later than ``period``."""
    return int(branch.onset or period) - period


def _cycle_survival(
    times: Array, events: Array, at_risk: Array, period: int
) -> tuple[Array, NDArray[np.int64]]:
    """Cut hazards into cycles; pool those with fewer than MIN_ALIVE runs into the last one that has them."""
    horizon = events.shape[1]
    window = min(period, horizon - period)
    starts = np.arange(period, horizon, period)
    alive = np.array([np.sum(times > start) for start in starts])
    whole = starts + window <= horizon
    last = max(1, int(np.sum((alive >= MIN_ALIVE) & whole)))
    padded_events, padded_risk = (
        np.pad(a, [(0, 0), (0, max(0, int(starts[-1]) + window - horizon))]) for a in (events, at_risk)
    )
    d = np.stack([padded_events[:, a : a + window] for a in starts], axis=1)
    r = np.stack([padded_risk[:, a : a + window] for a in starts], axis=1)
    d[:, last - 1], r[:, last - 1] = d[:, last - 1 :].sum(axis=1), r[:, last - 1 :].sum(axis=1)
    survival = survival_from_counts(d[:, :last], r[:, :last])
    pooled = np.r_[alive[: last - 1], alive[last - 1 :].sum()]
    return _carry_forward(survival), pooled


def _carry_forward(survival: Array) -> Array:
    """Replace NaN (nobody watched any more) by the last known value: nobody is seen to complete."""
    known = np.where(np.isnan(survival), np.inf, survival)
    return np.minimum.accumulate(known, axis=-1)


def _inverted_tau(free: Array, kicked: Array, period: int, lower_bound: bool) -> Estimate:
    """Residual time from ``(<T_P> - <min(T, P)>) / S(P)``, the two means from survival in different ensembles."""
    early = free[:, :period].sum(axis=1)
    alive = free[:, period] if period < free.shape[1] else np.full(len(free), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = (np.nansum(kicked[:, :-1], axis=1) - early) / alive
    stderr = float(tau[1:].std(ddof=1)) if np.isfinite(tau).all() and tau.size > 2 else float("nan")
    half = 1.96 * stderr
    return Estimate(float(tau[0]), stderr, float(tau[0] - half), float(tau[0] + half), lower_bound)
