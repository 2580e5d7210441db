import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")

from training.data import statistics  # noqa: E402
from training.data.statistics import channel_statistics  # noqa: E402


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_mean_and_std_are_those_of_numpy(monkeypatch, at_once):
    monkeypatch.setattr(statistics, "IMAGES_AT_ONCE", at_once)
    pixels = np.random.default_rng(0).integers(0, 256, (7, 3, 4, 5), dtype=np.uint8)
    pixels[:, 1] //= 8
    before = pixels.copy()
    mean, std = channel_statistics(torch.from_numpy(pixels))
    scaled = pixels.astype(float) / 255
    np.testing.assert_allclose(mean, scaled.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std, scaled.std((0, 2, 3)), rtol=1e-6)
    assert mean.dtype == std.dtype == torch.float32
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("value", [0, 1, 77, 255])
def test_a_constant_channel_has_std_1(value):
    mean, std = channel_statistics(torch.full((5, 1, 3, 7), value, dtype=torch.uint8))
    assert mean.item() == pytest.approx(value / 255) and std.item() == 1
