"""Handwritten digits that come with scikit-learn: 1,797 images of 8 x 8 pixels in 10 classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training.checks import check_count
from training.data.base import Data

IMAGES = 1797


@dataclass(frozen=True, slots=True)
class Digits:
    """The digits, as rows of 64 intensities from 0 to 1.

    Attributes
    ----------
    train_images : int
        Images to train on; all others of the 1,797 are the test set.
    split_seed : int
        Seed of the one split that all runs share.

    Examples
    --------
    >>> from training.data import Digits
    >>> Digits().load().test_inputs.shape
    torch.Size([1597, 64])
    """

    train_images: int = 200
    split_seed: int = 0

    def __post_init__(self) -> None:
        check_count("split_seed", self.split_seed, 0)
        check_count("train_images", self.train_images)
        if self.train_images >= IMAGES:
            raise ValueError(
                f"`train_images` must be at least 1 and below {IMAGES}, got {self.train_images}; "
                "the other images are the test set"
            )

    def load(self) -> Data:
        """Load and split the images."""
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(self.split_seed))
        inputs = (torch.from_numpy(pixels) / 16).to(torch.float32)[order]
        targets = torch.from_numpy(labels).to(torch.int64)[order]
        used = self.train_images
        return Data(inputs[:used], targets[:used], inputs[used:], targets[used:], classes=10)
