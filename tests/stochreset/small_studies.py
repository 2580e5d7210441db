"""Runs files of small studies of toy models, and reports of them."""

import pytest

from stochreset import PlateauMixture
from stochreset.cli import main
from stochreset.cli.report import write_page
from stochreset.cli.reporting import analyse
from training import RunGroup, read_study, write_runs

HOSTILE = "<img src=x onerror=alert(1)>"
SENTENCE = f"Use {HOSTILE} every 20 epochs: <b>91</b> & more."
LAW = dict(plateau_mean=90.0, plateau_spread=0.8, noise=0.3, depth=20.0, relaxation_time=1.5)


def estimate(value):
    return {"value": value, "stderr": 0.05 * value, "low": 0.9 * value, "high": 1.1 * value}


SEARCH = {
    "thresholds": [90.5, 91.0, 92.0],
    "horizon": 80,
    "sentence": SENTENCE,
    "answers": [
        {"threshold": 90.5, "verdict": "perturb", "sentence": "Yes.", "perturbation": "shrink_perturb",
         "period": 20, "predicted": estimate(25.0), "speedup": estimate(1.4), "mean": estimate(26.0),
         "unperturbed": estimate(36.0), "confirmation_runs": [120, 120]},
        {"threshold": 91.0, "verdict": "perturb", "sentence": "Yes again.", "perturbation": HOSTILE,
         "period": 20, "predicted": estimate(40.0), "speedup": estimate(1.3), "mean": None,
         "unperturbed": estimate(55.0), "confirmation_runs": [120, 240]},
        {"threshold": 92.0, "verdict": "undecided", "sentence": "Cannot tell.", "perturbation": None,
         "period": None, "predicted": None, "speedup": None, "mean": None, "unperturbed": estimate(75.0)},
    ],
    "steps": [
        {"step": "pilot", "perturbation": None, "period": None, "runs": 100, "epochs": 8000, "why": "is there a QSS"},
        {"step": "probe", "perturbation": HOSTILE, "period": 20, "runs": 50, "epochs": 4000, "why": HOSTILE},
        {"step": "refine", "perturbation": "shrink_perturb", "period": 20, "runs": 50, "epochs": 4000, "why": None},
        {"step": "confirm", "perturbation": "shrink_perturb", "period": 20, "runs": 20, "epochs": 1600, "why": "sure"},
    ],
    "cost": {"pilot": 8000, "probe": 4000, "refine": 4000, "confirm": 1600, "total": 17600, "grid": 176000},
}  # fmt: skip


def group(model, seed, period=None, perturbation="perturbed", metric="test_accuracy", sign=1):
    ensemble = model.simulate(runs=120, epochs=80, period=period, seed=seed, perturbation=perturbation)
    direction = "at_least" if sign > 0 else "at_most"
    return RunGroup(
        ensemble.seeds, {metric: sign * ensemble.values}, {metric: direction}, ensemble.perturbation, period
    )


def write_study(path, *, first="partial_reset", metric="test_accuracy", sign=1, **provenance):
    """Shrink and perturb draws the plateau anew and costs little; the other perturbation mostly keeps it."""
    shrink = PlateauMixture(**LAW, depth_after=4.0)
    partial = PlateauMixture(**LAW, depth_after=12.0, relaxation_time_after=2.0, memory=0.8)
    rest = {"metric": metric, "sign": sign}
    groups = [
        group(shrink, 1, **rest),
        group(shrink, 2, 20, "shrink_perturb", **rest),
        group(shrink, 3, 30, "shrink_perturb", **rest),
        group(partial, 4, 20, first, **rest),
    ]
    return write_runs(path, groups, provenance={"python": "3.11", **provenance})


def write_report(runs, out, *arguments, threshold=91):
    """Text of the page that ``stochreset report`` writes among its files."""
    fast = ("--resamples", "100")
    with pytest.raises(SystemExit) as stopped:
        main(
            [
                str(each)
                for each in ("report", runs, "--threshold", threshold, "--out", out, *fast, *arguments)
            ]
        )
    assert stopped.value.code == 0
    return (out / "report.html").read_text(encoding="utf-8")


def write_page_alone(runs, out, thresholds=None, threshold=91):
    """Path of the same page, without the other files, which take longer than the page."""
    settings = {"measured": {}, "horizon": None, "resamples": 100, "seed": 0}
    analysis = analyse(read_study(runs), threshold, **settings)
    return write_page(runs, analysis, thresholds, out, settings, {"threshold": threshold})
