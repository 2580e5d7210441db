import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")
pytest.importorskip("torchvision", reason="image folders are listed by torchvision, of the extra `training`")
Image = pytest.importorskip("PIL.Image", reason="images are decoded by Pillow, which comes with torchvision")

from training.data import DataNotFoundError, ImageFolder, image_files, image_folder, late_bar  # noqa: E402

ARCHIVE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "cifar10-jpeg.tar.xz"


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def root(tmp_path):
    """Nine images of 6 x 4 pixels: three cats and two dogs to train on, one and three to test with."""
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


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def caches(root):
    return sorted(root.glob(".stochreset-cache-*.npy"))


@pytest.fixture
def decoded(monkeypatch):
    """Lists how many images each call decodes."""
    calls = []
    decode = image_folder.decode_images
    monkeypatch.setattr(
        image_folder, "decode_images", lambda files, size: calls.append(len(files)) or decode(files, size)
    )
    return calls


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
    monkeypatch.setattr(image_files, "_processors", lambda: 7)
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


def test_the_cache_gives_the_same_and_decodes_nothing(root, decoded):
    first = ImageFolder(root).load()
    assert len(caches(root)) == 1
    again = ImageFolder(str(root)).load()
    assert again.digest() == first.digest() and decoded == [9]
    again.train_inputs.zero_()  # the arrays read are nobody else's


def test_without_cache_nothing_is_written(root, decoded):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    ImageFolder(root, cache=False).load()
    ImageFolder(root, cache=False).load()
    assert decoded == [9, 9]
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_settings_have_caches_of_their_own(root, decoded):
    for settings in ({}, {"size": 4}, {"size": 5}, {"train_images": 3}):
        ImageFolder(root, **settings).load()
    assert decoded == [9, 9, 9, 7] and len(caches(root)) == 4


def change(root):
    path = root / "train" / "cat" / "1.png"
    status = path.stat()
    save(path, pixels_of(path).transpose(1, 2, 0)[::-1].copy())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


@pytest.mark.parametrize(
    "act",
    [
        change,
        lambda root: (root / "train" / "cat" / "0.png").rename(root / "train" / "cat" / "7.png"),
        lambda root: (root / "test" / "dog" / "2.png").unlink(),
        lambda root: (root / "test" / "dog" / "2.png").rename(root / "test" / "cat" / "2.png"),
    ],
    ids=["content", "name", "removed", "class"],
)
def test_changed_files_are_decoded_again(root, decoded, act):
    ImageFolder(root).load()
    act(root)
    data = ImageFolder(root).load()
    assert len(decoded) == 2
    assert data.digest() == ImageFolder(root, cache=False).load().digest()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: bytes(4),
        lambda content: b"PK\x03\x04" + content[4:],
        lambda content: content[:-10],
        lambda content: content + b"x",
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    ],
    ids=["empty", "zeros", "other type", "cut", "longer", "one bit", "checksum"],
)
def test_a_damaged_cache_is_written_anew(root, decoded, damage):
    expected = ImageFolder(root).load().digest()
    (cache,) = caches(root)
    content = cache.read_bytes()
    cache.write_bytes(damage(content))
    assert ImageFolder(root).load().digest() == expected
    assert decoded == [9, 9] and cache.read_bytes() == content


def test_a_cache_of_something_else_is_written_anew(root, decoded):
    from training.data.image_cache import write_cache

    expected = ImageFolder(root).load().digest()
    (cache,) = caches(root)
    for other in (np.zeros((8, 3, 4, 6), np.uint8), np.zeros((9, 3, 4, 6), np.int8), np.zeros(9, np.uint8)):
        write_cache(cache, other)
        assert ImageFolder(root).load().digest() == expected
    assert decoded == [9] * 4


def test_a_cache_never_runs_what_is_pickled(root, decoded):
    import zlib

    expected = ImageFolder(root).load().digest()
    (cache,) = caches(root)
    content = io.BytesIO()
    np.save(content, np.array([Path("x")], dtype=object), allow_pickle=True)
    cache.write_bytes(content.getvalue() + zlib.crc32(content.getvalue()).to_bytes(4, "little"))
    assert ImageFolder(root).load().digest() == expected and len(decoded) == 2


def test_a_cache_that_cannot_be_written_is_none(root, monkeypatch):
    from training.data import image_cache

    def fail(path, content):
        raise PermissionError("read-only")

    monkeypatch.setattr(image_cache, "replace_file", fail)
    assert ImageFolder(root).load().samples == 5
    assert not caches(root)


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
