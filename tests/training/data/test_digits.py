import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.data import Digits  # noqa: E402

# Of the split that training.digits.DigitsTask made: SHA-256 of the float32 rows and int64 labels.
ROWS = "9c5cd6b50e5694111793b5c838389dab05ec4a2a11d30caad9ec6c83c8ba0ca2"
LABELS = "0a708bf25364e1b5dd8a8923ba2a9dea1a7e049c4ad48c320b3ac54e88a657c3"


def sha256(tensor):
    import hashlib

    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()


def test_the_split_is_the_one_that_earlier_runs_had():
    data = Digits().load()
    assert data.train_inputs.shape == (200, 64) and data.test_inputs.shape == (1597, 64)
    assert data.train_inputs.dtype == torch.float32 and data.train_targets.dtype == torch.int64
    assert sha256(torch.cat([data.train_inputs, data.test_inputs])) == ROWS
    assert sha256(torch.cat([data.train_targets, data.test_targets])) == LABELS


def test_the_split_holds_every_image_once():
    from sklearn.datasets import load_digits

    data = Digits(train_images=50, split_seed=4).load()
    pixels, labels = load_digits(return_X_y=True)
    found = torch.cat(
        [
            torch.cat([data.train_inputs, data.test_inputs]) * 16,
            torch.cat([data.train_targets, data.test_targets])[:, None],
        ],
        dim=1,
    )
    assert data.samples == 50 and len(found) == 1797
    assert sorted(map(tuple, found.tolist())) == sorted(
        map(tuple, np.column_stack([pixels, labels]).tolist())
    )


def test_the_split_depends_on_its_seed_alone():
    torch.manual_seed(123)
    first = Digits().load().digest()
    torch.manual_seed(321)
    before = torch.random.get_rng_state()
    assert Digits().load().digest() == first
    assert torch.equal(torch.random.get_rng_state(), before)
    assert Digits(split_seed=1).load().digest() != first


def test_ten_classes_whatever_the_labels():
    assert Digits(train_images=1).load().outputs == 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_images": 1797}, "`train_images` must be at least 1 and below 1797, got 1797; the other"),
        ({"train_images": 0}, "`train_images` must be a whole number of at least 1, got 0"),
        ({"train_images": 2.0}, "`train_images` must be a whole number of at least 1, got 2.0"),
        ({"split_seed": -1}, "`split_seed` must be a whole number of at least 0, got -1"),
    ],
)
def test_errors_name_argument_and_value(settings, message):
    with pytest.raises(ValueError, match=message):
        Digits(**settings)
