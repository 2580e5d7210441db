"""The data of a task are loaded once in each process, and never go with the functions of another task."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from torch import nn  # noqa: E402

from training import read_runs, train_runs  # noqa: E402
from training.data import Digits  # noqa: E402
from training.losses import Metric  # noqa: E402
from training.study import StudyError, TrainingStudy, run_study  # noqa: E402


def of_width(units):
    def build():
        return nn.Sequential(nn.Linear(64, units), nn.ReLU(), nn.Linear(units, 10))

    return build


def scaled(by):
    def loss(outputs, targets):
        return by * nn.functional.cross_entropy(outputs, targets, reduction="none")

    return loss


def constant(value):
    return (Metric("constant", lambda outputs, targets: outputs.sum() * 0 + value),)


@pytest.mark.parametrize(
    "changes",
    [
        [{"network": of_width(units)} for units in (2, 16)],
        [{"loss": scaled(by)} for by in (1, 3)],
        [{"metrics": constant(value)} for value in (1, 2)],
    ],
    ids=["network", "loss", "metrics"],
)
def test_functions_of_one_name_are_not_taken_for_each_other(cases, tmp_path, changes):
    for number, change in enumerate(changes):
        task = replace(cases.TASK, **change)
        report = run_study(TrainingStudy(task, epochs=2, seeds=range(2)), tmp_path / str(number))
        alone = train_runs(task, range(2), 2)
        for name, values in read_runs(report.path)[0].metrics.items():
            assert name == "epoch_seconds" or np.array_equal(values, alone.metrics[name])


def test_data_are_loaded_once(cases, tmp_path, monkeypatch):
    loaded = []
    load = Digits.load
    monkeypatch.setattr(Digits, "load", lambda self: loaded.append(self) or load(self))
    task = replace(cases.TASK, data=Digits(41))
    run_study(TrainingStudy(task, epochs=2, seeds=range(4), block_size=1), tmp_path / "first")
    run_study(TrainingStudy(replace(task), epochs=3, seeds=range(2)), tmp_path / "second")
    assert loaded == [Digits(41)]


def test_a_metric_that_the_task_does_not_give_is_refused_before_training(cases, tmp_path, monkeypatch):
    monkeypatch.setattr("training.study.work.BlockRun.step", lambda self: pytest.fail("an epoch was trained"))
    with pytest.raises(StudyError, match="`metric` 'speed' is not recorded in this study; it has: test_acc"):
        run_study(cases.small(metric="speed"), tmp_path)


def test_network_settings_with_arrays_can_be_compared(cases, tmp_path):
    task = replace(cases.TASK, network=Widths(np.array([4, 5])))
    for each in (task, replace(task, network=Widths(np.array([4, 5])))):
        assert run_study(TrainingStudy(each, epochs=1, seeds=[0]), tmp_path).runs == 1


class Widths:
    def __init__(self, widths):
        self.widths = widths

    def __eq__(self, other):
        return bool(self.widths == other.widths)

    __hash__ = None

    def __repr__(self):
        return f"Widths({self.widths})"

    def __call__(self):
        return nn.Sequential(*(nn.Linear(64, width) for width in self.widths[:1]), nn.Linear(4, 10))


def only_first(classes):
    class Few:
        def load(self):
            data = Digits(40).load()
            return replace(data, train_targets=data.train_targets % classes)

    return Few()


def test_data_of_classes_of_one_name_are_not_taken_for_each_other(cases, tmp_path):
    for classes in (2, 5):
        task = replace(cases.TASK, data=only_first(classes))
        report = run_study(TrainingStudy(task, epochs=2, seeds=range(2)), tmp_path / str(classes))
        alone = train_runs(task, range(2), 2)
        assert np.array_equal(read_runs(report.path)[0].metrics["train_loss"], alone.metrics["train_loss"])
