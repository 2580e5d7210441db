"""``stochreset train`` as a user meets it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training import read_study  # noqa: E402

CONFIG = """
epochs = 12
seeds = 30
threshold = 60.0

[data]
kind = "digits"
train_images = 60

[network]
kind = "mlp"
hidden = [8]

[[perturbation]]
kind = "shrink_perturb"
period = 4
branch_at = 8

[[perturbation]]
preset = "paper_partial"
fraction = 0.5
rate = 0.3
"""


@pytest.fixture
def run(run, file_here):
    file_here("study.toml", CONFIG)
    return run


def test_from_configuration_to_ranking(run, tmp_path):
    code, out, _ = run("train", "study.toml", "--dry-run")
    assert code == 0 and "shrink_perturb:4@8" in out and "1,440 if nothing were shared" in out
    assert not (tmp_path / "study").exists()
    code, out, err = run("train", "study.toml")
    assert (code, err) == (0, "")
    assert "unperturbed" in out and "partial_reset:poisson-0.3" in out
    assert "next: stochreset rank study/runs.h5 --threshold 60" in out
    code, out, _ = run("train", "study.toml", "--json")
    document = json.loads(out)
    assert document["epochs_now"] == 0 and document["epochs_independent"] == 4 * 30 * 12
    assert document["epochs_trained"] < document["epochs_independent"]
    assert [each["name"] for each in document["ensembles"]][0] == "unperturbed"
    assert json.loads(run("train", "study.toml", "--dry-run", "--json")[1])["epochs_to_train"] == 0
    code, out, _ = run("rank", "study/runs.h5", "--threshold", "60", "--json", "--resamples", "50")
    assert code == 0 and json.loads(out)["ranking"][0]["perturbation"] == "shrink_perturb"
    assert read_study(tmp_path / "study" / "runs.h5").branches("shrink_perturb", 4)


def test_the_example_is_a_configuration(run, tmp_path):
    code, out, _ = run("train", "--example")
    assert code == 0
    (tmp_path / "example.toml").write_text(out, encoding="utf-8")
    assert run("train", "example.toml", "--dry-run")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "change", "message"),
    [
        ([], None, "`CONFIG.toml` is needed; `stochreset train --example > study.toml`"),
        (["nothing.toml"], None, "nothing.toml"),
        (
            ["study.toml"],
            ("hidden", "hiden"),
            'study.toml, line 12: [network] has no key "hiden"; did you mean hidden?',
        ),
        (
            ["study.toml"],
            ("epochs = 12", "epochs = true"),
            "study.toml, line 2: epochs must be a whole number",
        ),
        (["study.toml", "--executor", "foo"], None, "`--executor` must have one of the forms in-process, "),
        (["study.toml", "--dry-run", "--executor", "foo"], None, "`--executor` must have one of the forms"),
        (
            ["study.toml", "--out", "study.toml"],
            None,
            "`folder` study.toml is a file; give the name of a folder",
        ),
    ],
)
def test_mistakes_are_named(run, tmp_path, arguments, change, message):
    if change:
        (tmp_path / "study.toml").write_text(CONFIG.replace(*change), encoding="utf-8")
    code, out, err = run("train", *arguments)
    assert code == 2 and out == "" and message in err
    assert err.count("\n") == 1 and err.startswith("stochreset: ")


def test_other_settings_in_one_folder_are_refused(run, tmp_path):
    assert run("train", "study.toml")[0] == 0
    (tmp_path / "study.toml").write_text(CONFIG.replace("epochs = 12", "epochs = 13"), encoding="utf-8")
    code, _, err = run("train", "study.toml")
    assert code == 2 and "other settings than those given now; use another folder" in err


def test_ctrl_c_saves_and_the_next_call_goes_on(run, tmp_path):
    text = CONFIG.replace("epochs = 12", "epochs = 3000\ncheckpoint_seconds = 1000.0")
    text = text[: text.index("[[perturbation]]")].replace("seeds = 30", "seeds = 2")
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", "from stochreset.cli import main; main()", "train", "study.toml"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    end = time.monotonic() + 60
    while not (tmp_path / "study" / "progress").exists():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "unperturbed-0 was interrupted after epoch" in err and "its state is saved" in err
    assert list((tmp_path / "study" / "checkpoints").glob("unperturbed-0.pt"))
