"""The module behind `ResNet18`, in a file of its own because it loads torchvision."""

from __future__ import annotations

from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet


class SmallResNet18(ResNet):  # type: ignore[misc]
    """ResNet-18 with a first convolution of 3 x 3 pixels at stride 1, and no pooling after it.

    Parameters
    ----------
    channels : int
        Channels of the images.
    outputs : int
        Outputs of the last layer.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=outputs)
        self.conv1 = nn.Conv2d(channels, 64, kernel_size=3, stride=1, padding=1, bias=False)
        self.maxpool = nn.Identity()
        _initialise(self.conv1)

    def reset_parameters(self) -> None:
        """Initialise all convolutions as the constructor does; all other layers do it themselves alike."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _initialise(module)


def _initialise(convolution: nn.Conv2d) -> None:
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
