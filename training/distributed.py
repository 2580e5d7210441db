"""Several processes that train one network together, and what they must agree on."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import nn

Number = TypeVar("Number", int, float)


def process_group(model: nn.Module) -> Any:
    """The processes that train the model together, None for this one alone; compiled or not."""
    for module in model.modules():
        if isinstance(module, nn.parallel.DistributedDataParallel):
            return module.process_group
    return None


def of_first_process(model: nn.Module, value: Number) -> Number:
    """The value that process 0 has, in all processes that train the model together."""
    if (group := process_group(model)) is None:
        return value
    shared = [value]
    torch.distributed.broadcast_object_list(
        shared, src=torch.distributed.get_global_rank(group, 0), group=group
    )
    return shared[0]
