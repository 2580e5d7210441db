import json
from dataclasses import replace

import numpy as np
import pytest

from theory.search import Candidate
from training import describe, read_study
from training.optimize import Optimization, optimize
from training.optimize.settings import default_periods
from training.perturbations import ShrinkPerturb
from training.study import StudyError


def traces(path):
    return {each.name: (each.seeds, each.values) for each in read_study(path)}


def same(first, second):
    return first.keys() == second.keys() and all(
        np.array_equal(first[name][part], second[name][part], equal_nan=True)
        for name in first
        for part in (0, 1)
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, small):
    steps = []
    return optimize(small(), tmp_path_factory.mktemp("undisturbed") / "search", on_step=steps.append), steps


def test_the_answer_and_its_files(undisturbed):
    report, steps = undisturbed
    [answer] = report.result.answers
    assert answer.confirmed is not None and answer.sentence.startswith(
        ("Use ", "No speed-up", "Do not perturb")
    )
    assert {step.step for step in steps} == {"pilot", "probe", "refine", "confirm"}
    assert report.result.cost["total"] <= 1500 + 40
    searched, confirmed = traces(report.path), traces(report.confirmation)
    assert set(confirmed) == {"unperturbed", f"{answer.candidate.name}:{answer.period}"}
    used = {int(seed) for seeds, _ in searched.values() for seed in seeds}
    fresh = {int(seed) for seeds, _ in confirmed.values() for seed in seeds}
    assert not used & fresh  # no winner's curse: the speed-up is from runs that nobody chose by
    free, kicked = read_study(report.confirmation)
    ratio = np.mean(np.minimum(free.first_passage(70.0).times, 40)) / np.mean(
        np.minimum(kicked.first_passage(70.0).times, 40)
    )
    assert answer.confirmed.speedup.value == pytest.approx(ratio)
    record = describe(report.path)["provenance"]["optimize"]
    assert record == json.loads(json.dumps(report.document))
    assert record["cost"]["total"] == sum(step.epochs for step in steps)


@pytest.mark.parametrize("after", [3, 10])  # among the probes, and among the confirming runs
def test_an_interrupted_search_goes_on_to_the_same_answer(undisturbed, small, tmp_path, after):
    report, steps = undisturbed
    count = 0

    def interrupt(step):
        nonlocal count
        count += 1
        if count == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimize(small(), tmp_path / "search", on_step=interrupt)
    assert (tmp_path / "search" / "runs.h5").exists()  # what there is has been written
    again = []
    resumed = optimize(small(), tmp_path / "search", on_step=again.append)
    assert again == steps and resumed.document == report.document
    assert same(traces(resumed.path), traces(report.path))
    assert same(traces(resumed.confirmation), traces(report.confirmation))


def test_several_thresholds_share_their_runs(small, tmp_path):
    report = optimize(small(thresholds=(60.0, 70.0), budget=1300), tmp_path / "search")
    assert [answer.threshold for answer in report.result.answers] == [60, 70]
    assert all(answer.confirmed for answer in report.result.answers)
    free = report.result.confirmed[None]
    assert {answer.confirmed.runs[1] for answer in report.result.answers} <= {len(free), *range(8, len(free))}


def test_a_threshold_that_nobody_reaches(small, tmp_path):
    report = optimize(small(thresholds=(99.9,), budget=900), tmp_path / "search")
    [answer] = report.result.answers
    assert answer.verdict == "undecided" and report.confirmation is None
    assert "none of" in answer.sentence and "the best value was" in answer.sentence


def test_a_larger_budget_goes_on_in_the_same_folder(undisturbed, small, tmp_path, monkeypatch):
    report, _ = undisturbed
    optimize(small(budget=900), tmp_path / "search")
    more = optimize(small(), tmp_path / "search")
    assert more.result.answers[0].sentence == report.result.answers[0].sentence
    assert same(traces(more.path), traces(report.path))
    # And back: all that the smaller one needs is there.
    monkeypatch.setattr("training.study.work._train", lambda *_: pytest.fail("trained again"))
    optimize(small(budget=900), tmp_path / "search")


@pytest.fixture(scope="module")
def short(tmp_path_factory, small):
    """A search without confirmation, and its folder."""
    optimization, folder = small(budget=400, confirm_share=0), tmp_path_factory.mktemp("short") / "search"
    optimize(optimization, folder)
    return optimization, folder


def test_another_task_needs_another_folder(short):
    first, folder = short
    task = replace(first.study.task, batch_size=20)
    other = replace(first, study=replace(first.study, task=task))
    with pytest.raises(StudyError, match="holds a search on another task"):
        optimize(other, folder)


def test_checkpoints_are_kept_or_not(short, tmp_path):
    first, kept = short
    optimize(replace(first, study=replace(first.study, keep_checkpoints=False)), tmp_path / "bare")
    assert (kept / "checkpoints").exists() and not (tmp_path / "bare" / "checkpoints").exists()
    assert not (kept / "progress").exists()


def test_a_budget_that_is_too_small(small, tmp_path):
    with pytest.raises(ValueError, match=r"`budget` 50 .* cost 60. Give at least 480"):
        optimize(small(budget=50), tmp_path / "search")
    assert not list(tmp_path.iterdir())


def test_settings(small):
    good = small()
    with pytest.raises(ValueError, match="no perturbation to try"):
        Optimization(good.study, {}, good.search)
    with pytest.raises(ValueError, match="must lie below the 40 epochs"):
        Optimization(good.study, good.candidates, good.search, (40,))
    twice = {Candidate("a"): ShrinkPerturb(), Candidate("a", "b"): ShrinkPerturb(0.1)}
    with pytest.raises(ValueError, match="different names"):
        Optimization(good.study, twice, good.search)
    assert default_periods(7) == (1, 2, 3)
    assert Optimization(good.study, good.candidates, good.search).periods == default_periods(40)
