"""ResNet-18 for small images."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from training.networks.checks import check_images, check_shape


@dataclass(frozen=True, slots=True)
class ResNet18:
    """ResNet-18 (He et al., arXiv:1512.03385) as it is commonly used on images of 32 x 32 pixels.

    That of torchvision, except that the first convolution is of 3 x 3 pixels at stride 1, initialised like
    all others, and no pooling follows it. Images of any size and number of channels.

    Examples
    --------
    >>> from training.networks import ResNet18
    >>> sum(weights.numel() for weights in ResNet18().build((3, 32, 32), 10).parameters())
    11173962
    """

    def build(self, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
        """Return the network for images (channels, height, width), initialised as torchvision does it."""
        from training.networks.small_resnet import SmallResNet18

        check_shape(input_shape, outputs)
        check_images("ResNet18", input_shape)
        return SmallResNet18(input_shape[0], outputs)
