"""The cache of decoded images: what it saves, and when it is written anew."""

import io
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")
pytest.importorskip("torchvision", reason="image folders are listed by torchvision, of the extra `training`")
pytest.importorskip("PIL.Image", reason="images are decoded by Pillow, which comes with torchvision")

from training.data import ImageFolder  # noqa: E402

from .image_files_on_disk import caches, pixels_of, save  # noqa: E402


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
