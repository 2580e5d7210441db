import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")
pytest.importorskip(
    "sklearn", reason="the functions come with scikit-learn, of the optional extra `training`"
)

from training.data import Regression  # noqa: E402


@pytest.mark.parametrize(("function", "inputs"), [("friedman1", 10), ("friedman2", 4), ("friedman3", 4)])
def test_standardised_by_the_training_samples(function, inputs):
    data = Regression(samples=300, test_samples=200, function=function).load()
    assert data.train_inputs.shape == (300, inputs) and data.test_inputs.shape == (200, inputs)
    assert data.train_targets.shape == (300,) and data.test_targets.shape == (200,)
    for values in (data.train_inputs, data.train_targets):
        assert values.dtype == torch.float32
        assert values.mean(0).abs().max() < 1e-5
        assert (values.std(0, correction=0) - 1).abs().max() < 1e-5
    # The test samples come from the same distribution, but are not standardised by themselves.
    assert 1e-4 < data.test_inputs.mean(0).abs().max() < 5 / np.sqrt(200)
    assert data.outputs == 1 and not data.classification


def test_the_targets_are_those_of_friedman_without_noise():
    from sklearn.datasets import make_friedman1

    data = Regression(samples=50, test_samples=10, noise=0.0, split_seed=3).load()
    inputs, targets = make_friedman1(n_samples=60, noise=0.0, random_state=3)
    a, b, c, d, e = inputs.T[:5]
    formula = 10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e
    np.testing.assert_allclose(targets, formula, rtol=1e-12)
    expected = (formula - formula[:50].mean()) / formula[:50].std()
    np.testing.assert_allclose(data.train_targets, expected[:50], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(data.test_targets, expected[50:], rtol=1e-5, atol=1e-6)


def test_the_seed_and_the_noise_matter():
    digests = {Regression(50, 10, noise, seed).load().digest() for noise in (0.0, 1.0) for seed in (0, 1)}
    assert len(digests) == 4
    assert Regression(50, 10).load().digest() == Regression(50, 10).load().digest()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 1}, "`samples` must be a whole number of at least 2, got 1"),
        ({"test_samples": 0}, "`test_samples` must be a whole number of at least 1, got 0"),
        ({"noise": -1.0}, "`noise` must be at least 0 and finite, got -1.0"),
        ({"noise": float("nan")}, "`noise` must be at least 0 and finite, got nan"),
        ({"split_seed": 2**32}, r"`split_seed` must be below 2\*\*32, got 4294967296"),
        ({"function": "sine"}, "`function` must be one of friedman1, friedman2, friedman3, got 'sine'"),
    ],
)
def test_errors_name_argument_and_value(settings, message):
    with pytest.raises(ValueError, match=message):
        Regression(**settings)
