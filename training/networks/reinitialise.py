"""A network initialised anew in place, layer by layer, as its layers do it when they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)
HOLDERS = (nn.ParameterList, nn.ParameterDict)


def unwrap(module: nn.Module) -> nn.Module:
    """Return the network within `torch.compile`, DistributedDataParallel and DataParallel, or ``module``."""
    while (inner := _inner(module)) is not None:
        module = inner
    return module


def reset_parameters(module: nn.Module) -> None:
    """Initialise a network anew in place, with torch's global random numbers.

    Calls ``reset_parameters`` (or ``_reset_parameters``, as in `torch.nn.MultiheadAttention`) of every
    submodule that has it: of the inner modules first, in the order in which they were added, then of the one
    that holds them. A module with such a method is taken to initialise all parameters and buffers of its own,
    those in a ParameterList or ParameterDict of its own included.

    A network whose constructor initialises its layers in another way than they do themselves must say so in a
    ``reset_parameters`` of its own; otherwise what comes out differs from a new network, which cannot be
    noticed here. The models of torchvision are such networks; `ResNet18` does say so.

    Parameters
    ----------
    module : torch.nn.Module
        The network, wrapped or not; see `unwrap`.

    Raises
    ------
    ValueError
        If `check_resettable` does; then nothing has changed.

    Examples
    --------
    >>> import torch
    >>> from training.networks import reset_parameters
    >>> layer = torch.nn.BatchNorm1d(1)
    >>> _ = layer.weight.data.fill_(3)
    >>> reset_parameters(layer)
    >>> layer.weight.item()
    1.0
    """
    check_resettable(module)
    with torch.no_grad():
        for _, part in _inner_first(module):
            if (reset := _method(part)) is not None:
                reset()


def check_resettable(module: nn.Module) -> None:
    """Raise ValueError unless `reset_parameters` can initialise all of ``module``.

    The error names the parameters and buffers that no method initialises, and those shared by layers of
    different types, of which the initialisation would be that of the last.
    """
    owners: dict[int, nn.Module] = {}
    names: dict[int, str] = {}
    shared = []
    for prefix, part in _inner_first(module):
        for name, tensor in _own(part):
            key = id(tensor)
            names.setdefault(key, f"{prefix}.{name}" if prefix else name)
            if _method(part) is None or _is_hooked(part):
                continue
            if type(owners.setdefault(key, part)) is not type(part):
                shared.append(names[key])
    missed = [name for key, name in names.items() if key not in owners]
    if missed:
        raise ValueError(
            f"`module` has parameters or buffers that no `reset_parameters` initialises: {', '.join(missed)}; "
            "give a factory that makes a new network, or define `reset_parameters` on the module that owns them"
        )
    if shared:
        raise ValueError(
            f"`module` has parameters shared by layers that initialise them differently: {', '.join(shared)}; "
            "give a factory that makes a new network"
        )


def _inner(module: nn.Module) -> nn.Module | None:
    if "_orig_mod" in module._modules:  # of torch.compile, without loading the compiler
        return module._modules["_orig_mod"]
    return module.module if isinstance(module, WRAPPERS) else None


def _inner_first(
    module: nn.Module, prefix: str = "", seen: set[int] | None = None
) -> Iterator[tuple[str, nn.Module]]:
    # Each module once, as Module.modules does, but after the modules within it.
    seen = set() if seen is None else seen
    module = unwrap(module)
    if id(module) in seen:
        return
    seen.add(id(module))
    for name, part in module.named_children():
        if not (isinstance(part, HOLDERS) and _method(module) is not None):
            yield from _inner_first(part, f"{prefix}.{name}" if prefix else name, seen)
    yield prefix, module


def _own(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters(recurse=False)
    yield from module.named_buffers(recurse=False)
    if _method(module) is not None:
        for name, part in module.named_children():
            if isinstance(part, HOLDERS):
                yield from part.named_parameters(prefix=name)


def _method(module: nn.Module) -> Callable[[], Any] | None:
    for name in ("reset_parameters", "_reset_parameters"):
        method: Callable[[], Any] | None = getattr(module, name, None)
        if callable(method):
            return method
    return None


def _is_hooked(module: nn.Module) -> bool:
    # The older weight_norm and spectral_norm, and pruning, put the weight together from parameters that the
    # layer does not know, just before each call.
    hooks = module._forward_pre_hooks.values()
    return any(type(hook).__module__.startswith("torch.nn.utils.") for hook in hooks)
