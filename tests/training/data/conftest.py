import numpy as np
import pytest


@pytest.fixture
def root(tmp_path):
    """Nine images of 6 x 4 pixels: three cats and two dogs to train on, one and three to test with."""
    from .image_files_on_disk import save

    generator = np.random.default_rng(0)
    for part, name, count in (
        ("train", "cat", 3),
        ("train", "dog", 2),
        ("test", "cat", 1),
        ("test", "dog", 3),
    ):
        for number in range(count):
            pixels = generator.integers(0, 256, (4, 6, 3), dtype=np.uint8)
            save(tmp_path / "data" / part / name / f"{number}.png", pixels)
    return tmp_path / "data"


@pytest.fixture
def decoded(monkeypatch):
    """Lists how many images each call decodes."""
    from training.data import image_folder

    calls = []
    decode = image_folder.decode_images
    monkeypatch.setattr(
        image_folder, "decode_images", lambda files, size: calls.append(len(files)) or decode(files, size)
    )
    return calls
