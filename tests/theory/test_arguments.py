"""What is given in place of what is meant: one error that says what to write."""

import re

import numpy as np
import pytest
from scipy import stats

from theory import (
    Ensemble,
    Study,
    best_period,
    constant_mean,
    cycle_mean,
    first_passage,
    measure_response,
    poisson,
    predict,
    rank,
    relaxation,
    renewal,
)
from theory.adaptive.levels import next_epoch_hazard
from theory.adaptive.trend import check_epochs, settled_since
from theory.measured import respond
from theory.numerical import AbsorbingChain
from theory.search import OwnLoop
from theory.stationarity import test_stationarity as stationarity

from .problems import Renewal

PROBLEM = Renewal(late=0.02, delay=2, burst=10, early=0.1)


@pytest.fixture(scope="module")
def study():
    return Study(PROBLEM.ensemble(100, 1), [PROBLEM.ensemble(100, 2, 20)])


@pytest.fixture(scope="module")
def response(study):
    return respond(study, "kick", 20, 0.5, relaxation(study.unperturbed), resamples=0)


def of_study(call):
    return lambda study, response: call(study)


CALLS = {
    "one ensemble for several": (
        of_study(lambda s: Study(s.unperturbed, s.perturbed[0])),
        "`perturbed` must be a sequence of ensembles, got one Ensemble; put it in brackets",
    ),
    "arrays for ensembles": (
        of_study(lambda s: Study(s.unperturbed.values)),
        "`unperturbed` must be an Ensemble, got ndarray; write",
    ),
    "names for ensembles": (
        of_study(lambda s: Study(s.unperturbed, ["kick"])),
        "`perturbed` must be an Ensemble, got str",
    ),
    "an ensemble for a study": (
        of_study(lambda s: rank(s.unperturbed, 0.5)),
        "`study` must be a Study, got Ensemble",
    ),
    "a study for an ensemble": (of_study(relaxation), "`ensemble` must be an Ensemble, got Study"),
    "a class": (
        of_study(lambda s: relaxation(Ensemble)),
        "`ensemble` must be an Ensemble, got Ensemble itself",
    ),
    "traces of an ensemble": (
        of_study(lambda s: first_passage(s.unperturbed, 0.5)),
        "`traces` must be a (runs, epochs) array of numbers, got Ensemble; pad shorter runs with NaN",
    ),
    "ragged traces": (
        of_study(lambda s: first_passage([[1.0], [1.0, 2.0]], 1)),
        "got list; pad shorter runs",
    ),
    "a text as threshold": (of_study(lambda s: rank(s, "0.5")), "`threshold` must be a finite number"),
    "a study as response": (
        of_study(lambda s: measure_response(s, s.perturbed[0], 0.5)),
        "`unperturbed` must be an Ensemble, got Study",
    ),
    "one period": (
        lambda s, r: predict(r[0], 10, r[1]),
        "`periods` must be a sequence of epochs, got 10; put it in",
    ),
    "a period as law": (
        lambda s, r: constant_mean(r[0], 20),
        "`law` must be an IntervalLaw, got int; make one with",
    ),
    "a rate as law": (lambda s, r: cycle_mean(r[0], 0.1), "`law` must be an IntervalLaw, got float"),
    "horizon too long": (
        lambda s, r: best_period(*r, horizon=r[0].horizon + 1),
        "`horizon` must be from 1 to",
    ),
    "no horizon": (lambda s, r: best_period(*r, horizon=0), "`horizon` must be from 1 to"),
    "period not whole": (
        of_study(lambda s: Ensemble([[1.0]], [0], perturbation="a", period=12.5)),
        "`period` must be a whole number of epochs, at least 1, got 12.5",
    ),
    "period as text": (
        of_study(lambda s: Ensemble([[1.0]], [0], perturbation="a", period="20")),
        "`period` must be a whole number of epochs, at least 1, got '20'",
    ),
    "seeds not whole": (
        of_study(lambda s: Ensemble(np.zeros((2, 3)), [1.5, 2.0])),
        "`seeds` must be whole numbers, got",
    ),
    "rate too low": (
        of_study(lambda s: poisson(1e-6)),
        "`rate` 1e-06 per epoch gives intervals beyond 1,000,000 epochs with probability 1e-09",
    ),
    "cut": (
        of_study(lambda s: renewal(stats.gamma(4, scale=5), cut=1.0)),
        "`cut` must be a probability between 0 and 1",
    ),
    "onsets from 0": (
        of_study(lambda s: relaxation(s.unperturbed, onsets=[0])),
        "`onsets` must be ascending epochs from 1",
    ),
    "no onsets": (
        of_study(lambda s: relaxation(s.unperturbed, onsets=[])),
        "`onsets` must be ascending epochs from 1",
    ),
    "onsets back": (of_study(lambda s: relaxation(s.unperturbed, onsets=[5, 4])), "at least one, got [5, 4]"),
    "one epoch": (
        of_study(lambda s: stationarity(np.zeros((20, 1)))),
        "`values` must be (runs, K) at K = 2 epochs or",
    ),
    "one run": (of_study(lambda s: stationarity(np.zeros(20))), "or more, got shape (20,)"),
    "first check": (
        of_study(lambda s: check_epochs(10, first=0)),
        "`first` must be at least 8 epochs, got 0",
    ),
    "direction of a trend": (
        of_study(lambda s: settled_since(np.zeros((2, 20)), 1.0, "up")),
        "`direction` must be 'at_least' or 'at_most', got 'up'",
    ),
    "direction of a hazard": (
        of_study(lambda s: next_epoch_hazard(4, 71.5, 0.0, 72.0, "atleast")),
        "`direction` must be 'at_least' or 'at_most', got 'atleast'",
    ),
    "infinite rate": (
        of_study(lambda s: AbsorbingChain([[0, np.inf], [1, 0]], [1, 1], 0)),
        "`rates` must be finite and >= 0, got inf",
    ),
    "infinite absorption": (
        of_study(lambda s: AbsorbingChain([[0, 1], [1, 0]], [1, np.inf], 0)),
        "`absorption` must be finite and >= 0, got inf",
    ),
    "arguments swapped": (
        of_study(lambda s: AbsorbingChain([[0, 1], [1, 0]], [1, 1], 0).mfpt_periodic(np.eye(2), 2.0)),
        "`period` must be a positive number, got",
    ),
    "one name for several": (
        of_study(lambda s: OwnLoop(lambda *_: iter(()), "kick", goal=1, epochs=9, periods=[2])),
        "`perturbations` must be a list of names, got 'kick'; write ['kick']",
    ),
}


@pytest.mark.parametrize(("call", "message"), CALLS.values(), ids=CALLS)
def test_errors(study, response, call, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        call(study, response)


def test_whole_numbers_of_other_types_are_taken(study):
    ensemble = Ensemble([[1.0, 2.0]], np.array([3.0]), perturbation="a", period=np.float64(1))
    assert ensemble.period == 1 and isinstance(ensemble.period, int) and ensemble.name == "a:1"
    sample = study.unperturbed.first_passage(0.5)
    assert study.unperturbed.first_passage(0.5, sample.horizon).times.tolist() == sample.times.tolist()
