"""A policy from runs that were trained before: the pilot."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.adaptive.levels import PlateauLaw, estimate_law
from theory.adaptive.policy import HazardPolicy
from theory.ensembles import Ensemble
from theory.relaxation import TOLERANCE, relaxation
from theory.response import Response
from theory.settling import settling_epoch

MIN_RUNS = 20
"""Runs that a cycle needs for a law of its own."""
MOST_CYCLES = 5
"""Cycles with a law of their own; later ones take the last."""
LAST = 0.25
"""Share of a cycle at its end that is taken for its plateau."""

Array = NDArray[np.float64]


def pilot_policy(
    unperturbed: Ensemble,
    tau: float | tuple[float, ...] | Response | None,
    threshold: float,
    *,
    perturbed: Ensemble | None = None,
    **settings: Any,
) -> HazardPolicy:
    """Build a policy from unperturbed runs, a measured response and, better, the perturbed runs themselves.

    The plateau begins at the relaxation epoch of the unperturbed runs (`theory.relaxation`); the law of their
    plateaus is estimated from there to the end of the quasi-steady state. After a perturbation the same is assumed,
    as for a full reset, unless ``perturbed`` tells: its cycles are on their plateau where the mean has
    come within a quarter of the spread between runs of the mean of the last quarter of the cycle, and each of the
    first five with at least 20 runs has a law of its own. Arrivals that the unperturbed runs' values do not
    explain make the ``background`` (`unexplained_hazard`). Runs that end at the goal (as those of `stochreset.record`)
    leave the lower plateaus in the later cycles, which then say what is expected given survival.

    Parameters
    ----------
    unperturbed : Ensemble
        The pilot's runs without perturbation.
    tau : float, tuple of float, Response or None
        Mean time to the goal after a perturbation, epochs; of a `Response` cycle by cycle. None: guessed
        from each run's own course.
    threshold : float
        The goal, in the unit of the metric.
    perturbed : Ensemble, optional
        The pilot's perturbed runs, at a period within the quasi-steady state.
    **settings
        Other settings of `HazardPolicy`.

    Raises
    ------
    ValueError
        If the pilot has no quasi-steady state, its cycles do not settle, or the response is at another threshold.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> levels = 71.9 + 0.5 * rng.normal(size=(200, 1))
    >>> traces = levels - 30 * np.exp(-np.arange(1, 81) / 3) + 0.15 * rng.normal(size=(200, 80))
    >>> policy = pilot_policy(Ensemble(traces, np.arange(200)), 25.0, 72.5)
    >>> policy.settle[0] > 10, round(policy.laws[0].noise, 2)
    (True, 0.15)
    """
    if isinstance(tau, Response) and tau.threshold != threshold:
        raise ValueError(f"`tau` was measured at the threshold {tau.threshold:g}, not at {threshold:g}")
    cycles = [] if perturbed is None else cycles_after(perturbed)
    if perturbed is not None and perturbed.direction != unperturbed.direction:
        raise ValueError(
            f"`perturbed` is {perturbed.direction}, `unperturbed` {unperturbed.direction}: give the same metric of both"
        )
    qss = relaxation(unperturbed)
    if qss.verdict != "reached" or qss.relaxation_epoch is None or qss.stationary_until is None:
        raise ValueError(
            f"`unperturbed` has no quasi-steady state to take a plateau from: {qss.reason}. "
            "HazardPolicy(threshold=...) does without a pilot"
        )
    onset = qss.relaxation_epoch
    settle, laws = [onset], [estimate_law(unperturbed.some().recorded[:, onset - 1 : qss.stationary_until])]
    if perturbed is not None:
        after, later = _after_perturbations(perturbed.name, cycles, laws[0])
        settle.append(after)
        laws += later
    values = unperturbed.some().recorded[:, : qss.stationary_until]
    plain = HazardPolicy(
        threshold=threshold, direction=unperturbed.direction, settle=(onset,), laws=(laws[0],), readings=1
    )
    taus = response_taus(tau) if isinstance(tau, Response) else () if tau is None else tau
    return HazardPolicy(
        threshold=threshold,
        direction=unperturbed.direction,
        tau=taus,  # type: ignore[arg-type]
        settle=tuple(settle),
        laws=tuple(laws),
        **{"readings": 1, "background": unexplained_hazard(plain, values), **settings},
    )


def unexplained_hazard(policy: HazardPolicy, values: Array) -> float:
    """Hazard per epoch that the policy's predictions lack, from runs that are not perturbed; 0 if they lack none.

    If the predicted hazards are right, arrivals less the sum of the hazards over the epochs at risk have mean zero
    (compensator of a counting process; Aalen, Borgan and Gjessing, Survival and Event History Analysis, section 2.2).
    What there are more, per epoch at risk, comes by other ways than fluctuations around a plateau.
    """
    at_least = policy.direction == "at_least"
    arrived = values >= policy.threshold if at_least else values <= policy.threshold
    before = np.maximum.accumulate(arrived, axis=1)
    excess, at_risk = 0.0, 0
    for epoch in range(policy.settle[0], values.shape[1]):
        alive = ~before[:, epoch - 1] & np.isfinite(values[:, epoch])
        excess += arrived[alive, epoch].sum() - policy.hazard(values[alive, :epoch]).sum()
        at_risk += int(alive.sum())
    return max(0.0, float(excess / at_risk)) if at_risk else 0.0


def response_taus(response: Response) -> tuple[float, ...]:
    r"""<tau> after the first, second, ... perturbation at the measured period, epochs.

    With :math:`C_n` the epochs spent in cycle n and :math:`G_n` the probability to outlast it,
    :math:`\tau_n = C_n + G_n\tau_{n+1}`; the last cycle is that of all later ones, :math:`\tau = C/(1 - G)`.
    """
    outlast = response.cycles[0, :, -1]
    spent = response.cycles[0, :, :-1].sum(axis=1)
    if response.window < response.period:
        raise ValueError(
            f"`response` knows {response.window} epochs after a perturbation of a period of {response.period}; "
            "let the perturbed runs go on for two periods at least, or give `tau` as a number"
        )
    if outlast[-1] >= 1:
        raise ValueError("`response` has no arrival in its last cycle; give `tau` as a number, or None")
    taus = [spent[-1] / (1 - outlast[-1])]
    for c, g in zip(spent[-2::-1], outlast[-2::-1], strict=True):
        taus.append(c + g * taus[-1])
    return tuple(float(max(1.0, each)) for each in reversed(taus))


def cycles_after(perturbed: Ensemble) -> list[Array]:
    """The metric in each whole cycle after a perturbation, (runs, period) each; NaN where not recorded."""
    if perturbed.period is None or perturbed.onset is None:
        raise ValueError("`perturbed` must have a perturbation and a period, got unperturbed runs")
    starts = range(perturbed.onset, perturbed.horizon - perturbed.period + 1, perturbed.period)
    cycles = [perturbed.some().recorded[:, start : start + perturbed.period] for start in starts]
    if not cycles:
        raise ValueError(
            f"`perturbed` {perturbed.name} ends after {perturbed.horizon} epochs, within its first cycle; go on longer"
        )
    return cycles


def _after_perturbations(name: str, cycles: list[Array], start: PlateauLaw) -> tuple[int, list[PlateauLaw]]:
    """Epoch after a perturbation at which the plateau begins, and the laws of the first cycles."""
    settled, laws = [], []
    for values in cycles[:MOST_CYCLES]:
        values = values[np.isfinite(values).all(axis=1)]
        if len(values) < MIN_RUNS:
            break
        end = values[:, -max(2, int(LAST * values.shape[1])) :]
        level, spread = float(end.mean()), float(np.std(end.mean(axis=1)))
        farthest = float(np.abs(values.mean(axis=0) - level).max())
        epoch = settling_epoch(values, level, min(1.0, TOLERANCE * max(spread, start.noise) / farthest))
        if epoch is None or epoch > values.shape[1] - 2:
            raise ValueError(
                f"`perturbed` {name} does not settle within its period; give runs at a longer period, "
                "or leave it out where a perturbation is a full reset"
            )
        settled.append(epoch)
        laws.append(estimate_law(values[:, epoch - 1 :]))
    if not settled:
        raise ValueError(f"`perturbed` must have {MIN_RUNS} runs recorded to the end of their first cycle")
    return max(settled), laws
