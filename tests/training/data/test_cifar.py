import hashlib
import pickle
import shutil
import tarfile
from urllib.error import URLError

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")
datasets = pytest.importorskip(
    "torchvision.datasets", reason="CIFAR is read by torchvision, of the optional extra `training`"
)

from torchvision.datasets import utils  # noqa: E402

from training.data import CIFAR10, CIFAR100, DataNotFoundError  # noqa: E402

# Where the files are looked for, their names with the number of images here, and the key of the labels.
LAYOUTS = {
    CIFAR10: (
        "cifar-10-batches-py",
        {f"data_batch_{i}": 3 for i in range(1, 6)} | {"test_batch": 4},
        "labels",
    ),
    CIFAR100: ("cifar-100-python", {"train": 15, "test": 4}, "fine_labels"),
}
ARCHIVES = {CIFAR10: "cifar-10-python.tar.gz", CIFAR100: "cifar-100-python.tar.gz"}
CLASSES = {CIFAR10: 10, CIFAR100: 100}
META = {CIFAR10: ("batches.meta", "label_names"), CIFAR100: ("meta", "fine_label_names")}


class Tiny:
    """A tiny data set in the files of the real one, and what is in it."""

    def __init__(self, kind, place, monkeypatch):
        folder, files, key = LAYOUTS[kind]
        self.kind, self.root, self.folder = kind, place / "here", place / "here" / folder
        self.archive, self.source = self.root / ARCHIVES[kind], getattr(datasets, kind.__name__)
        self.folder.mkdir(parents=True)
        generator = np.random.default_rng(1)
        self.pixels, self.labels, sums = {}, {}, {}
        for name, count in files.items():
            self.pixels[name] = generator.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
            self.labels[name] = generator.integers(0, CLASSES[kind], count).tolist()
            content = {"data": self.pixels[name].reshape(count, -1), key: self.labels[name]}
            sums[name] = self.write(name, content)
        meta, key = META[kind]
        sum_of_meta = self.write(meta, {key: [f"class {i}" for i in range(CLASSES[kind])]})
        *train, test = files
        monkeypatch.setattr(self.source, "train_list", [[name, sums[name]] for name in train])
        monkeypatch.setattr(self.source, "test_list", [[test, sums[test]]])
        monkeypatch.setattr(self.source, "meta", {"filename": meta, "key": key, "md5": sum_of_meta})
        with tarfile.open(self.archive, "w:gz") as archive:
            archive.add(self.folder, folder)
        monkeypatch.setattr(self.source, "tgz_md5", hashlib.md5(self.archive.read_bytes()).hexdigest())
        self.train = np.concatenate([self.pixels[name] for name in train])
        self.train_labels = sum((self.labels[name] for name in train), [])
        self.test, self.test_labels = self.pixels[test], self.labels[test]

    def write(self, name, content):
        written = pickle.dumps(content, protocol=2)
        (self.folder / name).write_bytes(written)
        return hashlib.md5(written).hexdigest()

    def check(self, data):
        assert np.array_equal(data.train_inputs, self.train)
        assert np.array_equal(data.test_inputs, self.test)
        assert data.train_targets.tolist() == self.train_labels
        assert data.test_targets.tolist() == self.test_labels
        assert data.train_inputs.is_contiguous() and data.train_inputs.dtype == torch.uint8
        assert data.outputs == CLASSES[self.kind]


@pytest.fixture(params=[CIFAR10, CIFAR100], ids=["cifar10", "cifar100"])
def tiny(request, tmp_path, monkeypatch):
    def no_download(*arguments, **named):
        raise AssertionError("a download was tried")

    monkeypatch.setattr(utils, "download_url", no_download)
    return Tiny(request.param, tmp_path, monkeypatch)


@pytest.mark.parametrize("download", [True, False])
def test_read_from_the_folder(tiny, download):
    tiny.archive.unlink()
    tiny.check(tiny.kind(tiny.root, download).load())


@pytest.mark.parametrize("download", [True, False])
def test_unpacked_from_the_archive(tiny, download):
    shutil.rmtree(tiny.folder)
    tiny.check(tiny.kind(tiny.root, download).load())
    assert tiny.folder.is_dir()


def test_a_damaged_folder_is_unpacked_again(tiny):
    (tiny.folder / META[tiny.kind][0]).write_bytes(b"damaged")
    tiny.check(tiny.kind(tiny.root, download=False).load())


def test_downloaded_where_neither_is_there(tiny, monkeypatch):
    shutil.rmtree(tiny.folder)
    kept = tiny.archive.rename(tiny.root.parent / "kept")

    def download(url, root, filename, md5):
        assert url == tiny.source.url and md5 == tiny.source.tgz_md5
        shutil.copy(kept, root / filename)

    monkeypatch.setattr(utils, "download_url", download)
    tiny.check(tiny.kind(tiny.root).load())


def test_the_root_may_be_in_the_home_folder(tiny, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny.root))
    tiny.check(tiny.kind("~", download=False).load())


def test_statistics_are_those_of_the_training_images(tiny):
    data = tiny.kind(str(tiny.root)).load()
    scaled = tiny.train / 255
    np.testing.assert_allclose(data.mean, scaled.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(data.std, scaled.std((0, 2, 3)), rtol=1e-6)
    prepared = data.prepare(data.train_inputs)
    assert prepared.mean((0, 2, 3)).abs().max() < 1e-5
    assert (prepared.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-5


def test_the_first_training_images_alone(tiny):
    data = tiny.kind(tiny.root, train_images=4).load()
    assert np.array_equal(data.train_inputs, tiny.train[:4]) and len(data.test_inputs) == 4
    assert data.train_targets.tolist() == tiny.train_labels[:4]
    np.testing.assert_allclose(data.mean, tiny.train[:4].mean((0, 2, 3)) / 255, rtol=1e-6)


def test_too_many_training_images(tiny):
    with pytest.raises(
        ValueError, match="`train_images` must be at most the number of images in .*, 15, got 16"
    ):
        tiny.kind(tiny.root, train_images=16).load()
    with pytest.raises(ValueError, match="`train_images` must be a whole number of at least 1, got 0"):
        tiny.kind(tiny.root, train_images=0)


def test_not_found_and_no_download(tiny):
    shutil.rmtree(tiny.root)
    name = tiny.kind.__name__
    message = (
        f"{name} is not in {tiny.root}: looked there for the folder {tiny.folder.name} and the archive "
        f"{tiny.archive.name}; `download` is False. Put the archive from https://www.cs.toronto.edu/~kriz/"
        f"{tiny.archive.name} into {tiny.root}, or .* image-folder"
    )
    with pytest.raises(DataNotFoundError, match=message):
        tiny.kind(tiny.root, download=False).load()
    assert issubclass(DataNotFoundError, OSError)
    assert not tiny.root.exists()


@pytest.mark.parametrize(
    "problem", [URLError("no route"), RuntimeError("File not found or corrupted."), PermissionError("denied")]
)
def test_a_download_that_fails(tiny, monkeypatch, problem):
    shutil.rmtree(tiny.root)

    def download(*arguments):
        raise problem

    monkeypatch.setattr(utils, "download_url", download)
    with pytest.raises(
        DataNotFoundError, match="the download of https://.*gz failed: .*(no route|corrup|denied)"
    ):
        tiny.kind(tiny.root).load()


def test_damaged_files_are_named_and_not_unpickled(tiny, tmp_path):
    class Program:
        def __reduce__(self):
            return (type(tmp_path).touch, (tmp_path / "run",))

    for name in LAYOUTS[tiny.kind][1]:
        (tiny.folder / name).write_bytes(pickle.dumps(Program()))
    tiny.archive.write_bytes(b"not an archive")
    message = (
        f"{tiny.folder.name} is there but damaged or incomplete and {tiny.archive.name} is there but damaged"
    )
    with pytest.raises(DataNotFoundError, match=message):
        tiny.kind(tiny.root, download=False).load()
    assert not (tmp_path / "run").exists()
    pickle.loads((tiny.folder / name).read_bytes())
    assert (tmp_path / "run").exists()
