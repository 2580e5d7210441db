"""Figures: each draws on the given axes or on new ones, and touches nothing global."""

import dataclasses
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from theory import (
    Confirmation,
    Ensemble,
    Estimate,
    MeasuredPoint,
    PassageSample,
    Prediction,
    Ranking,
    best_period,
    kaplan_meier,
    predict,
    relaxation,
)
from theory.plots import plot_predictions, plot_ranking, plot_relaxation, plot_survival, plot_traces

from .problems import Renewal, exact_response, limits, plateaus, steady

TOY = Renewal(late=0.02, early=0.15, burst=6, delay=3)
SCALES = limits(30, 200)
RESPONSE = TOY.response(30, 200, rows=20)
POINTS = (
    MeasuredPoint(10, Estimate(20.0, 1.0, 18.0, 22.0), 100, 0),
    MeasuredPoint(50, Estimate(30.0, 1.0, 28.0, 32.0, lower_bound=True), 100, 7),
)


def ranking(*optima):
    mean = Estimate(40.0, 1.0, 38.0, 42.0)
    return Ranking(72.0, 200, mean, 100, 20, optima, steady())


ONE = Estimate(1.0, 0.1, 0.8, 1.2)
CONFIRMATION = Confirmation(runs=10, censored=0, restricted=ONE, speedup=ONE, agrees=True, horizon=200)


def optimum(**changes):
    return dataclasses.replace(best_period(RESPONSE, SCALES, horizon=200), **changes)


def infinite(period):
    return Prediction(period, np.inf, np.nan, np.nan, np.nan, "cycles", "out_of_range", "nobody completes")


DRAWINGS = {
    "traces": lambda ax: plot_traces(plateaus(epochs=30), ax, threshold=1.0),
    "perturbed traces": lambda ax: plot_traces(
        Ensemble(np.random.default_rng(1).random((5, 12)), range(5), perturbation="kick", period=4), ax
    ),
    "one epoch": lambda ax: plot_traces(Ensemble([[1.0], [2.0]], [0, 1]), ax),
    "diverged": lambda ax: plot_traces(Ensemble([[1.0, np.inf, 3.0], [2.0, np.nan, np.nan]], [0, 1]), ax),
    "survival": lambda ax: plot_survival(kaplan_meier(PassageSample([1, 2, 3], [False, True, False])), ax),
    "all censored": lambda ax: plot_survival(kaplan_meier(PassageSample([3, 5], [True, True])), ax),
    "relaxation": lambda ax: plot_relaxation(relaxation(plateaus(onset=4, epochs=20)), ax),
    "never relaxed": lambda ax: plot_relaxation(relaxation(plateaus(slope=0.3, epochs=30)), ax),
    "undecided": lambda ax: plot_relaxation(relaxation(plateaus(runs=3)), ax),
    "predictions": lambda ax: plot_predictions(
        predict(RESPONSE, [5, 10, 30, 100], SCALES), POINTS, SCALES, ax, title="toy"
    ),
    "none valid": lambda ax: plot_predictions(
        predict(RESPONSE, [5, 20], limits(30, 200, settled_after=25)), (), None, ax
    ),
    "no errors known": lambda ax: plot_predictions(
        predict(TOY.response(30, 200), [5], SCALES), POINTS, None, ax
    ),
    "none finite": lambda ax: plot_predictions([infinite(4), infinite(5)], (), SCALES, ax),
    "no predictions": lambda ax: plot_predictions([], POINTS, SCALES, ax),
    "ranking": lambda ax: plot_ranking(
        ranking(optimum(), optimum(perturbation="b", confirmation=CONFIRMATION)), ax
    ),
    "speed-up unknown": lambda ax: plot_ranking(
        ranking(optimum(speedup=Estimate(1.2, np.nan, np.nan, np.nan))), ax
    ),
    "nothing ranked": lambda ax: plot_ranking(ranking(), ax),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_on_given_axes_or_new_ones(name):
    before = dict(matplotlib.rcParams)
    given = Figure().subplots()
    assert DRAWINGS[name](given) is given
    new = DRAWINGS[name](None)
    assert new is not given
    for ax in (given, new):
        assert ax.has_data() or ax.texts or name == "nothing ranked"
        ax.figure.canvas.draw()
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_imported():
    code = (
        "import sys, theory\n"
        "curve = theory.kaplan_meier(theory.PassageSample([1, 2], [False, True]))\n"
        "assert 'matplotlib' not in sys.modules\n"
        "curve.plot().figure.canvas.draw()\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_survival_is_drawn_as_it_is():
    curve = kaplan_meier(PassageSample([1, 2, 2, 3], [False, False, True, False]))
    ax = curve.plot(label="mine", color="red")
    (line,) = ax.lines
    assert line.get_drawstyle() == "steps-post" and line.get_color() == "red"
    np.testing.assert_allclose(line.get_xydata(), [[0, 1], [1, 0.75], [2, 0.5], [3, 0]])
    assert labels(ax) == ["mine"]


def test_traces_show_median_threshold_and_perturbations():
    values = np.random.default_rng(2).random((41, 9))
    ax = plot_traces(Ensemble(values, range(41), perturbation="kick", period=4), threshold=2.0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.median(values, axis=0))
    assert [line.get_xdata()[0] for line in ax.lines[1:3]] == [4, 8]
    branches = plot_traces(Ensemble(values, range(41), perturbation="kick", period=2, first=5))
    assert [line.get_xdata()[0] for line in branches.lines[1:]] == [5, 7]
    assert labels(ax) == ["90 % of runs", "50 % of runs", "median", "perturbation", "threshold 2"]


def test_traces_end_where_runs_diverge():
    values = [[1.0, 2.0, 3.0], [1.0, np.inf, 99.0], [np.nan, 99.0, 99.0]]
    median = plot_traces(Ensemble(values, range(3))).lines[0]
    np.testing.assert_array_equal(median.get_ydata(), [1, 2, 3])


@pytest.mark.parametrize(
    ("threshold", "direction", "values"),
    [(2.0, "at_least", [[0.0, 1.0]]), (0.0, "at_least", [[-2.0, -1.0]]), (-3.0, "at_most", [[2.0, 1.0]])],
)
def test_threshold_lies_inside_the_axes(threshold, direction, values):
    ax = plot_traces(Ensemble(values, [0], direction=direction), threshold=threshold)
    low, high = ax.get_ylim()
    assert low < threshold < high


def test_relaxation_epoch_is_marked():
    ax = plot_relaxation(relaxation(plateaus(onset=4, epochs=20)))
    differs, equal, onset = ax.lines
    assert differs.get_xdata().tolist() == [1, 2, 3] and equal.get_xdata()[0] == 4
    assert onset.get_xdata() == [4, 4] and "relaxation epoch 4" in labels(ax)
    undecided = plot_relaxation(relaxation(plateaus(runs=3)))
    assert "these have 3 runs" in undecided.texts[0].get_text()


def test_predictions_are_drawn_solid_only_where_valid():
    quick = exact_response(30, 0.97 ** np.arange(201.0), 0.4 ** np.arange(31.0), tau=1 / 0.6, rows=20)
    predictions = predict(quick, [20, 5, 12], limits(30, 200, settled_after=10), model="cycles")
    ax = plot_predictions(predictions, POINTS, SCALES)
    dotted, solid = ax.lines[:2]
    np.testing.assert_allclose(
        dotted.get_ydata(), [p.mean for p in sorted(predictions, key=lambda p: p.period)]
    )
    np.testing.assert_array_equal(np.isnan(solid.get_ydata()), [True, False, False])
    assert {"measured", "measured, lower bound", "measured period 30", "valid range"} <= set(labels(ax))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_ranking_has_the_best_on_top():
    slow = optimum(perturbation="slow_one", speedup=Estimate(1.1, 0.1, 0.9, 1.3))
    ax = plot_ranking(ranking(optimum(), slow))
    names = [text.get_text().split("\n")[0] for text in ax.get_yticklabels()]
    assert names == ["slow one", "kick"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([1.1, optimum().speedup.value])
    confirmed = optimum(confirmation=CONFIRMATION)
    assert "✓" in plot_ranking(ranking(confirmed)).get_yticklabels()[0].get_text()


def test_traces_without_a_finite_value():
    plot_traces(Ensemble([[np.nan, np.nan]], [0])).figure.canvas.draw()
