"""``stochreset optimize`` as a user meets it."""

import json
import re
import shlex

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")


CONFIG = """
epochs = 40
metric = "test_accuracy"
block_size = 4

[data]
kind = "digits"
train_images = 60

[network]
kind = "mlp"
hidden = [8]

[training]
batch_size = 10

[[perturbation]]
kind = "shrink_perturb"
shrink = [0.3, 0.6]

[optimize]
thresholds = [70.0]
budget = 1500
batch = 3
periods = [2, 5, 10, 20]
"""


@pytest.fixture
def run(run, file_here):
    file_here("search.toml", CONFIG)
    return run


def test_from_configuration_to_answer(run, tmp_path):
    code, out, _ = run("optimize", "search.toml", "--dry-run")
    assert code == 0 and not (tmp_path / "search-optimized").exists()
    assert "the best of 8 points" in out and "in all       1,500" in out
    assert "A grid of all points with 20 runs each would cost up to 6,400." in out

    code, out, err = run("optimize", "search.toml")
    assert code == 0
    # The answer comes first; the steps are progress.
    assert out.startswith(("Use shrink_perturb shrink=", "No speed-up", "Do not perturb"))
    assert "Cost: " in out and " pilot " in err and " confirm " in err
    folder = tmp_path / "search-optimized"
    assert {"runs.h5", "confirmation.h5", "answer.json", "report.html"} <= {
        each.name for each in folder.iterdir()
    }
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert out.splitlines()[0].split(":")[0] in page

    code, again, _ = run("optimize", "search.toml", "--json")
    assert code == 0 and json.loads(again) == json.loads((folder / "answer.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "`CONFIG.toml` is needed; `stochreset optimize --example > search.toml`"),
        (("absent.toml",), "absent.toml: there is no such file"),
        (("search.toml", "--budget", "60"), "`budget` 60 leaves 30 epochs for the search"),
        (("search.toml", "--budget", "1", "--dry-run"), "`budget` 1 leaves 0 epochs for the search"),
        (("search.toml", "--executor", "cloud"), "`--executor`"),
        (("search.toml", "--executor", "cloud", "--dry-run"), "`--executor`"),
    ],
)
def test_mistakes(run, tmp_path, arguments, message):
    code, out, err = run("optimize", *arguments)
    assert code == 2 and not out and message in err
    assert not (tmp_path / "search-optimized").exists()


def test_pages_of_two_thresholds_and_their_commands(run, tmp_path):
    (tmp_path / "search.toml").write_text(CONFIG.replace("[70.0]", "[65.5, 70.0]"), encoding="utf-8")
    code, out, _ = run("optimize", "search.toml", "--json")
    folder = tmp_path / "search-optimized"
    assert code == 0 and json.loads(out) == json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    (command,) = re.findall(r"stochreset (report runs\.h5 .*) --out DIR", page)
    assert "--thresholds 65.5,70.0" in command
    arguments = shlex.split(command.replace("runs.h5", str(folder / "runs.h5")))
    assert run(*arguments, "--out", tmp_path / "again")[0] == 0
    assert (tmp_path / "again" / "report.html").read_text(encoding="utf-8") == page


def test_a_hopeless_threshold_says_what_is_missing(run, tmp_path):
    (tmp_path / "high.toml").write_text(CONFIG.replace("70.0", "100.0"), encoding="utf-8")
    code, out, _ = run("optimize", "high.toml", "--budget", "500")
    assert code == 0 and out.startswith("Nothing to recommend: none of")
    assert "the best value was" in out
