"""Blocks of training runs, each trained as a whole: stacked in one computation, or one network at a time."""

from training.blocks.base import Block, Record
from training.blocks.choose import make_block
from training.blocks.run import BlockRun, Stop

__all__ = ["Block", "BlockRun", "Record", "Stop", "make_block"]
