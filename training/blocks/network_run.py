"""One network in training: its steps, its evaluation, its perturbation, its state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from training.blocks.cuda_graph import CapturedStep
from training.calibration import measure_statistics
from training.losses import correct
from training.optimizers.zero_start import check_zero_start
from training.perturbations import NetworkState, Perturbation
from training.perturbations.state import Layout
from training.streams import CALIBRATION, INITIALISATION, torch_seed
from training.task import Prepared

EVALUATED_SAMPLES = 1000
"""Samples evaluated together."""


class NetworkRun:
    """A network, its optimizer, and the sums of the epoch.

    Attributes
    ----------
    seed : int
        Of the run.
    totals : (2,) tensor
        Sum of the training losses, and number of samples classified correctly, of this epoch.
    stream : torch.cuda.Stream or None
        Where its kernels are queued in this epoch.
    """

    def __init__(self, prepared: Prepared, seed: int) -> None:
        self.prepared, self.seed = prepared, seed
        device, hardware = prepared.device, prepared.task.hardware
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed(seed, INITIALISATION, 0))
            network = prepared.factory()
        self.layout = Layout.of(network)
        layout = torch.channels_last if hardware.channels_last else torch.preserve_format
        self.network: nn.Module = network.to(device).to(memory_format=layout)
        self.forward = torch.compile(self.network) if hardware.compile else self.network
        self.stream: torch.cuda.Stream | None = None
        graphs = device.type == "cuda" and hardware.cuda_graphs
        trained = [value for value in self.network.parameters() if value.requires_grad]
        self.optimizer = prepared.task.optimizer.build(trained, capturable=graphs)
        if graphs:
            check_zero_start(self.optimizer)
        self.totals = torch.zeros(2, dtype=torch.float64, device=device)
        self.captured = CapturedStep() if graphs else None

    def begin_epoch(self, rate: float, stream: torch.cuda.Stream | None) -> None:
        """Set the learning rate and the stream, and the sums to zero."""
        self.stream = stream
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self.totals.zero_()
        self.network.train()

    def step(self, indices: Tensor) -> None:
        """Train on the samples ``indices``."""
        if self.captured is not None and len(indices) == self.prepared.task.batch_size:
            self.captured(self, indices)
        else:
            self.plain_step(indices)

    def plain_step(self, indices: Tensor) -> None:
        """Train on the samples ``indices``, one operation after the other."""
        data = self.prepared.data
        targets = data.train_targets[indices]
        outputs = self._outputs(data.train_inputs[indices])
        losses = self.prepared.loss(outputs, targets)
        self.optimizer.zero_grad(set_to_none=True)
        losses.mean().backward()
        self.optimizer.step()
        self.totals[0] += losses.detach().sum()
        if data.classification:
            self.totals[1] += correct(outputs.detach(), targets).sum()

    def _outputs(self, inputs: Tensor) -> Tensor:
        hardware, device = self.prepared.task.hardware, self.prepared.device
        prepared = self.prepared.data.prepare(inputs, channels_last=hardware.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=hardware.precision == "bfloat16"):
            outputs: Tensor = self.forward(prepared)
        return outputs.float()

    @torch.no_grad()
    def evaluate(self) -> dict[str, Tensor]:
        """Return the metrics of the test set."""
        data = self.prepared.data
        self.network.eval()
        outputs = torch.cat([self._outputs(part) for part in data.test_inputs.split(EVALUATED_SAMPLES)])
        score = {"test_loss": self.prepared.loss(outputs, data.test_targets).double().mean()}
        if data.classification:
            score["test_accuracy"] = 100 * correct(outputs, data.test_targets).mean()
        for metric in self.prepared.task.metrics:
            score[metric.name] = torch.as_tensor(metric.function(outputs, data.test_targets))
        return score

    def perturb(self, perturbation: Perturbation, count: int) -> bool:
        """Perturb for the time that ``count`` says; return whether the learning-rate schedule starts again."""
        restarted: list[bool] = []
        state = NetworkState.of_network(
            self.network,
            self.layout,
            self.prepared.factory,
            self.seed,
            count,
            reset_optimizer=self._reset_optimizer,
            restart_schedule=lambda: restarted.append(True),
            recalibrate=lambda: self._recalibrate(count),
        )
        perturbation.apply(state)
        return bool(restarted)

    def _reset_optimizer(self) -> None:
        if self.captured is None:
            fresh = self.prepared.task.optimizer.build(self.optimized())
            self.optimizer.state.clear()
            self.optimizer.state.update(fresh.state)  # some set it up before the first step
            return
        # Zero is where the state of these optimizers starts; the tensors stay those of the captured step.
        for state in self.optimizer.state.values():
            for value in state.values():
                if isinstance(value, Tensor):
                    value.zero_()

    def _recalibrate(self, count: int) -> None:
        measure_statistics(self.network, self._calibration(), torch_seed(self.seed, CALIBRATION, count))

    def _calibration(self) -> Iterator[Tensor]:
        data, hardware = self.prepared.data, self.prepared.task.hardware
        for part in data.train_inputs.split(EVALUATED_SAMPLES):
            yield data.prepare(part, channels_last=hardware.channels_last)

    def optimized(self) -> list[nn.Parameter]:
        """Return the parameters of all groups of the optimizer."""
        return [value for group in self.optimizer.param_groups for value in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all tensors, on the CPU."""
        held = self.network.state_dict()
        passing = {name: value for name, value in self.network.named_buffers() if name not in held}
        return {
            "network": {name: value.cpu().clone() for name, value in held.items()},
            "passing": {name: value.cpu().clone() for name, value in passing.items()},
            "optimizer": [
                {
                    name: value.cpu().clone() if isinstance(value, Tensor) else value
                    for name, value in self.optimizer.state[parameter].items()
                    if isinstance(value, Tensor | int | float)
                }
                for parameter in self.optimized()
            ],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take all tensors from such copies, in place."""
        self.network.load_state_dict(state["network"])
        for name, value in state.get("passing", {}).items():  # older states hold none
            self._load_passing(name, value)
        for parameter, stored in zip(self.optimized(), state["optimizer"], strict=True):
            own = self.optimizer.state[parameter]
            for name, value in stored.items():
                if not isinstance(value, Tensor):
                    own[name] = value
                elif isinstance(own.get(name), Tensor):
                    own[name].copy_(value)
                elif value.dim() == 0:  # a count of steps, which a captured step reads on the device
                    own[name] = (
                        value.clone() if self.captured is None else value.to(parameter.device, copy=True)
                    )
                else:
                    own[name] = value.to(parameter, copy=True)
            if not stored:
                del self.optimizer.state[parameter]

    def _load_passing(self, name: str, value: Tensor) -> None:
        """Take a buffer that is in no ``state_dict``; a forward pass may have made or resized it."""
        own = dict(self.network.named_buffers()).get(name)
        if own is not None and own.shape == value.shape:
            own.copy_(value)  # a captured step reads this one
        else:
            owner, _, leaf = name.rpartition(".")
            setattr(self.network.get_submodule(owner), leaf, value.to(self.prepared.device, copy=True))
