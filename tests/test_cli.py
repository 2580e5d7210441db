import csv
import json
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from stochreset import PlateauMixture
from stochreset.cli import main
from training import RunGroup, write_runs

ENSEMBLES = ("unperturbed", "partial_reset:20", "shrink_perturb:20", "shrink_perturb:30")
PERTURBATIONS = ("shrink_perturb", "partial_reset")  # best first
PREDICT = ("--threshold", "91", "--perturbation", "shrink_perturb", "--measured", "20")
FAST = ("--resamples", "200")


def group(model, seed, period=None, perturbation="perturbed"):
    ensemble = model.simulate(runs=120, epochs=80, period=period, seed=seed, perturbation=perturbation)
    return RunGroup(
        ensemble.seeds,
        {"test_accuracy": ensemble.values},
        {"test_accuracy": "at_least"},
        ensemble.perturbation,
        ensemble.period,
    )


@pytest.fixture(scope="module")
def runs_file(tmp_path_factory):
    """Shrink and perturb draws the plateau anew and costs little; the partial reset mostly keeps it."""
    law = dict(plateau_mean=90.0, plateau_spread=0.8, noise=0.3, depth=20.0, relaxation_time=1.5)
    shrink = PlateauMixture(**law, depth_after=4.0)
    partial = PlateauMixture(**law, depth_after=12.0, relaxation_time_after=2.0, memory=0.8)
    groups = [
        group(shrink, 1),
        group(shrink, 2, 20, "shrink_perturb"),
        group(shrink, 3, 30, "shrink_perturb"),
        group(partial, 4, 20, "partial_reset"),
    ]
    return write_runs(tmp_path_factory.mktemp("cli") / "runs.h5", groups)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command line in this process: exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "110")

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


def strict(text):
    """The one JSON document that is the whole text, by a parser that knows neither NaN nor Infinity."""

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    assert text.startswith("{\n") and text.endswith("\n}\n")
    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def document(run):
    """Run a command with ``--json`` that must succeed in silence, and parse what it prints."""

    def call(*arguments):
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (0, "")
        return strict(out)

    return call


@pytest.fixture
def failure(run):
    """Run a command that must end with exit code 2 and one line on standard error, and return the line."""

    def call(*arguments):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("stochreset: ") and err.endswith("\n") and err.count("\n") == 1
        assert "Traceback" not in err
        return err

    return call


# The program as a whole


def test_installed_program_shows_its_help():
    program = Path(sys.executable).with_name("stochreset")
    if not program.exists():
        pytest.skip("the package is not installed with its program")
    done = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("qss", "predict", "rank", "report", "import-traces", "demo"):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["qss", "predict", "rank", "report", "import-traces", "demo"])
def test_every_command_has_help(run, command):
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert "Usage" in out and command in out


# qss


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


# predict


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


def test_predict_where_no_run_arrives(document, runs_file):
    result = document("predict", runs_file, "--threshold", "200", *PREDICT[2:], "--periods", "10,20", *FAST)
    assert [m["censored"] for m in result["measured"]] == [120, 120]
    assert result["tau"]["lower_bound"] is True
    assert all(p["mean"] is None and p["status"] == "out_of_range" for p in result["predictions"])
    assert all("no run completes" in p["reason"] for p in result["predictions"])


# rank


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


def test_rank_where_no_run_arrives_shows_no_speedup(document, runs_file):
    result = document("rank", runs_file, "--threshold", "200", *FAST)
    assert result["unperturbed"]["censored"] == 120
    for each in result["ranking"]:
        assert each["status"] == "out_of_range" and not each["confirmed"]
        assert each["speedup_low"] is None or each["speedup_low"] <= 1
        assert "no speed-up is shown" in each["advice"]


# report


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


# import-traces


def csv_folder(directory, ensemble, runs=40):
    directory.mkdir()
    for seed, trace in enumerate(ensemble.values[:runs]):
        lines = ["test_accuracy", *(repr(float(value)) for value in trace)]
        (directory / f"run_seed_{seed}.csv").write_text("\n".join(lines) + "\n")
    return directory


@pytest.fixture
def folders(tmp_path):
    model = PlateauMixture(plateau_mean=80.0, plateau_spread=0.8, noise=0.3, depth=20.0, relaxation_time=1.5)
    return (
        csv_folder(tmp_path / "free", model.simulate(40, 60, seed=1)),
        csv_folder(tmp_path / "shrunk", model.simulate(40, 60, 15, seed=2)),
    )


def test_imported_traces_can_be_analysed(run, document, folders, tmp_path):
    free, shrunk = folders
    path = tmp_path / "imported.h5"
    code, out, err = run(
        "import-traces", path, "--unperturbed", free, "--perturbed", f"shrink_perturb:15:{shrunk}"
    )
    assert code == 0 and not err.strip()
    assert "80 traces in 2 ensembles" in out
    assert "unperturbed: 40 runs, 60 epochs" in out and "shrink_perturb:15: 40 runs, 60 epochs" in out
    assert document("qss", path)["verdict"] in ("reached", "not_reached", "undecided")
    perturbed = document("qss", path, "--ensemble", "shrink_perturb:15")
    assert (perturbed["metric"], perturbed["ensemble"]) == ("test_accuracy", "shrink_perturb:15")


def test_bad_trace_is_named_and_nothing_is_written(failure, folders, tmp_path):
    free, _ = folders
    (free / "run_seed_7.csv").write_text("test_accuracy\n50\noops\n")
    path = tmp_path / "imported.h5"
    line = failure("import-traces", path, "--unperturbed", free)
    assert "run_seed_7.csv" in line and "oops" in line
    assert not path.exists()


def test_import_needs_one_source(failure, folders, tmp_path):
    free, _ = folders
    path = tmp_path / "imported.h5"
    both = ("--unperturbed", free, "--published", free)
    mixed = ("--published", free, "--perturbed", f"shrink_perturb:15:{free}")
    for arguments in ((), both, mixed):
        assert "give either `--unperturbed DIR`" in failure("import-traces", path, *arguments)
    assert not path.exists()


@pytest.mark.parametrize("text", ["shrink_perturb", "shrink_perturb:0:{}", "shrink_perturb:x:{}"])
def test_import_refuses_a_bad_perturbed(failure, folders, tmp_path, text):
    free, shrunk = folders
    path = tmp_path / "imported.h5"
    failure("import-traces", path, "--unperturbed", free, "--perturbed", text.format(shrunk))
    assert not path.exists()


# Errors of use and of data


COMMANDS = {
    "qss": (),
    "predict": PREDICT,
    "rank": ("--threshold", "91"),
    "report": ("--threshold", "91", "--out", "never_written"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_unusable_files(failure, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    Path("notes.h5").write_text("not HDF5 at all\n" * 100)
    with h5py.File("other.h5", "w") as file:
        file["numbers"] = [1, 2]
    for name in ("missing.h5", "notes.h5", "other.h5", "."):
        assert name in failure(command, name, *COMMANDS[command])
    assert not Path("never_written").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_metric_lists_the_metrics(failure, monkeypatch, tmp_path, runs_file, command):
    monkeypatch.chdir(tmp_path)
    line = failure(command, runs_file, *COMMANDS[command], "--metric", "speed")
    assert "'speed'" in line and "test_accuracy" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "--threshold", "91", "--perturbation", "shrink_perturb"), "--measured"),
        (("predict", "--threshold", "91", "--measured", "20"), "--perturbation"),
        (("predict", "--perturbation", "shrink_perturb", "--measured", "20"), "--threshold"),
        (("rank",), "--threshold"),
        (("report", "--threshold", "91"), "--out"),
    ],
)
def test_missing_required_option(failure, runs_file, arguments, said):
    command, *options = arguments
    line = failure(command, runs_file, *options)
    assert "Missing option" in line and said in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rank", "--threshold", "high"), "--threshold"),
        (("rank", "--threshold", "nan"), "`threshold` must be finite"),
        (("rank", "--threshold", "inf"), "`threshold` must be finite"),
        (("rank", "--threshold", "50"), "Raise the threshold"),  # reached before the first perturbation
        (("rank", "--threshold", "91", "--measured", "shrink_perturb"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "shrink_perturb=0"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "shrink_perturb=2.5"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "=20"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "shrink_perturb=25"), "shrink_perturb"),
        (("rank", "--threshold", "91", "--measured", "noise=20"), "noise"),
        (
            ("rank", "--threshold", "91", *("--measured", "shrink_perturb=20") * 2),
            "names 'shrink_perturb' twice",
        ),
        (("rank", "--threshold", "91", "--horizon", "0"), "--horizon"),
        (("rank", "--threshold", "91", "--horizon", "81"), "horizon"),
        (("rank", "--threshold", "91", "--resamples", "1"), "--resamples"),
        (("rank", "--threshold", "91", "--seed", "-1"), "--seed"),
        (("predict", *PREDICT[:-1], "0"), "--measured"),
        (("predict", *PREDICT[:-1], "25"), "shrink_perturb"),
        (("predict", *PREDICT, "--perturbation", "noise"), "noise"),
        (("predict", *PREDICT, "--model", "best"), "--model"),
        (("predict", *PREDICT, "--periods", "0"), "at least 1"),
        (("predict", *PREDICT, "--periods", "5:1"), "at least 1"),
        (("predict", *PREDICT, "--periods", "-5,10"), "at least 1"),
        (("predict", *PREDICT, "--periods", ""), "must look like"),
        (("predict", *PREDICT, "--periods", "1,two"), "'two' in '1,two'"),
        (("predict", *PREDICT, "--periods", "1:9:0"), "must look like"),
        (("predict", *PREDICT, "--periods", "1:20000"), "10,000"),
        (("predict", *PREDICT, "--periods", f"1:{10**18}"), "10,000"),
        (("qss", "--tolerance", "-1"), "--tolerance"),
        (("qss", "--colour"), "--colour"),
    ],
)
def test_bad_values(failure, runs_file, arguments, said):
    command, *options = arguments
    assert said in failure(command, runs_file, *options)


def test_unknown_command(failure):
    assert "'forecast'" in failure("forecast")
