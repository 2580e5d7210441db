"""What is measured after each epoch: accuracies, losses, and metrics of one's own."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.blocks import stacked as stacked_block  # noqa: E402
from training.losses import Metric  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.task import Hardware, Task  # noqa: E402
from training.train import train_runs  # noqa: E402

from .small_tasks import task, train  # noqa: E402


def test_accuracies_are_whole_numbers_of_samples():
    counts = train(task(), range(4), 5)[0] * 50 / 100
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)


def test_evaluation_in_pieces_is_evaluation_at_once(monkeypatch):
    whole = train(task(), range(5), 3)
    for rows in (7, 100):
        monkeypatch.setattr(stacked_block, "EVALUATED_ROWS", rows)
        np.testing.assert_allclose(train(task(), range(5), 3), whole, rtol=1e-5)


def last_error(outputs, targets):
    return (outputs[:, 0] - targets).abs().max()


def absolute(outputs, targets):
    return (outputs.squeeze(-1) - targets).abs()


@pytest.mark.parametrize("engine", ["stacked", "single"])
def test_regression_with_metrics_and_losses_of_ones_own(engine):
    from training.data import Regression

    def build():
        return nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1))

    settings = Task(
        Regression(60, 40),
        build,
        SGD(0.05),
        batch_size=20,
        metrics=(Metric("worst", last_error, "at_most"),),
        hardware=Hardware(device="cpu", engine=engine),
    )
    group = train_runs(settings, [1, 2], 20)
    assert set(group.metrics) == {"test_loss", "train_loss", "worst", "epoch_seconds"}
    assert set(group.directions.values()) == {"at_most"}
    assert (group.metrics["test_loss"][:, -1] < group.metrics["test_loss"][:, 0]).all()
    own = train_runs(replace(settings, loss=absolute), [1, 2], 20)
    assert (own.metrics["worst"] > own.metrics["test_loss"]).all()
    with pytest.raises(ValueError, match="`metrics` holds 'test_loss' twice"):
        train_runs(replace(settings, metrics=(Metric("test_loss", last_error),)), [1], 1)
