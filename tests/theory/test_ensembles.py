"""Ensembles of traces and studies: names, look-up and the checks of their fields."""

import numpy as np
import pytest

from theory import Ensemble, Study

VALUES = [[0.0, 1.0, 2.0], [0.0, np.nan, 5.0]]


def runs(perturbation=None, period=None, **settings):
    return Ensemble(VALUES, [4, 7], perturbation=perturbation, period=period, **settings)


def test_ensemble():
    ensemble = runs("reset", 2)
    assert (len(ensemble), ensemble.horizon, ensemble.name) == (2, 3, "reset:2")
    assert runs().name == "unperturbed"
    assert ensemble.lengths.tolist() == [3, 1]
    sample = ensemble.first_passage(1)
    assert sample.times.tolist() == [2, 1] and sample.censored.tolist() == [False, True]
    assert ensemble.first_passage(2, horizon=2).times.tolist() == [2, 1]
    assert runs(direction="at_most").first_passage(0).times.tolist() == [1, 1]


def test_arrays_are_read_only_copies():
    values = np.zeros((1, 2))
    ensemble = Ensemble(values, [0])
    values[0, 0] = 9
    assert ensemble.values[0, 0] == 0
    for array in (ensemble.values, ensemble.seeds):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_study():
    study = Study(runs(), [runs("b", 9), runs("a", 2), runs("b", 3)])
    assert study.perturbations == ("b", "a") and study.periods("b") == (3, 9)
    assert study.ensemble("b", 3) is study.perturbed[2]
    assert [ensemble.name for ensemble in study] == ["unperturbed", "b:9", "a:2", "b:3"]
    assert Study(runs()).perturbations == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Ensemble([1.0, 2.0], [0, 1]), r"`values` must be a non-empty .* got shape \(2,\)"),
        (lambda: Ensemble(VALUES, [0]), r"`seeds` must have one entry per run \(2\), got shape \(1,\)"),
        (lambda: Ensemble(VALUES, [3, 3]), "`seeds` must be unique within an ensemble; 3 occurs twice"),
        (lambda: runs(direction="up"), "`direction` must be 'at_least' or 'at_most', got 'up'"),
        (lambda: runs("reset"), "`perturbation` and `period` go together.* got 'reset' and None"),
        (lambda: runs(period=3), "`perturbation` and `period` go together.* got None and 3"),
        (lambda: runs("reset", 0), "`period` must be a whole number of epochs, at least 1, got 0"),
        (lambda: Study(runs("a", 2)), "`unperturbed` must have no perturbation, got a:2"),
        (lambda: Study(runs(), [runs()]), "every ensemble in `perturbed` needs a perturbation and a period"),
        (lambda: Study(runs(), [runs("a", 2)] * 2), "`perturbed` holds a:2 twice; merge its runs"),
        (lambda: Study(runs(), [runs("a", 2, metric="loss")]), "a:2 has metric 'loss' .* unperturbed"),
        (
            lambda: Study(runs(), [runs("a", 2, direction="at_most")]),
            "a:2 has metric 'metric' .at_most., the unperturbed runs 'metric' .at_least.",
        ),
        (lambda: Study(runs()).ensemble("a", 2), "`perturbation` 'a' is not in this study; it has: none"),
        (
            lambda: Study(runs(), [runs("a", 2), runs("a", 5)]).ensemble("a", 3),
            "`period` 3 was not run for 'a'; it was run at: 2, 5",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
