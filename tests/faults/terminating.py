"""``stochreset train`` that is told to end (SIGTERM) at random moments."""

import io
import os
import random
import signal
import sys
import time
from unittest import mock

from training.study.plan import plan_units

from .broken_disk import temporaries
from .forking import STUDY, ended, logged, start
from .small_study import check_files, gathered, same

SEED = 20250402
CONFIG = f"""
epochs = {STUDY.epochs}
seeds = 4
block_size = 2
checkpoint_seconds = 1e-9

[data]
kind = "digits"
train_images = 40

[network]
kind = "mlp"
hidden = [8]

[optimizer]
kind = "sgd"
learning_rate = 0.1

[training]
batch_size = 10

[hardware]
device = "cpu"

[[perturbation]]
kind = "shrink_perturb"
period = 3

[[perturbation]]
kind = "partial_reset"
fraction = 0.5
rate = 0.3
"""
"""The study of `forking.STUDY`."""


def terminate_many(root, count, expected):
    """Send SIGTERM to ``stochreset train`` at random moments; it must end as its help says."""
    root.mkdir()
    config = root / "study.toml"
    config.write_text(CONFIG, encoding="utf-8")
    began = time.monotonic()
    assert ended(start(root / "timed", "", lambda: train(config, root / "timed"))) == 0
    seconds = time.monotonic() - began
    assert same(gathered(root / "timed"), gathered(expected))
    chance, seen = random.Random(SEED), {"terminated": 0, "checkpoints": 0, "finished_first": 0}
    while seen["terminated"] < count:
        assert seen["finished_first"] < 5 * count + 20, seen
        folder = root / f"study-{seen['terminated']}-{seen['finished_first']}"
        pid = start(folder, "", lambda folder=folder: train(config, folder))
        began = time.monotonic()
        code = ended(pid, chance.uniform(0, seconds))
        if code is None:
            os.kill(pid, signal.SIGTERM)
            code = ended(pid)
        else:
            seconds = time.monotonic() - began  # the machine has more time for this than when it was measured
        errors = folder.with_suffix(".err").read_text() if folder.with_suffix(".err").exists() else ""
        if code == -signal.SIGTERM:  # before it had begun or after all was done
            assert not folder.exists() or (folder / "runs.h5").exists(), errors
        if code in (0, -signal.SIGTERM):
            seen["finished_first"] += 1
            continue
        assert code == 130 and "the same command goes on from there" in errors, (code, errors)
        assert not temporaries(folder)
        finished = check_files(STUDY, folder, expected)
        for unit in plan_units(STUDY, folder):
            if unit.name in logged(folder, "begun") and unit.name not in finished:
                assert unit.checkpoint.exists(), unit.name
                seen["checkpoints"] += 1
        assert ended(start(folder, "", lambda folder=folder: train(config, folder))) == 0
        assert same(gathered(folder), gathered(expected))
        seen["terminated"] += 1
    return seen


def train(config, folder):
    """Run the command in this process; return its exit code."""
    from stochreset.cli import main as command

    with (
        folder.with_suffix(".err").open("w") as errors,
        mock.patch.object(sys, "stderr", errors),
        mock.patch.object(sys, "stdout", io.StringIO()),
    ):
        try:
            command(["train", str(config), "--out", str(folder)])
        except SystemExit as end:
            return end.code
