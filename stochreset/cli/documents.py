"""Results as JSON documents. Programs parse these: keys are added, never renamed or removed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory import Estimate, MeasuredPoint, Optimum, Prediction, QuasiSteadyState, Ranking, Response


def dump(document: dict[str, Any]) -> str:
    """JSON text; numbers that JSON does not know (infinite, NaN) become null."""
    return json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def qss_document(metric: str, ensemble: str, qss: QuasiSteadyState) -> dict[str, Any]:
    """Verdict on the quasi-steady state of one ensemble."""
    return {
        "metric": metric,
        "ensemble": ensemble,
        "verdict": qss.verdict,
        "relaxation_epoch": qss.relaxation_epoch,
        "stationary_until": qss.stationary_until,
        "smallest_detectable_shift": qss.smallest_detectable_shift,
        "reason": qss.reason,
    }


def predict_document(
    response: Response, predictions: Sequence[Prediction], measured: Sequence[MeasuredPoint]
) -> dict[str, Any]:
    """Predictions for one perturbation, beside every period that was measured."""
    tau = response.tau_estimate
    return {
        "perturbation": response.perturbation,
        "measured_period": response.period,
        "threshold": response.threshold,
        "tau": {"value": tau.value, "stderr": tau.stderr, "lower_bound": tau.lower_bound},
        "predictions": [
            {
                "period": p.period,
                "mean": p.mean,
                "stderr": p.stderr,
                "low": p.low,
                "high": p.high,
                "model": p.model,
                "status": p.status,
                "reason": p.reason,
            }
            for p in predictions
        ],
        "measured": [
            {
                "period": m.period,
                "mean": m.mean.value,
                "stderr": m.mean.stderr,
                "runs": m.runs,
                "censored": m.censored,
            }
            for m in measured
        ],
    }


def _optimum(optimum: Optimum) -> dict[str, Any]:
    prediction, speedup = optimum.prediction, optimum.speedup
    return {
        "perturbation": optimum.perturbation,
        "period": prediction.period,
        "mean": prediction.mean,
        "low": prediction.low,
        "high": prediction.high,
        "speedup": speedup.value,
        "speedup_low": speedup.low,
        "speedup_high": speedup.high,
        "status": prediction.status,
        "confirmed": optimum.confirmed,
        "measured_speedup": None if optimum.confirmation is None else optimum.confirmation.speedup.value,
        "measured_period": optimum.response.period,
        "period_low": optimum.period_low,
        "period_high": optimum.period_high,
        "advice": optimum.advice,
    }


def rank_document(ranking: Ranking) -> dict[str, Any]:
    """Perturbations at their best periods, best first."""
    alone: Estimate = ranking.unperturbed
    return {
        "threshold": ranking.threshold,
        "horizon": ranking.horizon,
        "unperturbed": {
            "mean": alone.value,
            "stderr": alone.stderr,
            "low": alone.low,
            "high": alone.high,
            "runs": ranking.unperturbed_runs,
            "censored": ranking.unperturbed_censored,
        },
        "ranking": [_optimum(optimum) for optimum in ranking.optima],
    }
