"""Studies of units: what is trained, what it costs, and what is kept."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training import read_study, train_runs  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import PartialReset, ShrinkPerturb  # noqa: E402
from training.protocols import Once, Periodic  # noqa: E402
from training.runs_file import describe  # noqa: E402
from training.study import StudyError, Treatment, run_study  # noqa: E402
from training.study.plan import plan_units  # noqa: E402

from .contents import contents, same  # noqa: E402


def test_a_study_is_what_independent_runs_are_and_costs_less(cases, tmp_path):
    study = cases.small()
    shared = [unit.branch_epoch or 0 for unit in plan_units(study, tmp_path) for _ in unit.seeds]
    report = run_study(study, tmp_path / "study")
    assert report.epochs_trained == 15 * 9 - sum(shared)
    assert report.groups == ("unperturbed", "shrink_perturb:3", "partial_reset:poisson-0.3")
    assert (report.runs, report.epochs_independent, report.diverged) == (15, 135, 0)
    assert report.epochs_trained == report.epochs_now < 135
    found = contents(report.path)
    assert found["unperturbed"][0] == [0, 1, 2, 3, 4]
    for treatment in (None, *study.treatments):
        alone = (None, None) if treatment is None else (treatment.perturbation, treatment.protocol)
        for block in ((0, 1, 2), (3, 4)):
            group = train_runs(study.task, block, 9, *alone)
            for name, values in found[group.name][1].items():
                assert np.array_equal(values[list(block)], group.metrics[name])
    summary = describe(report.path)
    assert summary["default_metric"] == "test_accuracy"
    assert summary["provenance"]["config"]["epochs_trained"] == report.epochs_trained
    assert summary["provenance"]["config"]["study"]["task"]["data"] == {
        "kind": "Digits", "train_images": 40, "split_seed": 0
    }  # fmt: skip
    assert read_study(report.path).perturbations == ("shrink_perturb",)


def test_what_is_done_is_not_done_again(cases, tmp_path):
    first = run_study(cases.small(), tmp_path)
    before = contents(first.path)
    again = run_study(cases.small(), tmp_path)
    assert again.epochs_now == 0 and again.epochs_trained == first.epochs_trained
    more = cases.small(
        treatments=(
            *cases.small().treatments,
            Treatment(ShrinkPerturb(), Periodic(3, first=6)),
            Treatment(ShrinkPerturb(), Periodic(5)),
            Treatment(PartialReset(0.5), Once(2), name="late", seeds=(7, 8)),
        )
    )
    third = run_study(more, tmp_path)
    # Both new ensembles of equal seeds branch off the latest state that was kept, after epoch 3 and before.
    assert third.epochs_now <= 2 * 5 * 6 + 2 * 9
    for name, group in contents(third.path).items():
        assert name not in before or same({name: group}, {name: before[name]})
    study = read_study(third.path)
    assert [branch.name for branch in study.branches("shrink_perturb", 3)] == ["shrink_perturb:3@6"]
    for protocol in (Periodic(3, first=6), Periodic(5)):
        alone = train_runs(more.task, (0, 1, 2), 9, ShrinkPerturb(), protocol)
        for name, values in contents(third.path)[alone.name][1].items():
            assert np.array_equal(values[:3], alone.metrics[name])


def test_checkpoints_are_removed_where_they_are_not_kept(cases, tmp_path):
    tmp_path = tmp_path / "study"
    run_study(cases.small(keep_checkpoints=False), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims", "runs.h5", "shards", "study.json"]
    assert json.loads((tmp_path / "study.json").read_text())["epochs"] == 9
    assert [path.name for path in (tmp_path / "claims").iterdir()] == [".claims"]


def test_runs_that_stop_at_the_threshold_cost_less(cases, tmp_path):
    whole = run_study(cases.small(), tmp_path / "whole")
    threshold = float(np.median(contents(whole.path)["unperturbed"][1]["test_accuracy"]))
    study = cases.small(threshold=threshold, stop_at_threshold=True)
    report = run_study(study, tmp_path / "stopped")
    assert report.epochs_trained < 0.8 * whole.epochs_trained and report.diverged == 0
    times = [
        {e.name: e.first_passage(threshold).times for e in read_study(each.path)} for each in (whole, report)
    ]
    assert times[0].keys() == times[1].keys()
    assert all(np.array_equal(times[0][name], times[1][name]) for name in times[0])
    unknown = cases.small(threshold=threshold, stop_at_threshold=True, metric="speed")
    with pytest.raises(
        StudyError, match="`metric` 'speed' is not recorded in this study; it has: test_accuracy"
    ):
        run_study(unknown, tmp_path / "unknown")


def test_divergence_is_reported(cases, tmp_path):
    report = run_study(cases.small(task=replace(cases.TASK, optimizer=SGD(1e20))), tmp_path)
    assert report.diverged == 15 and report.epochs_independent < 135
