from pathlib import Path

import numpy as np
import pytest

from training import describe, import_published, read_study
from training.published import UNPERTURBED_FOLDER

PERIODS = {
    "shrink_perturb": (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100),
    "partial_reset": (1, 2, 3, 4, 5, 6, 7, 10, 12, 15, 20, 30, 50, 100),
}


def test_every_trace_arrives(published_runs):
    study = read_study(published_runs)
    assert study.unperturbed.values.shape == (1000, 200)
    assert sum(map(len, study)) == 4950
    assert {name: study.periods(name) for name in study.perturbations} == PERIODS
    assert study.unperturbed.metric == "test_accuracy"
    assert all(e.horizon == 200 and (e.lengths == 200).all() and e.direction == "at_least" for e in study)


def test_runs_of_each_folder(published_runs):
    study = read_study(published_runs)
    for perturbation, periods in PERIODS.items():
        short = {"shrink_perturb": "s_and_p", "partial_reset": "partial"}[perturbation]
        for period in periods:
            files = published_runs.parent.glob(f"published/testacc_list_{short}_reset{period}/*.csv")
            assert len(study.ensemble(perturbation, period)) == len(list(files))
    assert [len(study.ensemble("shrink_perturb", p)) for p in (1, 20, 100)] == [114, 281, 311]
    assert [len(study.ensemble("partial_reset", p)) for p in (1, 20, 100)] == [50, 274, 232]


def test_values_belong_to_their_seeds(published_runs):
    ensemble = read_study(published_runs).ensemble("partial_reset", 12)
    for row in (0, 10, 76):
        name = f"test_acc_reset_12_seed_{ensemble.seeds[row]}.csv"
        path = published_runs.parent / "published" / "testacc_list_partial_reset12" / name
        np.testing.assert_array_equal(ensemble.values[row], np.loadtxt(path, skiprows=1))


def test_reference_numbers_of_the_traces(published_runs):
    study = read_study(published_runs)
    sample = study.unperturbed.first_passage(72)
    assert sample.n_censored == 293
    assert study.unperturbed.values[:, 19].mean() == pytest.approx(71.92, abs=0.005)
    assert study.ensemble("shrink_perturb", 20).first_passage(72).times.mean() == pytest.approx(
        18.92, abs=0.005
    )


def test_description_tells_perturbation_and_source(published_runs):
    summary = describe(published_runs)
    ensembles = {ensemble["name"]: ensemble for ensemble in summary["ensembles"]}
    assert summary["default_metric"] == "test_accuracy"
    assert ensembles["shrink_perturb:20"]["parameters"] == {"shrink": 0.4, "noise": 0.1}
    assert ensembles["partial_reset:20"]["parameters"] == {}
    assert summary["provenance"]["config"]["imported"]["unperturbed"].endswith(UNPERTURBED_FOLDER)


def published_tree(root: Path) -> Path:
    for folder in (UNPERTURBED_FOLDER, "testacc_list_s_and_p_reset20", "testacc_list_partial_reset7"):
        (root / folder).mkdir(parents=True)
        for seed in (0, 1):
            (root / folder / f"test_acc_reset_1_seed_{seed}.csv").write_text("test_ACC\n50.5\n60\n")
    (root / "SR_frac_of_smallest_w").mkdir()
    (root / "notes").mkdir()
    return root


def test_summary_says_what_is_skipped(tmp_path):
    calls = []
    summary = import_published(
        published_tree(tmp_path / "tree"), tmp_path / "out.h5", lambda *now: calls.append(now)
    )
    assert summary.ensembles == {
        "unperturbed": (2, 2),
        "partial_reset:7": (2, 2),
        "shrink_perturb:20": (2, 2),
    }
    assert summary.traces == 6
    assert calls == [(done, 6) for done in range(1, 7)]
    assert "skipped SR_frac_of_smallest_w: first-passage times without traces" in str(summary)
    assert "skipped notes: not part of the published traces" in str(summary)


@pytest.mark.parametrize("missing", [UNPERTURBED_FOLDER, "everything"])
def test_another_folder_is_refused(tmp_path, missing):
    root = published_tree(tmp_path / "tree")
    wrong = root / UNPERTURBED_FOLDER if missing == "everything" else root
    if wrong is root:
        (root / missing).rename(root / "renamed")
    with pytest.raises(ValueError, match="does not look like the published traces: expected .*reg_training"):
        import_published(wrong, tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_missing_folder_and_archive_are_refused(tmp_path):
    archive = tmp_path / "published.tar.xz"
    archive.write_bytes(b"")
    for wrong in (archive, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="unpack the archive"):
            import_published(wrong, tmp_path / "out.h5")
