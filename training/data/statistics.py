"""Mean and standard deviation of the channels of images."""

from __future__ import annotations

import torch
from torch import Tensor

# Images at once: the sums are taken in float64, eight times as large as the images.
IMAGES_AT_ONCE = 1000


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel over all pixels of all images.

    Parameters
    ----------
    images : Tensor
        uint8, of shape (samples, channels, height, width).

    Returns
    -------
    mean, std : Tensor
        float32, of shape (channels,), in units of pixel / 255. The standard deviation is that of the
        population; for a channel of one constant value it is given as 1, so that it can be divided by.

    Examples
    --------
    >>> import torch
    >>> from training.data.statistics import channel_statistics
    >>> mean, std = channel_statistics(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1))
    >>> mean.item(), std.item()
    (0.5, 0.5)
    """
    total, squares = torch.zeros(2, images.shape[1], dtype=torch.float64)
    for part in images.split(IMAGES_AT_ONCE):
        pixels = part.double()
        total += pixels.sum((0, 2, 3))
        squares += pixels.square_().sum((0, 2, 3))
    count = images.numel() // images.shape[1]
    # Sums of whole numbers below 2**53 are exact, and so is this difference where they are not too many.
    variance = (count * squares - total.square()) / count**2
    std = variance.clamp(min=0).sqrt() / 255
    return (total / count / 255).float(), torch.where(std > 0, std, 1.0).float()
