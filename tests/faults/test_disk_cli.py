"""Commands that write files, on a disk that fails at each of their operations: one line that names file and cause."""

import io
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest

pytest.importorskip("h5py")

from stochreset import PlateauMixture  # noqa: E402
from stochreset.cli import main, reporting  # noqa: E402
from training import RunGroup, write_runs  # noqa: E402

from .amount import FULL  # noqa: E402
from .broken_disk import KINDS, every_failure, files, temporaries  # noqa: E402

CONFIG = """
epochs = 2
seeds = 2
[data]
kind = "digits"
train_images = 40
[network]
kind = "mlp"
hidden = [4]
"""


class Failed(Exception):
    """A command ended with code 2; the message is what it printed."""


def run(*arguments):
    errors = io.StringIO()
    with redirect_stderr(errors), redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    if stopped.value.code:
        assert stopped.value.code == 2, errors.getvalue()
        raise Failed(errors.getvalue())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Files that the commands read, on a disk that does not fail."""
    folder = tmp_path_factory.mktemp("inputs")
    model = PlateauMixture(
        plateau_mean=90.0, plateau_spread=0.8, noise=0.3, depth=20.0, relaxation_time=1.5, depth_after=4.0
    )
    groups = []
    for seed, period in ((1, None), (2, 10)):
        each = model.simulate(30, 40, seed=seed, period=period, perturbation="kick")
        groups.append(RunGroup(each.seeds, {"m": each.values}, {"m": "at_least"}, each.perturbation, period))
    write_runs(folder / "runs.h5", groups, provenance={})
    (folder / "study.toml").write_text(CONFIG, encoding="utf-8")
    for name in ("free", "kicked"):
        (folder / name).mkdir()
        for seed in range(3):
            values = np.random.default_rng(seed).normal(size=5)
            lines = ["epoch,m", *(f"{epoch},{value}" for epoch, value in enumerate(values, 1))]
            (folder / name / f"seed_{seed}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def simulate(inputs, out):
    run("simulate", "brownian", "--runs", 20, "--horizon", 5, "--out", out / "times.h5")


def report(inputs, out):
    options = ("--threshold", 91, "--thresholds", 91, "--resamples", 10)
    run("report", inputs / "runs.h5", *options, "--out", out / "report")


def train(inputs, out):
    run("train", inputs / "study.toml", "--out", out / "study")


COMMANDS = [simulate, report, train]


@pytest.mark.parametrize("kind", KINDS[:4] if FULL else KINDS[:1], ids=lambda kind: kind.name)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_a_command_names_file_and_cause(tmp_path, monkeypatch, inputs, command, kind):
    if command is train:
        pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
        pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    drawn = reporting.figures
    monkeypatch.setattr(reporting, "figures", lambda analysis: {"one": drawn(analysis)["ranking"]})
    out = tmp_path / "out"

    def prepare(folder):
        if command is report:  # an earlier report, which is to survive file by file
            (folder / "report").mkdir()
            for name in ("summary.txt", "summary.csv", "summary.json", "one.png", "one.svg", "report.html"):
                (folder / "report" / name).write_bytes(b"earlier")

    failures = 0
    for fault, error, before in every_failure(
        out,
        kind,
        prepare,
        lambda _: command(inputs, out),
        errors=(Failed,),
        few=3,
        many=None if kind is KINDS[0] else 15,
    ):
        if error is not None:
            failures += 1
            text = str(error)
            assert text.startswith("stochreset: ") and text.count("\n") == 1
            assert kind.cause in text and str(out) in text, (text, fault.struck)
        if "unlink" not in kind.operations:
            assert not [path for path in temporaries(out)]
        after = files(out)
        for name in before:  # either the earlier file or the whole new one
            assert after[name] == b"earlier" or len(after[name]) > 100
    assert failures
    command(inputs, out)


def test_a_message_of_a_command_that_cannot_read_the_disk_is_one_line(tmp_path):
    with pytest.raises(Failed, match=r"there is no|No such file"):
        run("qss", tmp_path / "none.h5")
