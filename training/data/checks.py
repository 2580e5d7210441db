"""Checks of the tensors that make up a data set."""

from __future__ import annotations

import torch
from torch import Tensor

from training.checks import check_count

PARTS = ("train", "test")
TENSORS = tuple(f"{part}_{kind}" for part in PARTS for kind in ("inputs", "targets"))


def check_tensors(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError unless the four tensors named in `TENSORS` make up one data set."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(
                f"`{name}` must be a torch tensor, got {type(tensor).__name__}; convert with torch.as_tensor"
            )
    for part in PARTS:
        inputs, targets = tensors[f"{part}_inputs"], tensors[f"{part}_targets"]
        _check_inputs(f"{part}_inputs", inputs)
        _check_targets(f"{part}_targets", targets)
        if len(inputs) == 0 or len(targets) != len(inputs):
            raise ValueError(
                f"`{part}_targets` must hold one target for each of the {len(inputs)} entries of "
                f"`{part}_inputs`, at least one; got shape {tuple(targets.shape)}"
            )
    for kind in ("inputs", "targets"):
        train, test = (tensors[f"{part}_{kind}"] for part in PARTS)
        if train.dtype != test.dtype or train.shape[1:] != test.shape[1:]:
            raise ValueError(
                f"`test_{kind}` must be as `train_{kind}` are, of dtype {train.dtype} and shape "
                f"{_shape(train)}; got {test.dtype} and {_shape(test)}"
            )


def check_normalisation(inputs: Tensor, mean: Tensor | None, std: Tensor | None) -> None:
    """Raise ValueError unless ``mean`` and ``std`` normalise the channels of uint8 ``inputs``, or are None."""
    if (mean is None) != (std is None):
        raise ValueError(
            f"`mean` and `std` go together: give both or neither; got only `{'std' if mean is None else 'mean'}`"
        )
    for name, values in (("mean", mean), ("std", std)):
        if values is None:
            continue
        if inputs.dtype != torch.uint8:
            raise ValueError(
                f"`{name}` is for uint8 images, and the inputs are {inputs.dtype}; normalise them yourself"
            )
        if (
            not isinstance(values, Tensor)
            or not values.is_floating_point()
            or values.shape != inputs.shape[1:2]
        ):
            got = (
                f"{values.dtype} of shape {tuple(values.shape)}"
                if isinstance(values, Tensor)
                else repr(values)
            )
            raise ValueError(
                f"`{name}` must be a float tensor of one value for each of the {inputs.shape[1]} channels, "
                f"in units of pixel / 255; got {got}"
            )
        if not values.isfinite().all() or (name == "std" and not (values > 0).all()):
            raise ValueError(
                f"`{name}` must be finite{' and positive' if name == 'std' else ''}, got {values.tolist()}"
            )


def check_devices(tensors: dict[str, Tensor | None]) -> None:
    """Raise ValueError unless all tensors are on one device."""
    devices = {name: tensor.device for name, tensor in tensors.items() if tensor is not None}
    first, expected = next(iter(devices.items()))
    for name, device in devices.items():
        if device != expected:
            raise ValueError(
                f"`{name}` must be on the device of `{first}`, {expected}, got {device}; "
                "make the data on one device and move them with Data.to"
            )


def count_outputs(tensors: dict[str, Tensor], classes: int | None) -> int:
    """Return how many outputs a network needs; ValueError if labels and ``classes`` do not fit."""
    train = tensors["train_targets"]
    if train.is_floating_point():
        if classes is not None:
            raise ValueError(
                f"`classes` is for integer labels, and the targets are {train.dtype}; leave it out"
            )
        return 1 if train.dim() == 1 else train.shape[1]
    if classes is not None:
        check_count("classes", classes)
    most = 0
    for part in PARTS:
        labels = tensors[f"{part}_targets"]
        low, high = int(labels.min()), int(labels.max())
        if low < 0:
            raise ValueError(
                f"`{part}_targets` must hold labels of at least 0, got {low}; number the classes from 0"
            )
        if classes is not None and high >= classes:
            raise ValueError(
                f"`{part}_targets` must hold labels below `classes`, {classes}, got {high}; "
                "number the classes from 0"
            )
        most = max(most, high)
    return most + 1 if classes is None else int(classes)


def _check_inputs(name: str, inputs: Tensor) -> None:
    if inputs.is_floating_point() and inputs.dim() >= 2 and inputs.shape[1:].numel() > 0:
        return
    if inputs.dtype == torch.uint8 and inputs.dim() == 4 and inputs.shape[1:].numel() > 0:
        return
    raise ValueError(
        f"`{name}` must be floats (samples, ...) of at least one value a sample, or uint8 images (samples, "
        f"channels, height, width); got {inputs.dtype} of shape {tuple(inputs.shape)}"
    )


def _check_targets(name: str, targets: Tensor) -> None:
    if targets.dtype == torch.int64 and targets.dim() == 1:
        return
    if targets.is_floating_point() and (targets.dim() == 1 or (targets.dim() == 2 and targets.shape[1] > 0)):
        return
    raise ValueError(
        f"`{name}` must be int64 labels (samples,), or floats (samples,) or (samples, outputs) for "
        f"regression; got {targets.dtype} of shape {tuple(targets.shape)}"
    )


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(['samples', *map(str, tensor.shape[1:])])})"
