"""The forward pass of many copies of one network at once, their parameters stacked along a first axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from training.perturbations.state import Stacked

Forward = Callable[[Stacked, Tensor], Tensor]

ELEMENTWISE = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.LeakyReLU, nn.Identity)
RANDOM = (nn.modules.dropout._DropoutNd, nn.RReLU)


def stacked_forward(network: nn.Module, dimensions: int = 2) -> Forward:
    """Return the forward pass of many copies of ``network`` at once.

    Parameters
    ----------
    network : torch.nn.Module
        Gives the structure; its parameters are not used.
    dimensions : int, optional
        Number of axes of a batch of inputs for one network.

    Returns
    -------
    callable
        Maps stacked parameters and inputs (runs, samples, ...) to logits (runs, samples, classes).
    """
    check_stackable(network)
    if dimensions == 2 and _is_perceptron(network):
        return lambda parameters, inputs: _perceptron(network, parameters, inputs)
    return torch.func.vmap(
        lambda parameters, inputs: torch.func.functional_call(network, parameters, (inputs,))
    )


def check_stackable(network: nn.Module) -> None:
    """Raise unless copies of ``network`` can be trained stacked: no buffers, no random layers, all trained."""
    for name, layer in network.named_modules():
        if list(layer.buffers(recurse=False)) or isinstance(layer, RANDOM):
            raise ValueError(
                f"`network` is one with the layer {name!r}, {layer}; layers with buffers or random "
                'numbers of their own (batch norm, dropout) cannot be stacked: use layer norm, or the engine "single"'
            )
    trained = [parameter.requires_grad for parameter in network.parameters()]
    if not trained or not all(trained):
        raise ValueError(
            "`network` must be one of which every parameter is trained, at least one; "
            f"got {sum(trained)} of {len(trained)}"
        )


def _is_perceptron(network: nn.Module) -> TypeGuard[nn.Sequential]:
    if type(network) is not nn.Sequential:
        return False
    if any(type(layer) not in (nn.Linear, *ELEMENTWISE) for layer in network):
        return False
    # Layers that share or reparametrise their weights have other names than these.
    expected = {
        f"{name}.{part}"
        for name, layer in zip(network._modules, network, strict=True)
        for part in ("weight", "bias")
        if getattr(layer, part, None) is not None
    }
    return expected == {name for name, _ in network.named_parameters()}


def _perceptron(network: nn.Sequential, parameters: Stacked, values: Tensor) -> Tensor:
    # Does what vmap would, in less time: one multiply-and-add for all runs and no dispatch.
    ours = False
    for name, layer in zip(network._modules, network, strict=True):
        if isinstance(layer, nn.Linear):
            weight, bias = parameters[f"{name}.weight"], parameters.get(f"{name}.bias")
            if bias is None:
                values = values @ weight.mT
            elif torch.is_grad_enabled() and not torch.is_autocast_enabled(values.device.type):
                values = _StackedLinear.apply(values, weight, bias)
            else:
                values = _affine(values, weight, bias)
            ours = not torch.is_grad_enabled()
        elif ours and type(layer) is nn.ReLU:
            values = values.relu_()
        else:
            values, ours = layer(values), False
    return values


NARROW = 16
"""Outputs of a linear layer below which the product is done the other way round: 64 to 10 takes 1/2.7 on a CPU."""


def _affine(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if weight.shape[1] < NARROW:
        return torch.baddbmm(bias.unsqueeze(2), weight, values.mT).mT
    return torch.baddbmm(bias.unsqueeze(1), values, weight.mT)


class _StackedLinear(torch.autograd.Function):
    """A linear layer whose gradient of the weights is laid out as they are: the optimizer's sums are faster."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(values, weight)
        return _affine(values, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        values, weight = ctx.saved_tensors
        inputs = torch.bmm(gradient, weight) if ctx.needs_input_grad[0] else None
        return inputs, torch.bmm(gradient.mT, values), gradient.sum(1)
