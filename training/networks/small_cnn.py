"""A small convolutional network."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Literal, get_args

from torch import nn

from training.networks.checks import check_images, check_shape, check_units

Normalisation = Literal["group", "batch", "none"]
GROUPS = 8


@dataclass(frozen=True, slots=True)
class SmallCNN:
    """Convolutions of 3 x 3 pixels, each followed by normalisation, ReLU and 2 x 2 max pooling; then a linear layer.

    Attributes
    ----------
    channels : tuple of int
        Channels of each convolution, at least one.
    normalisation : {"group", "batch", "none"}
        Group normalisation with 8 groups, or as many as the greatest common divisor of 8 and the channels;
        batch normalisation, whose statistics of a batch couple the samples; or none.

    Examples
    --------
    >>> from training.networks import SmallCNN
    >>> sum(weights.numel() for weights in SmallCNN().build((3, 32, 32), 10).parameters())
    25626
    """

    channels: tuple[int, ...] = (16, 32)
    normalisation: Normalisation = "group"

    def __post_init__(self) -> None:
        check_units("channels", self.channels)
        if not self.channels:
            raise ValueError("`channels` must hold at least one number, got (); use MLP for no convolution")
        if self.normalisation not in get_args(Normalisation):
            raise ValueError(
                f"`normalisation` must be one of {', '.join(get_args(Normalisation))}, got {self.normalisation!r}"
            )

    def build(self, input_shape: tuple[int, ...], outputs: int) -> nn.Sequential:
        """Return the network for images (channels, height, width), initialised as torch does it by default.

        Raises
        ------
        ValueError
            If the inputs are not images, or too small to be halved by every pooling.
        """
        check_shape(input_shape, outputs)
        check_images("SmallCNN", input_shape)
        width, *pixels = input_shape
        least = 2 ** len(self.channels)
        if min(pixels) < least:
            raise ValueError(
                f"`input_shape` must be at least {least} x {least} pixels for the {len(self.channels)} poolings of "
                f"`channels` {self.channels}, got {pixels[0]} x {pixels[1]}; give fewer `channels`"
            )
        layers: list[nn.Module] = []
        for channels in self.channels:
            # A bias before batch normalisation would have no effect; group normalisation has its own.
            bias = self.normalisation == "none"
            layers += [nn.Conv2d(width, channels, 3, padding=1, bias=bias), *self._normalisation(channels)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            width = channels
        features = width * (pixels[0] // least) * (pixels[1] // least)
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, outputs))

    def _normalisation(self, channels: int) -> list[nn.Module]:
        if self.normalisation == "group":
            return [nn.GroupNorm(gcd(GROUPS, channels), channels)]
        return [nn.BatchNorm2d(channels)] if self.normalisation == "batch" else []
