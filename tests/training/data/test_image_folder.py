"""Folders of images: which are read, in which order, and as which pixels."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")
pytest.importorskip("torchvision", reason="image folders are listed by torchvision, of the extra `training`")
Image = pytest.importorskip("PIL.Image", reason="images are decoded by Pillow, which comes with torchvision")

from training.data import ImageFolder, image_files, late_bar  # noqa: E402

from .image_files_on_disk import caches, pixels_of, save  # noqa: E402

ARCHIVE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "cifar10-jpeg.tar.xz"


def test_every_image_and_label_in_order(root):
    data = ImageFolder(root).load()
    train = [
        root / "train" / name for name in ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png")
    ]
    test = [root / "test" / name for name in ("cat/0.png", "dog/0.png", "dog/1.png", "dog/2.png")]
    assert np.array_equal(data.train_inputs, [pixels_of(path) for path in train])
    assert np.array_equal(data.test_inputs, [pixels_of(path) for path in test])
    assert data.train_targets.tolist() == [0, 0, 0, 1, 1] and data.test_targets.tolist() == [0, 1, 1, 1]
    assert data.input_shape == (3, 4, 6) and data.outputs == 2
    scaled = data.train_inputs.numpy() / 255
    np.testing.assert_allclose(data.mean, scaled.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(data.std, scaled.std((0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("at_once", [1, 2, 64])
def test_any_number_of_threads_and_files_at_once(root, monkeypatch, at_once):
    expected = ImageFolder(root, cache=False).load().digest()
    monkeypatch.setattr(image_files, "FILES_AT_ONCE", at_once)
    monkeypatch.setattr(image_files, "available_cores", lambda: 7)
    assert ImageFolder(root, cache=False).load().digest() == expected


@pytest.mark.parametrize(
    ("train_images", "taken"),
    [
        (1, ["cat/0"]),
        (2, ["cat/0", "dog/0"]),
        (4, ["cat/0", "dog/0", "cat/1", "dog/1"]),
        (5, ["cat/0", "dog/0", "cat/1", "dog/1", "cat/2"]),
    ],
)
def test_training_images_are_taken_from_the_classes_in_turn(root, train_images, taken):
    data = ImageFolder(root, train_images=train_images).load()
    assert np.array_equal(data.train_inputs, [pixels_of(root / "train" / f"{name}.png") for name in taken])
    assert data.train_targets.tolist() == [int(name.startswith("dog")) for name in taken]
    assert len(data.test_inputs) == 4 and data.outputs == 2


def test_resized(root):
    save(root / "train" / "cat" / "9.png", np.full((20, 30, 3), 200, dtype=np.uint8))
    data = ImageFolder(root, size=5).load()
    assert data.input_shape == (3, 5, 5)
    assert (data.train_inputs[3] == 200).all()
    with Image.open(root / "test" / "cat" / "0.png") as image:
        expected = np.asarray(image.resize((5, 5), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert np.array_equal(data.test_inputs[0], expected)


def test_grey_and_transparent_images_become_rgb(root):
    save(root / "train" / "cat" / "8.png", np.full((4, 6), 90, dtype=np.uint8))
    save(root / "train" / "cat" / "9.png", np.full((4, 6, 4), (10, 20, 30, 40), dtype=np.uint8))
    inputs = ImageFolder(root).load().train_inputs
    assert (inputs[3] == 90).all()
    assert inputs[4, :, 0, 0].tolist() == [10, 20, 30]


def test_the_root_may_be_in_the_home_folder(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    assert ImageFolder("~/data").load().samples == 5
    monkeypatch.chdir(root)
    assert ImageFolder(".").load().samples == 5
    assert len(caches(root)) == 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("seconds", "shown"), [(-1.0, True), (60.0, False)])
def test_a_bar_is_shown_when_decoding_takes_long(root, monkeypatch, seconds, shown):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(late_bar, "SECONDS_WITHOUT", seconds)
    monkeypatch.setenv("TERM", "xterm")
    ImageFolder(root, cache=False).load()
    assert ("decoding images" in terminal.getvalue()) is shown


def test_no_bar_where_nobody_looks(root, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(late_bar, "SECONDS_WITHOUT", 0.0)
    ImageFolder(root, cache=False).load()
    assert stream.getvalue() == ""


@pytest.mark.skipif(
    not ARCHIVE.is_file(), reason="CIFAR-10 as JPEG is not at ../shared/data/cifar10-jpeg.tar.xz"
)
def test_cifar10_as_jpeg(tmp_path):
    each, counts = 5, {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            part, name = (Path(member.name).parts + ("",))[:2]
            if member.isfile() and counts.get((part, name), 0) < each:
                counts[part, name] = counts.get((part, name), 0) + 1
                archive.extract(member, tmp_path, filter="data")
            if len(counts) == 20 and sum(counts.values()) == 100:
                break
    data = ImageFolder(tmp_path).load()
    assert data.input_shape == (3, 32, 32) and data.outputs == 10
    assert data.train_targets.bincount().tolist() == data.test_targets.bincount().tolist() == [5] * 10
    # Those of all 50,000 training images are 0.47 and 0.25.
    assert abs(data.mean.mean() - 0.47) < 0.1 and abs(data.std.mean() - 0.25) < 0.05
    assert ImageFolder(tmp_path).load().digest() == data.digest()
