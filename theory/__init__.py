"""Theory of first passage under perturbation: from raw traces to the recommended period.

Start from an `Ensemble` of metric traces (or a `PassageSample` of times) and read on in this order:
`first_passage`, `kaplan_meier`, `relaxation` (is there a quasi-steady state?), `measure_response` (what
one measured period tells), `predict` (every other period), `rank` (the best perturbation). Times
are in epochs unless said otherwise; `theory.plots` draws every result.
"""

from theory.bootstrap import bootstrap_weights
from theory.confirmation import Confirmation
from theory.delta import constant_stderr
from theory.ensembles import Ensemble, Study
from theory.estimates import Estimate
from theory.linear import LinearResponse, linear_response
from theory.measured import MeasuredPoint, choose_measured, measured_point, measured_points, respond
from theory.optimum import Optimum, Ranking, best_period, rank
from theory.passages import PassageSample, first_passage
from theory.prediction import Prediction, constant_mean, cycle_mean, predict, predict_survival
from theory.protocols import IntervalLaw, periodic, poisson, renewal
from theory.relaxation import QuasiSteadyState, relaxation
from theory.response import Response, measure_response
from theory.stationarity import StationarityTest, test_stationarity
from theory.survival import (
    CensoredSampleError,
    Moments,
    SurvivalCurve,
    kaplan_meier,
    mean_passage_time,
    moments,
    restricted_mean,
)
from theory.validity import ValidRange, valid_range

__all__ = [
    "CensoredSampleError",
    "Confirmation",
    "Ensemble",
    "Estimate",
    "IntervalLaw",
    "LinearResponse",
    "MeasuredPoint",
    "Moments",
    "Optimum",
    "PassageSample",
    "Prediction",
    "QuasiSteadyState",
    "Ranking",
    "Response",
    "StationarityTest",
    "Study",
    "SurvivalCurve",
    "ValidRange",
    "best_period",
    "bootstrap_weights",
    "choose_measured",
    "constant_mean",
    "constant_stderr",
    "cycle_mean",
    "first_passage",
    "kaplan_meier",
    "linear_response",
    "mean_passage_time",
    "measure_response",
    "measured_point",
    "measured_points",
    "moments",
    "periodic",
    "poisson",
    "predict",
    "predict_survival",
    "rank",
    "relaxation",
    "renewal",
    "respond",
    "restricted_mean",
    "test_stationarity",
    "valid_range",
]
