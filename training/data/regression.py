"""Functions to learn from noisy samples, from scikit-learn: the three problems of Friedman."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from training.checks import check_count, check_number
from training.data.base import Data

Function = Literal["friedman1", "friedman2", "friedman3"]


@dataclass(frozen=True, slots=True)
class Regression:
    """Predict a function of 10 (friedman1) or 4 inputs; inputs and targets standardised.

    The functions are those of Friedman, Annals of Statistics 19 (1991) 1, and Breiman, Machine Learning 24
    (1996) 123, as in `sklearn.datasets.make_friedman1`, 2 and 3. Mean and standard deviation of the training
    samples, noise included, standardise all samples; test targets carry noise as well.

    Attributes
    ----------
    samples, test_samples : int
        Samples to train on, at least 2, and to test with, at least 1.
    noise : float
        Standard deviation of the noise on the targets, in their units before they are standardised:
        without noise these vary by about 5 (friedman1), 380 (friedman2) and 0.3 (friedman3).
    split_seed : int
        Seed of the samples, which all runs share.
    function : {"friedman1", "friedman2", "friedman3"}
        What to learn.

    Examples
    --------
    >>> from training.data import Regression
    >>> Regression(samples=50).load().input_shape
    (10,)
    """

    samples: int = 400
    test_samples: int = 1000
    noise: float = 0.5
    split_seed: int = 0
    function: Function = "friedman1"

    def __post_init__(self) -> None:
        check_count("samples", self.samples, 2)
        check_count("test_samples", self.test_samples)
        check_count("split_seed", self.split_seed, 0)
        if self.split_seed >= 2**32:
            raise ValueError(f"`split_seed` must be below 2**32, got {self.split_seed}")
        check_number("noise", self.noise)
        if not (math.isfinite(self.noise) and self.noise >= 0):
            raise ValueError(f"`noise` must be at least 0 and finite, got {self.noise}")
        if self.function not in get_args(Function):
            raise ValueError(
                f"`function` must be one of {', '.join(get_args(Function))}, got {self.function!r}"
            )

    def load(self) -> Data:
        """Draw the samples and standardise them."""
        from sklearn import datasets

        draw = getattr(datasets, f"make_{self.function}")
        count = self.samples + self.test_samples
        drawn = draw(n_samples=count, noise=self.noise, random_state=self.split_seed)
        inputs, targets = (torch.from_numpy(values) for values in drawn)
        inputs, targets = (
            ((values - values[: self.samples].mean(0)) / values[: self.samples].std(0, correction=0)).float()
            for values in (inputs, targets)
        )
        used = self.samples
        return Data(inputs[:used], targets[:used], inputs[used:], targets[used:])
