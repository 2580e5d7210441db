"""A training step captured once as a CUDA graph and replayed: no launch costs, no work for the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from training.blocks.network_run import NetworkRun

WARM_UP = 3
"""Steps before the capture, in which cuDNN chooses its algorithms and the optimizer makes its state."""


class CapturedStep:
    """Replays the step of a network on batches of the full size.

    The graph reads the indices of the batch from a fixed tensor. What the warm-up changes is put back. The
    gradients that the graph writes live in its own memory; a plain step in between does not disturb it.
    """

    def __init__(self, run: NetworkRun) -> None:
        self.run = run
        self.graph: torch.cuda.CUDAGraph | None = None
        self.indices: Tensor | None = None

    def __call__(self, indices: Tensor) -> None:
        """Train on the samples ``indices``."""
        if self.graph is None or self.indices is None:
            self.indices = indices.clone()
            self.graph = self._capture(self.indices)
        self.indices.copy_(indices)
        self.graph.replay()

    def _capture(self, indices: Tensor) -> torch.cuda.CUDAGraph:
        run = self.run
        before = [value.detach().clone() for value in self._tensors()]
        kept = [
            {name: value.clone() for name, value in run.optimizer.state[parameter].items()}
            for parameter in run.optimizer.param_groups[0]["params"]
        ]
        torch.cuda.synchronize(run.prepared.device)
        assert run.stream is not None
        with torch.cuda.stream(run.stream):
            for _ in range(WARM_UP):
                run.plain_step(indices)
        torch.cuda.synchronize(run.prepared.device)
        with torch.no_grad():
            for value, old in zip(self._tensors(), before, strict=True):
                value.copy_(old)
            for parameter, states in zip(run.optimizer.param_groups[0]["params"], kept, strict=True):
                for name, value in run.optimizer.state[parameter].items():
                    value.copy_(states[name]) if name in states else value.zero_()
        run.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=run.stream):
            run.plain_step(indices)
        return graph

    def _tensors(self) -> list[Tensor]:
        network = self.run.network
        return [*network.parameters(), *network.buffers(), self.run.totals]
