"""``stochreset qss``: whether the runs reach a quasi-steady state."""

from .commands import ENSEMBLES


def test_qss_document(document, runs_file):
    result = document("qss", runs_file)
    assert result.keys() >= {
        "metric", "ensemble", "verdict", "relaxation_epoch", "smallest_detectable_shift", "reason",
    }  # fmt: skip
    assert (result["metric"], result["ensemble"]) == ("test_accuracy", "unperturbed")
    assert result["verdict"] == "reached"
    # The rise is 20 exp(-s / 1.5): 1.4 at epoch 4, less than the spread between runs, and 0.03 at epoch 10.
    assert 4 <= result["relaxation_epoch"] <= 10
    assert 0 < result["smallest_detectable_shift"] < 1
    assert result["reason"]


def test_qss_of_a_perturbed_ensemble(document, runs_file):
    result = document("qss", runs_file, "--ensemble", "shrink_perturb:20", "--metric", "test_accuracy")
    assert result["ensemble"] == "shrink_perturb:20"
    assert result["verdict"] in ("reached", "not_reached", "undecided")
    assert result["verdict"] == "reached" or result["relaxation_epoch"] is None


def test_qss_among_the_runs_not_there_yet(document, runs_file):
    everyone, remaining = (document("qss", runs_file, *extra) for extra in ((), ("--threshold", "91")))
    assert remaining != everyone
    assert remaining["verdict"] in ("reached", "not_reached", "undecided")


def test_qss_for_people(run, runs_file):
    code, out, err = run("qss", runs_file)
    assert (code, err) == (0, "")
    assert "test_accuracy, unperturbed, 120 runs of 80 epochs" in out
    assert "quasi-steady state: reached" in out
    assert "relaxation epoch:" in out


def test_unknown_ensemble_lists_the_known_ones(failure, runs_file):
    line = failure("qss", runs_file, "--ensemble", "shrink_perturb:99", "--json")
    assert "'shrink_perturb:99'" in line
    for name in ENSEMBLES:
        assert name in line
