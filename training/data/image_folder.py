"""Images in folders, one for each class: root/train/CLASS/*.jpg and root/test/CLASS/*.jpg."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from training.checks import check_count
from training.data.base import Data
from training.data.errors import DataNotFoundError
from training.data.image_cache import cache_path, read_cache, write_cache
from training.data.image_files import decode_images
from training.data.statistics import channel_statistics

LAYOUT = "root/train/CLASS/*.jpg or .png, and root/test/CLASS/* with the same classes"


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """Images of your own, as `torchvision.datasets.ImageFolder` lists them, decoded to RGB.

    The classes are the sorted names of the folders in ``root/train``. All images are held in memory, and
    mean and standard deviation of each channel, with which `Data.prepare` normalises, are those of the
    training images taken.

    Attributes
    ----------
    root : path
        Folder with the folders ``train`` and ``test``; ``~`` stands for the home folder.
    size : int, optional
        Resize every image to so many pixels in height and width (bilinear; not cropped). Without it all
        images must have one size.
    train_images : int, optional
        Take only so many training images: the first of each class in turn, then the second of each, and so
        on, in the order of their names.
    cache : bool
        Keep the decoded images in ``root`` in a file .stochreset-cache-....npy, to load them faster next
        time. It is used again as long as names, sizes and times of the files, and the settings, are the
        same. Where it cannot be written there is none, and a damaged one is written anew; it may be deleted.
    """

    root: str | os.PathLike[str]
    size: int | None = None
    train_images: int | None = None
    cache: bool = True

    def __post_init__(self) -> None:
        for name, value in (("size", self.size), ("train_images", self.train_images)):
            if value is not None:
                check_count(name, value)

    def load(self) -> Data:
        """Decode the images, or take them from the cache.

        Raises
        ------
        DataNotFoundError
            If a folder is missing or holds no image.
        ValueError
            If an image cannot be decoded or has another size than the others, the classes of ``train`` and
            ``test`` differ, or there are fewer training images than ``train_images``.
        """
        root = Path(self.root).expanduser()
        names, train = _listed(root, "train")
        test_names, test = _listed(root, "test")
        if names != test_names:
            odd = sorted(set(names) ^ set(test_names))
            raise ValueError(
                f"`root` {root} must hold the same classes in train and test, and only one of them has "
                f"{', '.join(odd)}; add the missing folders or remove these"
            )
        train = self._taken(root, train)
        files = [Path(path) for path, _ in (*train, *test)]
        kept = cache_path(root, files, self.size) if self.cache else None
        images = read_cache(kept, len(files)) if kept is not None else None
        if images is None:
            images = decode_images(files, self.size)
            if kept is not None:
                write_cache(kept, images)
        inputs, test_inputs = torch.from_numpy(images).split([len(train), len(test)])
        targets, test_targets = (torch.tensor([label for _, label in part]) for part in (train, test))
        mean, std = channel_statistics(inputs)
        return Data(inputs, targets, test_inputs, test_targets, mean, std, len(names))

    def _taken(self, root: Path, listed: list[tuple[str, int]]) -> list[tuple[str, int]]:
        if self.train_images is None:
            return listed
        if self.train_images > len(listed):
            raise ValueError(
                f"`train_images` must be at most the number of images in {root / 'train'}, {len(listed)}, "
                f"got {self.train_images}"
            )
        turns: dict[int, int] = {}
        ranked = []
        for path, label in listed:
            turns[label] = turns.get(label, -1) + 1
            ranked.append((turns[label], label, path))
        return [(path, label) for _, label, path in sorted(ranked)[: self.train_images]]


def _listed(root: Path, part: str) -> tuple[list[str], list[tuple[str, int]]]:
    from torchvision.datasets import ImageFolder as Listing

    if not (root / part).is_dir():
        raise DataNotFoundError(
            f"`root` {root} holds no folder {part}; it must hold {LAYOUT}. Create it, or give another `root`"
        )
    try:
        listing = Listing(str(root / part))
    except FileNotFoundError as problem:
        raise DataNotFoundError(f"`root` {root} must hold {LAYOUT}; {problem}") from problem
    return listing.classes, listing.samples
