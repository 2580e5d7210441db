"""CIFAR-10 and CIFAR-100: 50,000 training and 10,000 test images of 32 x 32 pixels."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, ClassVar

import torch

from training.checks import check_count
from training.data.base import Data
from training.data.errors import DataNotFoundError
from training.data.statistics import channel_statistics


@dataclass(frozen=True, slots=True)
class _CIFAR:
    root: str | os.PathLike[str]
    download: bool = True
    train_images: int | None = None
    _classes: ClassVar[int]

    def __post_init__(self) -> None:
        if self.train_images is not None:
            check_count("train_images", self.train_images)

    def load(self) -> Data:
        """Load the images, from the folder, the archive, or the internet, whichever comes first.

        Raises
        ------
        DataNotFoundError
            If the files are not there, or damaged, and not to be had.
        ValueError
            If there are fewer training images than ``train_images``.
        """
        from torchvision import datasets

        source = getattr(datasets, type(self).__name__)
        root = Path(self.root).expanduser()
        if not _intact(source, root):
            self._unpack(source, root)
        train, test = (source(root, train=part) for part in (True, False))
        used = len(train.data) if self.train_images is None else self.train_images
        if used > len(train.data):
            raise ValueError(
                f"`train_images` must be at most the number of images in {root / source.base_folder}, "
                f"{len(train.data)}, got {used}"
            )
        inputs, test_inputs = (
            torch.from_numpy(part).permute(0, 3, 1, 2).contiguous() for part in (train.data[:used], test.data)
        )
        targets, test_targets = (
            torch.tensor(part, dtype=torch.int64) for part in (train.targets, test.targets)
        )
        mean, std = channel_statistics(inputs)
        return Data(inputs, targets[:used], test_inputs, test_targets, mean, std, self._classes)

    def _unpack(self, source: Any, root: Path) -> None:
        from torchvision.datasets.utils import check_integrity, download_url

        archive = root / source.filename
        if not check_integrity(archive, source.tgz_md5):
            reason = "`download` is False"
            try:
                if self.download:
                    download_url(source.url, root, source.filename, source.tgz_md5)
            except (OSError, RuntimeError, HTTPException) as problem:
                reason = f"the download of {source.url} failed: {problem}"
            if not check_integrity(archive, source.tgz_md5):
                raise DataNotFoundError(_not_found(source, root, reason))
        with tarfile.open(archive) as opened:
            opened.extractall(root, filter="data")
        if not _intact(source, root):
            raise DataNotFoundError(_not_found(source, root, "the archive does not hold these files"))


@dataclass(frozen=True, slots=True)
class CIFAR10(_CIFAR):
    """CIFAR-10 (A. Krizhevsky, 2009): colour images in 10 classes, read by `torchvision.datasets.CIFAR10`.

    The files hold pickles, which could run any program; so they are unpickled only after torchvision has
    found their MD5 to be that of the published files. No download is tried where the folder
    ``cifar-10-batches-py`` or the archive ``cifar-10-python.tar.gz`` is in ``root`` and whole.

    Attributes
    ----------
    root : path
        Folder that holds, or will hold, the archive; ``~`` stands for the home folder.
    download : bool
        Download the archive (170 MB) if need be.
    train_images : int, optional
        Take only the first so many training images. Mean and standard deviation of each channel, with which
        `Data.prepare` normalises, are those of the training images taken.
    """

    _classes: ClassVar[int] = 10


@dataclass(frozen=True, slots=True)
class CIFAR100(_CIFAR):
    """CIFAR-100: the same in 100 classes (the fine labels); attributes and checks as for `CIFAR10`.

    The folder is ``cifar-100-python`` and the archive ``cifar-100-python.tar.gz``.
    """

    _classes: ClassVar[int] = 100


def _intact(source: Any, root: Path) -> bool:
    # All files that will be unpickled, those with the names of the classes included.
    from torchvision.datasets.utils import check_integrity

    expected = [*source.train_list, *source.test_list, (source.meta["filename"], source.meta["md5"])]
    return all(check_integrity(root / source.base_folder / name, md5) for name, md5 in expected)


def _not_found(source: Any, root: Path, reason: str) -> str:
    found = [
        f"{place.name} is there but damaged or incomplete"
        for place in (root / source.base_folder, root / source.filename)
        if place.exists()
    ]
    return (
        f"{source.__name__} is not in {root}: looked there for the folder {source.base_folder} and the archive "
        f"{source.filename}{'; ' if found else ''}{' and '.join(found)}; {reason}. Put the archive from "
        f"{source.url} into {root}, or train on your own images with the data set image-folder"
    )
