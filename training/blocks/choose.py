"""How the runs of a block are computed: stacked where the network allows it and is small, else singly."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from training.blocks.base import Block
from training.blocks.single import SingleBlock
from training.blocks.stacked import StackedBlock
from training.stacked import check_stackable
from training.task import Prepared

LARGEST_STACKED = 200_000
"""Largest number of parameters that is stacked unasked: a choice, not a measured crossing."""


def make_block(prepared: Prepared, seeds: Sequence[int]) -> Block:
    """Return the runs of ``seeds``, freshly initialised.

    Raises
    ------
    ValueError
        If the hardware settings ask for stacking and the network, or the loss, cannot be stacked.
    """
    engine = prepared.task.hardware.engine
    if engine == "single":
        return SingleBlock(prepared, seeds)
    with torch.random.fork_rng(devices=[]):
        network = prepared.factory()
    try:
        check_stackable(network)
    except ValueError:
        if engine == "stacked":
            raise
        return SingleBlock(prepared, seeds)
    small = sum(value.numel() for value in network.parameters()) <= LARGEST_STACKED
    if not small and engine == "auto":
        return SingleBlock(prepared, seeds)
    block = StackedBlock(prepared, seeds)
    try:
        block.attempt()
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as problem:
        if engine == "stacked":
            raise ValueError(
                f'`engine` is "stacked", but torch cannot compute this network, or its loss, for many runs at once: '
                f"{_first_line(problem)}; recurrent layers, random numbers in `forward` and branches on values have no "
                'such form: give Hardware(engine="single"), or "auto", which chooses'
            ) from problem
        return SingleBlock(prepared, seeds)
    return block


def _first_line(problem: RuntimeError) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
