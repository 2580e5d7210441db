import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from dataclasses import replace  # noqa: E402

from training.data import Digits  # noqa: E402
from training.digits import digits_task, train_digits  # noqa: E402
from training.networks import MLP  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import ShrinkPerturb  # noqa: E402

PLATEAU = 92.45


def test_the_network_is_64_64_64_10():
    shapes = [tuple(value.shape) for value in digits_task().prepare().factory().parameters()]
    assert shapes == [(64, 64), (64,), (64, 64), (64,), (10, 64), (10,)]


def test_a_group_of_runs():
    unperturbed = train_digits([5, 1], 3)
    perturbed = train_digits([5, 1], 3, ShrinkPerturb(0.4, 0.2), 2)
    assert unperturbed.name == "unperturbed" and perturbed.name == "shrink_perturb:2"
    assert perturbed.parameters == ShrinkPerturb(0.4, 0.2).settings()
    assert perturbed.seeds.tolist() == [5, 1] and perturbed.shape == (2, 3)
    assert perturbed.directions["test_accuracy"] == perturbed.directions["train_accuracy"] == "at_least"
    assert perturbed.directions["test_loss"] == perturbed.directions["epoch_seconds"] == "at_most"
    for metric, values in perturbed.metrics.items():
        if metric != "epoch_seconds":
            assert np.array_equal(values[:, :2], unperturbed.metrics[metric][:, :2])
            assert not np.array_equal(values[:, 2], unperturbed.metrics[metric][:, 2])


def test_other_settings_are_used():
    task = replace(digits_task(), data=Digits(50), network=MLP((8,)), optimizer=SGD(0.1, 0.0), batch_size=10)
    group = train_digits([1], 2, task=task)
    counts = group.metrics["test_accuracy"] * 1747 / 100
    np.testing.assert_allclose(counts, counts.round(), atol=1e-6)


def test_the_accuracy_settles_where_it_should():
    values = train_digits(range(20), 40).metrics["test_accuracy"]
    # Seeds 20 to 199: 90.87 after 20 epochs, 92.45 after 40, there with a spread of 0.55 across runs.
    tolerance = 5 * 0.55 / np.sqrt(20)
    assert abs(values[:, -1].mean() - PLATEAU) < tolerance
    assert abs(values[:, 19].mean() - PLATEAU) > tolerance
