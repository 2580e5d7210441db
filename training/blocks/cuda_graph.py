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

    The graph reads the indices of the batch, and a learning rate that is a tensor on the device, when it is
    replayed. A rate that is a number is what it was at the capture: where it has changed, the step is captured
    again. What the warm-up changes is put back. The gradients that the graph writes live in its own memory; a
    plain step in between does not disturb it.
    """

    def __init__(self) -> None:
        self._graph: torch.cuda.CUDAGraph | None = None
        self._indices: Tensor | None = None
        self._rates: list[float] = []

    def __call__(self, run: NetworkRun, indices: Tensor) -> None:
        """Train the network of ``run`` on the samples ``indices``."""
        if self._indices is None:
            self._indices = indices.clone()
            self._warm_up(run, self._indices)
        rates = [float(group["lr"]) for group in run.optimizer.param_groups if not _on_device(group["lr"])]
        if self._graph is None or rates != self._rates:
            self._graph = None  # its memory is free before the next capture
            self._graph, self._rates = self._capture(run, self._indices), rates
        self._indices.copy_(indices)
        self._graph.replay()

    def _warm_up(self, run: NetworkRun, indices: Tensor) -> None:
        parameters = run.optimized()
        tensors = [*run.network.parameters(), *run.network.buffers(), run.totals]
        before = [value.detach().clone() for value in tensors]
        kept = [
            {name: value.clone() for name, value in run.optimizer.state[parameter].items()}
            for parameter in parameters
        ]
        torch.cuda.synchronize(run.prepared.device)
        assert run.stream is not None
        with torch.cuda.stream(run.stream):
            for _ in range(WARM_UP):
                run.plain_step(indices)
        torch.cuda.synchronize(run.prepared.device)
        with torch.no_grad():
            for value, old in zip(tensors, before, strict=True):
                value.copy_(old)
            for parameter, states in zip(parameters, kept, strict=True):
                for name, value in run.optimizer.state[parameter].items():
                    value.copy_(states[name]) if name in states else value.zero_()

    def _capture(self, run: NetworkRun, indices: Tensor) -> torch.cuda.CUDAGraph:
        run.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=run.stream):
            run.plain_step(indices)
        return graph


def _on_device(rate: float | Tensor) -> bool:
    return isinstance(rate, Tensor) and rate.is_cuda
