import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.batched import SGD  # noqa: E402
from training.digits import DigitsTask, train_digits  # noqa: E402
from training.perturbations import ShrinkPerturb  # noqa: E402

PLATEAU = 92.45


def test_the_split_holds_every_image_once():
    from sklearn.datasets import load_digits

    data = DigitsTask().data()
    assert data.train_inputs.shape == (200, 64) and data.test_inputs.shape == (1597, 64)
    assert data.train_inputs.dtype == torch.float32 and data.train_inputs.max() == 1
    pixels, labels = load_digits(return_X_y=True)
    found = torch.cat(
        [
            torch.cat([data.train_inputs * 16, data.test_inputs * 16]),
            torch.cat([data.train_labels, data.test_labels])[:, None],
        ],
        dim=1,
    )
    expected = np.column_stack([pixels, labels])
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, expected.tolist()))


def test_the_split_depends_on_its_seed_alone():
    torch.manual_seed(123)
    first = DigitsTask().data().train_inputs
    torch.manual_seed(321)
    assert torch.equal(DigitsTask().data().train_inputs, first)
    assert not torch.equal(DigitsTask(split_seed=1).data().train_inputs, first)


def test_the_network_is_64_64_64_10():
    shapes = [tuple(value.shape) for value in DigitsTask().network().parameters()]
    assert shapes == [(64, 64), (64,), (64, 64), (64,), (10, 64), (10,)]
    assert len(DigitsTask(hidden=()).network()) == 1


def test_a_group_of_runs():
    unperturbed = train_digits([5, 1], 3)
    perturbed = train_digits([5, 1], 3, ShrinkPerturb(0.4, 0.2), 2)
    assert unperturbed.name == "unperturbed" and perturbed.name == "shrink_perturb:2"
    assert perturbed.parameters == {"shrink": 0.4, "noise": 0.2, "fresh_optimizer": True}
    assert perturbed.seeds.tolist() == [5, 1] and perturbed.shape == (2, 3)
    assert perturbed.directions == {
        "test_accuracy": "at_least",
        "test_loss": "at_most",
        "train_loss": "at_most",
    }
    for metric, values in perturbed.metrics.items():
        assert np.array_equal(values[:, :2], unperturbed.metrics[metric][:, :2])
        assert not np.array_equal(values[:, 2], unperturbed.metrics[metric][:, 2])


def test_other_settings_are_used():
    task = DigitsTask(train_images=50, hidden=(8,), optimizer=SGD(0.1, 0.0, 10))
    group = train_digits([1], 2, task=task)
    counts = group.metrics["test_accuracy"] * 1747 / 100
    np.testing.assert_allclose(counts, counts.round(), atol=1e-6)


def test_the_accuracy_settles_where_it_should():
    values = train_digits(range(20), 40).metrics["test_accuracy"]
    # Seeds 20 to 199: 90.87 after 20 epochs, 92.45 after 40, there with a spread of 0.55 across runs.
    tolerance = 5 * 0.55 / np.sqrt(20)
    assert abs(values[:, -1].mean() - PLATEAU) < tolerance
    assert abs(values[:, 19].mean() - PLATEAU) > tolerance


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_images": 1797}, "`train_images` must be at least 1 and below 1797, got 1797; the other"),
        ({"hidden": (64, 0)}, r"`hidden` must hold at least 1 unit for each layer, got \(64, 0\)"),
    ],
)
def test_errors_name_argument_and_value(settings, message):
    with pytest.raises(ValueError, match=message):
        DigitsTask(**settings)
