"""Losses and metrics: ties, outputs that are not finite, and metrics that are refused."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training.losses import Metric, correct  # noqa: E402

NAN = float("nan")


def test_of_equal_outputs_the_first_one_counts():
    outputs = torch.tensor([[1.0, 1.0], [0.0, 2.0], [2.0, 2.0]])
    assert correct(outputs, torch.tensor([1, 1, 0])).tolist() == [0, 1, 1]


def test_a_run_that_diverged_does_not_hide_ties_of_another_one():
    healthy, targets = torch.tensor([[1.0, 1.0], [3.0, 2.0]]), torch.tensor([[1, 0]] * 2)
    stacked = torch.stack([torch.tensor([[NAN, NAN], [1.0, 2.0]]), healthy])
    alone = correct(healthy, targets[1])
    assert alone.tolist() == [0, 1]
    assert correct(stacked, targets)[1].tolist() == alone.tolist()


def test_metrics_are_checked():
    for name in ("a/b", "seed", "", None):
        with pytest.raises(ValueError, match="`name` .* is not a usable name: it must be printable text"):
            Metric(name, len)
    with pytest.raises(ValueError, match="`function` of metric 'speed' must be callable, got 3"):
        Metric("speed", 3)
