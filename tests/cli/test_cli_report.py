"""``stochreset report``: figures and summaries in a folder."""

import csv

from .commands import ENSEMBLES, FAST, PERTURBATIONS, PREDICT, strict


def test_report_writes_figures_and_summary(run, runs_file, tmp_path):
    out_folder = tmp_path / "deep" / "report"
    code, out, err = run("report", runs_file, "--threshold", "91", "--out", out_folder, *FAST)
    assert (code, err) == (0, "")
    stems = {"traces_unperturbed", "survival_unperturbed", "relaxation", "ranking"}
    stems |= {f"{kind}_{name}" for kind in ("traces", "response") for name in PERTURBATIONS}
    expected = {f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg")}
    expected |= {f"summary.{suffix}" for suffix in ("txt", "csv", "json")} | {"report.html"}
    files = {path.name: path.read_bytes() for path in out_folder.iterdir()}
    assert files.keys() == expected
    for name, content in files.items():
        assert content, name
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG\r\n")
        if name.endswith(".svg"):
            assert b"<svg" in content
    assert out.startswith(files["summary.txt"].decode())
    assert "Use shrink_perturb every" in out and f"{len(expected)} files written" in out

    summary = strict(files["summary.json"].decode())
    assert summary.keys() >= {"headline", "qss", "rank", "predict"}
    assert summary["headline"] == out.splitlines()[0]

    with open(out_folder / "summary.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert all(None not in row and None not in row.values() for row in rows)
    assert [(row["perturbation"], int(row["period"])) for row in rows] == [
        (each["perturbation"], p["period"]) for each in summary["predict"] for p in each["predictions"]
    ]
    measured = {(row["perturbation"], row["period"]) for row in rows if row["measured_mean"]}
    assert measured == {tuple(name.split(":")) for name in ENSEMBLES[1:]}
    assert all(float(row["mean"]) > 0 for row in rows if row["status"] == "valid")


def test_report_prints_the_summary_document(document, runs_file, tmp_path):
    settings = (runs_file, "--threshold", "91", *FAST)
    summary = document("report", *settings, "--out", tmp_path / "report")
    assert summary == strict((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))
    ranked = [each["perturbation"] for each in summary["rank"]["ranking"]]
    assert ranked == [each["perturbation"] for each in summary["predict"]] == list(PERTURBATIONS)
    assert summary["qss"]["verdict"] == "reached"
    # And so say the single commands.
    assert summary["rank"] == document("rank", *settings)
    assert summary["qss"] == document("qss", runs_file)
    shrink = document("predict", runs_file, *PREDICT, "--periods", "30", *FAST)
    (there,) = (p for p in summary["predict"][0]["predictions"] if p["period"] == 30)
    assert summary["predict"][0]["measured_period"] == 20
    assert shrink["predictions"] == [there]


def test_report_where_no_run_arrives(run, runs_file, tmp_path):
    code, out, err = run("report", runs_file, "--threshold", "200", "--out", tmp_path / "report", *FAST)
    assert (code, err) == (0, "")
    assert out.startswith("Nothing to recommend: no run reached 200, perturbed or not")
    strict((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))


def test_report_refuses_a_file_as_folder(failure, runs_file, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    line = failure("report", runs_file, "--threshold", "91", "--out", taken, *FAST)
    assert "is a file; name a folder" in line
    assert taken.read_text() == "mine"
