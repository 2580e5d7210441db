"""``stochreset rank``: which perturbation speeds the runs up most."""

import pytest

from .commands import FAST


def test_rank_document(document, runs_file):
    result = document("rank", runs_file, "--threshold", "91", *FAST)
    assert result.keys() >= {"threshold", "horizon", "unperturbed", "ranking"}
    assert (result["threshold"], result["horizon"]) == (91.0, 80)
    alone = result["unperturbed"]
    assert alone["low"] < alone["mean"] < alone["high"]
    assert (alone["runs"], alone["censored"] > 0) == (120, True)
    for each in result["ranking"]:
        assert each.keys() >= {
            "perturbation", "period", "mean", "low", "high", "speedup", "speedup_low", "speedup_high",
            "status", "confirmed",
        }  # fmt: skip
        assert each["low"] < each["mean"] < each["high"]
        assert each["speedup_low"] < each["speedup"] < each["speedup_high"]
        assert isinstance(each["confirmed"], bool)
    best, worst = result["ranking"]
    assert (best["perturbation"], worst["perturbation"]) == ("shrink_perturb", "partial_reset")
    assert best["speedup"] > worst["speedup"]
    assert best["speedup_low"] > 1


@pytest.mark.parametrize("period", [20, 30])
def test_rank_predicts_from_the_measured_period_asked_for(document, runs_file, period):
    result = document(
        "rank", runs_file, "--threshold", "91", "--measured", f"shrink_perturb={period}",
        "--measured", "partial_reset=20", *FAST,
    )  # fmt: skip
    found = {each["perturbation"]: each["measured_period"] for each in result["ranking"]}
    assert found == {"shrink_perturb": period, "partial_reset": 20}


def test_rank_over_a_shorter_horizon(document, runs_file):
    result = document("rank", runs_file, "--threshold", "91", "--horizon", "50", *FAST)
    assert result["horizon"] == 50
    assert result["unperturbed"]["mean"] <= 50


def test_rank_for_people(run, runs_file):
    code, out, err = run("rank", runs_file, "--threshold", "91", *FAST)
    assert (code, err) == (0, "")
    assert 0 < out.index("shrink_perturb") < out.index("partial_reset")
    assert "no perturbation:" in out and "of 120 runs not there by then" in out


def test_rank_where_no_run_arrives_says_so(document, runs_file):
    result = document("rank", runs_file, "--threshold", "200", *FAST)
    assert result["unperturbed"]["censored"] == 120
    for each in result["ranking"]:
        assert each["status"] == "out_of_range" and not each["confirmed"]
        assert each["speedup_low"] is None or each["speedup_low"] <= 1
        assert each["advice"].startswith("no run reaches 200 before epoch ")
