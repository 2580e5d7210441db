"""``stochreset predict``: mean times at other periods, from one measured period."""

from .commands import FAST, PREDICT


def test_predict_document(document, runs_file):
    result = document("predict", runs_file, *PREDICT, "--periods", "1,2,5:20:5", *FAST)
    assert result.keys() >= {
        "perturbation", "measured_period", "threshold", "tau", "predictions", "measured",
    }  # fmt: skip
    assert (result["perturbation"], result["measured_period"], result["threshold"]) == (
        "shrink_perturb", 20, 91.0,
    )  # fmt: skip
    assert result["tau"].keys() >= {"value", "stderr"}
    assert result["tau"]["value"] > 0 < result["tau"]["stderr"]
    assert [p["period"] for p in result["predictions"]] == [1, 2, 5, 10, 15, 20]
    for p in result["predictions"]:
        assert p.keys() >= {"period", "mean", "stderr", "low", "high", "model", "status", "reason"}
        assert p["low"] < p["mean"] < p["high"]
        assert p["model"] in ("constant", "cycles")
        assert p["status"] in ("valid", "extrapolated", "out_of_range")
        assert p["reason"] or p["status"] == "valid"
    # Every period measured with this perturbation, asked for or not, and of no other perturbation.
    assert [m["period"] for m in result["measured"]] == [20, 30]
    for m in result["measured"]:
        assert m.keys() >= {"period", "mean", "stderr", "runs", "censored"}
        assert m["runs"] == 120 and 0 < m["censored"] < 120 and 0 < m["mean"] < 80


def test_default_periods_hold_the_measured_ones(document, runs_file):
    periods = [p["period"] for p in document("predict", runs_file, *PREDICT, *FAST)["predictions"]]
    assert {1, 20, 30} <= set(periods) and max(periods) <= 80
    assert periods == sorted(set(periods))


def test_model_constant_everywhere(document, runs_file):
    result = document("predict", runs_file, *PREDICT, "--periods", "5:40:5", "--model", "constant", *FAST)
    assert {p["model"] for p in result["predictions"]} == {"constant"}


def test_model_cycles_everywhere(document, runs_file):
    result = document("predict", runs_file, *PREDICT, "--periods", "10:40:5", "--model", "cycles", *FAST)
    assert {p["model"] for p in result["predictions"]} == {"cycles"}


def test_seed_fixes_the_output(run, runs_file):
    arguments = ("predict", runs_file, *PREDICT, "--periods", "10,20", *FAST, "--json", "--seed")
    first, again, other = (run(*arguments, seed) for seed in (3, 3, 4))
    assert first[0] == other[0] == 0
    assert first == again
    assert first != other


def test_predict_for_people(run, runs_file):
    code, out, err = run("predict", runs_file, *PREDICT, "--periods", "10,20", *FAST)
    assert (code, err) == (0, "")
    assert "shrink_perturb, threshold 91, from period 20" in out
    assert "predicted" in out and "measured" in out
    assert "≥" in out  # some of the measured runs are censored


def test_reasons_are_given_by_period(run, document, runs_file):
    periods = ("--periods", "1:6,30,70")
    _, out, _ = run("predict", runs_file, *PREDICT, *periods, *FAST)
    predictions = document("predict", runs_file, *PREDICT, *periods, *FAST)["predictions"]
    notes = [line[3:] for line in out.splitlines() if line.startswith(" - period")]
    assert notes
    for p in predictions:
        reason = f"{p['status']}: {p['reason']}"
        told = [note for note in notes if note.endswith(f": {reason}")]
        assert len(told) == (p["status"] != "valid")
    assert len({note.split(": ", 1)[1] for note in notes}) == len(notes)


def test_periods_of_equal_reasons_are_joined():
    from stochreset.cli.tables import prediction_notes
    from theory import Prediction

    def point(period, status, reason):
        return Prediction(period, 1.0, 0.1, 0.8, 1.2, "cycles", status, reason)

    few, late = ("out_of_range", "too few"), ("extrapolated", "late")
    points = [point(1, *few), point(2, *few), point(5, "valid", ""), point(9, *late), point(12, *few)]
    points += [point(20 + each, *late) for each in range(4)]
    assert prediction_notes(points) == [
        "periods 1, 2, 12: out_of_range: too few",
        "periods 9, 20 to 23: extrapolated: late",
    ]
    assert prediction_notes(points[:1]) == ["period 1: out_of_range: too few"]


def test_predict_where_no_run_arrives(document, runs_file):
    result = document("predict", runs_file, "--threshold", "200", *PREDICT[2:], "--periods", "10,20", *FAST)
    assert [m["censored"] for m in result["measured"]] == [120, 120]
    assert result["tau"]["lower_bound"] is True
    assert all(p["mean"] is None and p["status"] == "out_of_range" for p in result["predictions"])
    assert all("no run completes" in p["reason"] for p in result["predictions"])
