"""Where a prediction may be trusted.

The rules look at the measured runs and at how much of a prediction rests on what they did not show, never at how
large it is or how it compares with measured means.

Three grades: ``valid``; ``extrapolated``, where a part of the mean that matters rests on an assumption
that the measured runs cannot test; ``out_of_range``, where an assumption of the formula is violated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from theory.ensembles import Ensemble
from theory.relaxation import QuasiSteadyState
from theory.response import MIN_ALIVE, Response
from theory.settling import settling_after_perturbation, settling_after_start

Status = Literal["valid", "extrapolated", "out_of_range"]
SEVERITY: tuple[Status, ...] = ("valid", "extrapolated", "out_of_range")

MATTERS = 0.05
"""A part of the mean that rests on an untested assumption matters from this fraction on."""
SETTLED_AFTER = 0.05
"""A cycle has settled when its mean metric has made up all but this fraction of the excursion."""
SETTLED_BEFORE = 0.20
"""The start of training acts on one perturbation only; all but this fraction of its rise must be over."""


@dataclass(frozen=True, slots=True)
class ValidRange:
    """Time scales of the measured runs that bound the validity of predictions, in epochs.

    Attributes
    ----------
    measured_period : int
        P*.
    horizon : int
        Epochs of the unperturbed runs.
    qss : QuasiSteadyState
        Verdict on the unperturbed runs.
    settled_before : int or None
        Epoch at which the unperturbed metric has made up 80 % of its rise.
    settled_after : int or None
        Epochs after a perturbation at which the metric has made up 95 % of its excursion.
    """

    measured_period: int
    horizon: int
    qss: QuasiSteadyState
    settled_before: int | None
    settled_after: int | None

    @property
    def shortest(self) -> int | None:
        """Shortest period at which the cycle-resolved response can be valid, epochs."""
        if self.settled_after is None or self.settled_before is None:
            return None
        return max(self.settled_after, self.settled_before)

    @property
    def longest(self) -> int:
        """Longest period at which any prediction can be valid, epochs."""
        return min(self.horizon, self.qss.stationary_until or self.measured_period)


def valid_range(
    unperturbed: Ensemble, perturbed: Ensemble, response: Response, qss: QuasiSteadyState
) -> ValidRange:
    """Measure the time scales that bound the validity of predictions from ``perturbed``."""
    return ValidRange(
        measured_period=response.period,
        horizon=response.horizon,
        qss=qss,
        settled_before=settling_after_start(unperturbed, response.period, SETTLED_BEFORE),
        settled_after=settling_after_perturbation(
            perturbed, response.cycles.shape[1], SETTLED_AFTER, MIN_ALIVE
        ),
    )


def grade(findings: list[tuple[Status, str]]) -> tuple[Status, str]:
    """Worst status among the findings, and the reasons of that severity joined."""
    if not findings:
        return "valid", "within the range of the measured time scales"
    worst = max((status for status, _ in findings), key=SEVERITY.index)
    return worst, "; ".join(reason for status, reason in findings if status == worst)


def common_findings(period: int, limits: ValidRange) -> list[tuple[Status, str]]:
    """Findings that hold for every model at ``period``."""
    if period == limits.measured_period:
        return []
    findings: list[tuple[Status, str]] = []
    qss, measured = limits.qss, limits.measured_period
    if qss.verdict != "reached":
        findings.append(("extrapolated", f"quasi-steady state {qss.verdict.replace('_', ' ')}"))
    elif qss.relaxation_epoch is not None and measured < qss.relaxation_epoch:
        findings.append(
            (
                "extrapolated",
                f"measured period {measured} is below the relaxation epoch {qss.relaxation_epoch}",
            )
        )
    if period > limits.horizon:
        findings.append(("out_of_range", f"unperturbed runs end at epoch {limits.horizon}"))
    elif qss.stationary_until is not None and period > qss.stationary_until:
        findings.append(("extrapolated", f"the metric drifts after epoch {qss.stationary_until}"))
    return findings


def constant_findings(period: int, limits: ValidRange, response: Response) -> list[tuple[Status, str]]:
    """Findings on the constant response: a relaxed state, completion within one cycle, no censoring."""
    findings = common_findings(period, limits)
    if response.tau_censored == response.perturbed_alive:
        findings.append(("out_of_range", "no run arrived after a perturbation"))
    elif response.tau_censored:
        findings.append(("extrapolated", f"{response.tau_censored} residual times are censored"))
    if period == limits.measured_period:
        return findings
    relaxation = limits.qss.relaxation_epoch
    if relaxation is not None and period < relaxation:
        findings.append(("out_of_range", f"below the relaxation epoch {relaxation}"))
    left = float(response.cycles[0, 0, min(period, response.window)])
    if left > MATTERS:
        findings.append(
            ("out_of_range", f"{left:.0%} of the runs need more than one cycle, whose length then matters")
        )
    return findings


def cycle_findings(
    period: int, limits: ValidRange, response: Response, spread: float, repeated: float
) -> list[tuple[Status, str]]:
    """Findings on the cycle-resolved response.

    Parameters
    ----------
    period : int
        Epochs.
    limits : ValidRange
        Time scales.
    response : Response
        Measured response.
    spread : float
        Relative difference of the mean between the two bounds for what was not seen of a cycle.
    repeated : float
        Fraction of the mean that falls in cycles beyond those measured.
    """
    findings = common_findings(period, limits)
    measured_whole = period == limits.measured_period and not response.tau_censored
    if repeated > MATTERS and not measured_whole:
        findings.append(
            ("extrapolated", f"{repeated:.0%} of the mean lies in cycles beyond the measured ones")
        )
    if period == limits.measured_period:
        return findings
    if limits.settled_after is None:
        findings.append(("extrapolated", "settling after a perturbation cannot be measured in these runs"))
    elif period < limits.settled_after:
        findings.append(
            ("out_of_range", f"the metric needs {limits.settled_after} epochs to settle after a perturbation")
        )
    if limits.settled_before is None:
        findings.append(("out_of_range", "no unperturbed run is recorded up to the measured period"))
    elif period < limits.settled_before:
        early = f"unperturbed training has made up 80 % of its rise only by epoch {limits.settled_before}"
        findings.append(("out_of_range", early))
    if spread > MATTERS:
        findings.append(
            ("extrapolated", f"what happens {response.window} epochs after a perturbation was not measured")
        )
    return findings
