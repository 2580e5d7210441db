"""A data set in memory: training and test samples as tensors on one device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from training.data.checks import TENSORS, check_devices, check_normalisation, check_tensors, count_outputs


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """A task: samples to train on and samples to test with.

    Attributes
    ----------
    train_inputs, test_inputs : Tensor
        Floats of shape (samples, ...), or uint8 images of shape (samples, channels, height, width).
    train_targets, test_targets : Tensor
        For classification int64 labels of shape (samples,), from 0; for regression floats of shape (samples,)
        or (samples, outputs).
    mean, std : Tensor, optional
        For uint8 images: what `prepare` subtracts from each channel and then divides it by, of shape
        (channels,), in units of pixel / 255. Without them the pixels are scaled to 0..1.
    classes : int, optional
        Number of classes, where the labels need not hold the highest one.

    Raises
    ------
    ValueError
        If the tensors do not fit together.

    Examples
    --------
    >>> import torch
    >>> from training.data import Data
    >>> data = Data(torch.ones(5, 3), torch.tensor([0, 1, 2, 1, 0]), torch.ones(2, 3), torch.tensor([1, 0]))
    >>> data.samples, data.input_shape, data.outputs
    (5, (3,), 3)
    """

    train_inputs: Tensor
    train_targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor
    mean: Tensor | None = None
    std: Tensor | None = None
    classes: int | None = None
    _affine: tuple[Tensor, Tensor] | None = field(init=False, repr=False)
    _outputs: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tensors = {name: getattr(self, name) for name in TENSORS}
        check_tensors(tensors)
        check_normalisation(self.train_inputs, self.mean, self.std)
        check_devices({**tensors, "mean": self.mean, "std": self.std})
        object.__setattr__(self, "_outputs", count_outputs(tensors, self.classes))
        object.__setattr__(self, "_affine", self._scale_and_shift())

    def _scale_and_shift(self) -> tuple[Tensor, Tensor] | None:
        # (pixel / 255 - mean) / std = scale * pixel + shift, for each channel.
        if self.train_inputs.dtype != torch.uint8:
            return None
        channels = self.train_inputs.shape[1]
        mean = torch.zeros(channels) if self.mean is None else self.mean.cpu().double()
        std = torch.ones(channels) if self.std is None else self.std.cpu().double()
        both = (1 / (255 * std.double()), -mean.double() / std)
        scale, shift = (part.to(self.train_inputs.device, torch.float32).view(-1, 1, 1) for part in both)
        return scale, shift

    @property
    def samples(self) -> int:
        """Number of training samples."""
        return len(self.train_inputs)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the inputs of one sample."""
        return tuple(self.train_inputs.shape[1:])

    @property
    def classification(self) -> bool:
        """Whether the targets are labels; otherwise they are numbers to predict."""
        return not self.train_targets.is_floating_point()

    @property
    def outputs(self) -> int:
        """Outputs that a network needs: the number of classes, or of numbers to predict for a sample."""
        return self._outputs

    def to(self, device: torch.device | str) -> Data:
        """Return the same data on another device."""
        moved = {name: getattr(self, name) for name in (*TENSORS, "mean", "std")}
        return replace(self, **{name: t.to(device) for name, t in moved.items() if t is not None})

    def prepare(
        self, inputs: Tensor, dtype: torch.dtype = torch.float32, channels_last: bool = False
    ) -> Tensor:
        """Return what a network takes: normalised images, or floats as they are.

        Parameters
        ----------
        inputs : Tensor
            Inputs of some samples, with any number of leading axes, such as (runs, batch, channels, height,
            width). On the device of the data.
        dtype : torch.dtype, optional
            Floating type of the result; images are normalised in float32 whatever it is.
        channels_last : bool, optional
            Lay out 4-D images in memory with the channels last, which convolutions on a GPU like. Inputs of
            any other number of axes are returned in the usual layout.

        Raises
        ------
        ValueError
            If the inputs are neither floats nor images with the channels of this data set.
        """
        last = channels_last and inputs.dim() == 4
        if inputs.dtype == torch.uint8 and self._affine is not None:
            scale, shift = self._affine
            if inputs.dim() < 3 or inputs.shape[-3] != len(scale):
                raise ValueError(
                    f"`inputs` must be images (..., {len(scale)}, height, width), got shape {tuple(inputs.shape)}"
                )
            if last:  # before the type changes: a quarter of the bytes to move
                inputs = inputs.contiguous(memory_format=torch.channels_last)
            prepared = torch.addcmul(shift, inputs, scale).to(dtype)
        elif inputs.is_floating_point():
            prepared = inputs.to(dtype)
        else:
            raise ValueError(
                f"`inputs` must be floats or have the type of the data set, {self.train_inputs.dtype}, "
                f"got {inputs.dtype}"
            )
        return prepared.contiguous(memory_format=torch.channels_last) if last else prepared

    def digest(self) -> str:
        """Return the SHA-256 of all contents, in hexadecimal digits; the same on every device."""
        digest = hashlib.sha256(f"outputs {self.outputs}".encode())
        for name in (*TENSORS, "mean", "std"):
            tensor = getattr(self, name)
            if tensor is not None:
                digest.update(f"; {name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
                digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return digest.hexdigest()
