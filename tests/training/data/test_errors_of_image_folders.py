"""Folders, files and settings of images that are refused, and what the messages say."""

import io

import numpy as np
import pytest

pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")
pytest.importorskip("torchvision", reason="image folders are listed by torchvision, of the extra `training`")
Image = pytest.importorskip("PIL.Image", reason="images are decoded by Pillow, which comes with torchvision")

from training.data import DataNotFoundError, ImageFolder  # noqa: E402

from .image_files_on_disk import caches, save  # noqa: E402


def test_a_file_of_another_size_is_named(root):
    save(root / "test" / "dog" / "1.png", np.zeros((5, 6, 3), dtype=np.uint8))
    message = (
        f"`root` must hold images of one size, and {root}/test/dog/1.png has 6 x 5 pixels where "
        f"{root}/train/cat/0.png has 6 x 4 pixels; give a `size` to resize all of them, such as 4"
    )
    with pytest.raises(ValueError, match=message):
        ImageFolder(root).load()
    assert not caches(root)


@pytest.mark.parametrize("name", ["train/cat/0.png", "test/dog/1.png", "train/dog/z.jpg"])
@pytest.mark.parametrize("cut", [0, 30, 100], ids=["empty", "header", "data"])
def test_a_corrupt_file_is_named(root, name, cut):
    content = io.BytesIO()
    kind = "JPEG" if name.endswith("jpg") else "PNG"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)).save(content, kind)
    (root / name).write_bytes(content.getvalue()[:cut])
    with pytest.raises(
        ValueError, match=f"`root` holds an image that cannot be decoded, {root}/{name}: .*; rep"
    ):
        ImageFolder(root).load()


def test_an_image_that_is_too_large_is_named(root, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 11)
    with pytest.raises(ValueError, match=r"cannot be decoded, .*0.png: .*exceeds limit of 22 .*; replace or"):
        ImageFolder(root, size=2).load()


def test_pixels_of_16_bits_are_refused(root):
    save(root / "train" / "cat" / "0.png", np.full((4, 6), 40000, dtype=np.uint16))
    with pytest.raises(ValueError, match=r"cannot be decoded, .*0.png: its pixels, of mode I;16, do not fit"):
        ImageFolder(root).load()


def test_classes_that_differ(root):
    save(root / "train" / "cow" / "0.png", np.zeros((4, 6, 3), dtype=np.uint8))
    (root / "test" / "dog").rename(root / "test" / "horse")
    with pytest.raises(
        ValueError, match="the same classes in train and test, .* only one of .* cow, dog, horse;"
    ):
        ImageFolder(root).load()


def test_folders_that_are_missing_or_empty(root):
    with pytest.raises(
        DataNotFoundError, match="`root` .*nowhere holds no folder train; it must hold root/train/CL"
    ):
        ImageFolder(root / "nowhere").load()
    (root / "test").rename(root / "val")
    with pytest.raises(
        DataNotFoundError, match="holds no folder test; it must hold .* Create it, or give another"
    ):
        ImageFolder(root).load()
    (root / "test").mkdir()
    with pytest.raises(
        DataNotFoundError, match="must hold root/train/CLASS.*Couldn't find any class folder in"
    ):
        ImageFolder(root).load()
    (root / "test" / "cat").mkdir()
    with pytest.raises(DataNotFoundError, match="Found no valid file for the classes cat"):
        ImageFolder(root).load()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "`size` must be a whole number of at least 1, got 0"),
        ({"train_images": True}, "`train_images` must be a whole number of at least 1, got True"),
    ],
)
def test_errors_name_argument_and_value(settings, message):
    with pytest.raises(ValueError, match=message):
        ImageFolder("x", **settings)


def test_too_many_training_images(root):
    with pytest.raises(
        ValueError, match="`train_images` must be at most the number of images in .*, 5, got 6"
    ):
        ImageFolder(root, train_images=6).load()
