"""Data sets to train on, each a frozen dataclass of settings whose ``load()`` gives a `Data`.

`Data` holds training and test samples as tensors; its ``prepare`` turns stored samples into what a network
takes. To add a data set, write a class with ``load()`` in a file of its own and name it in `DATA_SETS`.
"""

from typing import Any

from training.data.base import Data
from training.data.cifar import CIFAR10, CIFAR100
from training.data.digits import Digits
from training.data.errors import DataNotFoundError
from training.data.image_folder import ImageFolder
from training.data.regression import Regression

DATA_SETS: dict[str, Any] = {
    "digits": Digits,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "image-folder": ImageFolder,
    "regression": Regression,
}

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "DATA_SETS",
    "Data",
    "DataNotFoundError",
    "Digits",
    "ImageFolder",
    "Regression",
]
