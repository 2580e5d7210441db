"""Results as JSON documents. Programs parse these: keys are added, never renamed or removed."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stochreset import SimulatedSample
    from stochreset.exact_answers import ExactMean
    from stochreset.models import Model
    from theory import (
        Estimate,
        MeasuredPoint,
        Optimum,
        PassageSample,
        Prediction,
        QuasiSteadyState,
        Ranking,
        Response,
    )

NAMES = {"PartialReset": "partial", "ShrinkPerturb": "shrink", "SwitchPotential": "switch"}
"""What perturbations are called on the command line, where that is not simply their class."""


def dump(document: dict[str, Any], ensure_ascii: bool = False) -> str:
    """JSON text; numbers that JSON does not know (infinite, NaN) become null."""
    return json.dumps(_finite(document), indent=2, ensure_ascii=ensure_ascii, allow_nan=False)


def print_json(document: dict[str, Any]) -> None:
    """Print a document as JSON, in ASCII where standard output does not take every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(dump(document, ensure_ascii=not encoding.lower().startswith("utf")))


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


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """A simulated sample with all that it was made from, and the exact mean where one is known."""

    model: str
    parameters: dict[str, Any]
    protocol: Any
    perturbation: Any
    horizon: float | None
    sample: SimulatedSample
    exact: ExactMean | None


def simulation_document(result: SimulationResult) -> dict[str, Any]:
    """Everything about a simulated sample but the times themselves."""
    sample, exact = result.sample, result.exact
    mean = sample_mean(sample)
    bias = sample.bias
    return {
        "model": result.model,
        "parameters": {name: _plain(value) for name, value in result.parameters.items()},
        "protocol": {"name": "never"} if result.protocol is None else _settings(result.protocol),
        "perturbation": None if result.perturbation is None else _settings(result.perturbation),
        "method": sample.method,
        "dt": sample.dt,
        "expected_bias": sample.expected_bias,
        "runs": len(sample),
        "seed": sample.seed,
        "horizon": result.horizon,
        "mfpt": mean.value,
        "stderr": mean.stderr,
        "low": mean.low,
        "high": mean.high,
        "lower_bound": mean.lower_bound,
        "censored": sample.n_censored,
        "exact": None if exact is None else exact.value,
        "exact_source": None if exact is None else exact.source,
        "z": None if exact is None or not mean.stderr > 0 else (mean.value - exact.value) / mean.stderr,
        "seconds": sample.seconds,
        "steps": sample.steps,
        "bias": None
        if bias is None
        else {"value": bias.value, "stderr": bias.stderr, "low": bias.low, "high": bias.high},
        "digest": sample.digest(),
    }


def sample_mean(sample: PassageSample) -> Estimate:
    """Mean, or restricted mean where runs are censored, all of them at the same time.

    Equal to `theory.mean_passage_time`, which also takes runs that are censored at different times.
    """
    from theory.estimates import estimate_from_runs

    cut = sample.n_censored > 0
    most = sample.horizon if cut else float("inf")
    return estimate_from_runs(float(sample.times.mean()), sample.times, lower_bound=cut, most=most)


def _settings(of: Any) -> dict[str, Any]:
    """Name and settings of a protocol or a perturbation."""
    kind = type(of).__name__
    name = NAMES.get(kind, re.sub(r"(?<!^)([A-Z])", r"-\1", kind).lower())
    return {"name": name, **{each.name: _plain(getattr(of, each.name)) for each in fields(of)}}


def _plain(value: Any) -> Any:
    """Value without the types of NumPy."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


def models_document(models: Sequence[Model]) -> dict[str, Any]:
    """All models with their parameters, methods and exact answers."""
    return {"models": [_model(model) for model in models]}


def _model(model: Model) -> dict[str, Any]:
    process = model.build()
    return {
        "name": model.name,
        "summary": model.summary,
        "parameters": [
            {"name": each.name, "default": _plain(each.default), "unit": each.unit}
            for each in model.parameters()
        ],
        "methods": list(process.methods(True, False)),
        "methods_partial": list(process.methods(False, False)),
        "default_perturbation": _settings(process.default_perturbation())["name"],
        "known": model.known,
    }
