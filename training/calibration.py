"""Running statistics computed anew from training data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


def measure_statistics(network: nn.Module, batches: Iterable[Any], number: int) -> None:
    """Compute the running statistics of batch norm anew, in place.

    The order of the batches, and dropout before a batch norm, are functions of ``number``. torch's own random
    state and the generators of ``batches`` are left as they were.

    Parameters
    ----------
    network : torch.nn.Module
        On any device.
    batches : iterable
        Batches of inputs, or tuples that start with them.
    number : int
        Seed of the random numbers.
    """
    device = next(network.parameters()).device
    generators = _generators(batches)
    before = [generator.get_state() for generator in generators]
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.default_generator.manual_seed(number)
            if device.type == "cuda":
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(number)
            for generator in generators:
                generator.manual_seed(number)
            torch.optim.swa_utils.update_bn(batches, network, device)
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.set_state(state)


def _generators(batches: Any) -> list[torch.Generator]:
    """Generators of a DataLoader and of the samplers that it draws from, one within the other."""
    found: dict[int, torch.Generator] = {}
    for first in (batches, getattr(batches, "batch_sampler", None)):
        part, seen = first, set[int]()
        while part is not None and id(part) not in seen:
            seen.add(id(part))
            generator = getattr(part, "generator", None)
            if isinstance(generator, torch.Generator):
                found[id(generator)] = generator
            part = getattr(part, "sampler", None)
    return list(found.values())
