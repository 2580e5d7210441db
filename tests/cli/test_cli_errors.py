"""The help of the program, and the errors of use and of data that its commands report."""

import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from .commands import PREDICT


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
        (("rank", "--threshold", "nan"), "`threshold` must be a finite number"),
        (("rank", "--threshold", "inf"), "`threshold` must be a finite number"),
        (("rank", "--threshold", "50"), "Raise the threshold"),  # reached before the first perturbation
        (("rank", "--threshold", "91", "--measured", "shrink_perturb"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "shrink_perturb=0"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "shrink_perturb=2.5"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "=20"), "must look like NAME=P"),
        (("rank", "--threshold", "91", "--measured", "shrink_perturb=25"), "`--measured` 25 was not run for"),
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
        (
            ("predict", *PREDICT[:-1], "25"),
            "`--measured` 25 was not run for 'shrink_perturb'; it was run at: 20, 30",
        ),
        (("predict", *PREDICT, "--perturbation", "noise"), "`--perturbation` 'noise' is not in this study"),
        (("predict", *PREDICT, "--model", "best"), "--model"),
        (("predict", *PREDICT, "--periods", "0"), "at least 1"),
        (("predict", *PREDICT, "--periods", "5:1"), "`--periods` '5:1' is empty: it must rise, as 1:5 does"),
        (("predict", *PREDICT, "--periods", "10,50:20:5"), "'50:20:5' is empty: it must rise, as 20:50 does"),
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
