"""What a perturbation acts on: the state of one network, or of many stacked ones, changed in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from training.streams import INITIALISATION, NOISE, torch_seed

Stacked = dict[str, Tensor]
Factory = Callable[[], nn.Module]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which tensors of a network are what.

    Attributes
    ----------
    layers : dict of str to tuple of str
        For each module with parameters of its own, in the order of the network, their names.
    weights : frozenset of str
        Names of the weights of convolutions and linear layers.
    """

    layers: Mapping[str, tuple[str, ...]]
    weights: frozenset[str]

    @classmethod
    def of(cls, network: nn.Module) -> Layout:
        """Read the layout of a network."""
        layers, weights = {}, set()
        for prefix, module in network.named_modules():
            own = tuple(
                f"{prefix}.{name}" if prefix else name for name, _ in module.named_parameters(recurse=False)
            )
            if own:
                layers[prefix] = own
            if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
                weights |= {name for name in own if name.rpartition(".")[2] == "weight"}
        return cls(layers, frozenset(weights))


def _refuse(what: str) -> Callable[[], None]:
    def refuse() -> None:
        raise ValueError(f"`perturbation` asks for {what}, which this training has none of")

    return refuse


@dataclass(frozen=True, slots=True, eq=False)
class NetworkState:
    """State of the runs that are perturbed now.

    Attributes
    ----------
    parameters, buffers : dict of str to (runs, ...) tensor
        To be changed in place.
    layout : Layout
        Which of them are what.
    factory : callable
        Builds a freshly initialised network on the CPU.
    seeds, counts : sequence of int
        Seed of each run, and the number of its perturbation, from 1: random numbers depend on these alone.
    reset_optimizer, restart_schedule, recalibrate : callable
        Forget the state of the optimizer; set the learning-rate schedule back to its start; compute the
        statistics in the buffers anew from training data.
    """

    parameters: Stacked
    buffers: Stacked
    layout: Layout
    factory: Factory
    seeds: Sequence[int]
    counts: Sequence[int]
    reset_optimizer: Callable[[], None] = _refuse("an optimizer reset")
    restart_schedule: Callable[[], None] = _refuse("a restart of the learning-rate schedule")
    recalibrate: Callable[[], None] = _refuse("recalibrated buffers")
    _drawn: list[int] = field(default_factory=lambda: [0])

    @classmethod
    def of_network(
        cls,
        network: nn.Module,
        layout: Layout,
        factory: Factory,
        seed: int,
        count: int,
        *,
        reset_optimizer: Callable[[], None],
        restart_schedule: Callable[[], None],
        recalibrate: Callable[[], None],
    ) -> NetworkState:
        """Return the state of one network: views of its tensors with a first axis of one run."""
        return cls(
            {name: value.data.unsqueeze(0) for name, value in network.named_parameters()},
            {name: value.unsqueeze(0) for name, value in network.named_buffers()},
            layout,
            factory,
            [seed],
            [count],
            reset_optimizer,
            restart_schedule,
            recalibrate,
        )

    def fresh(self) -> tuple[Stacked, Stacked]:
        """Return parameters and buffers of a fresh initialisation of each run, another one at each call."""
        number = self._drawn[0]
        self._drawn[0] += 1
        keys = [(seed, count, number) for seed, count in zip(self.seeds, self.counts, strict=True)]
        parameters, buffers = fresh_stack(self.factory, keys)
        return like(parameters, self.parameters), like(buffers, self.buffers)

    def normal(self, names: Sequence[str]) -> Stacked:
        """Return standard normal numbers shaped as the parameters called ``names``."""
        return self._random(names, lambda shape, generator: torch.randn(shape, generator=generator))

    def uniform(self, names: Sequence[str]) -> Stacked:
        """Return numbers uniform in [-1, 1) shaped as the parameters called ``names``."""
        return self._random(names, lambda shape, generator: torch.rand(shape, generator=generator) * 2 - 1)

    def _random(self, names: Sequence[str], draw: Callable[[torch.Size, torch.Generator], Tensor]) -> Stacked:
        number = self._drawn[0]
        self._drawn[0] += 1
        rows: list[list[Tensor]] = []
        for seed, count in zip(self.seeds, self.counts, strict=True):
            # On the CPU, so that the numbers are the same wherever the network is.
            generator = torch.Generator().manual_seed(torch_seed(seed, NOISE, count, number))
            rows.append([draw(self.parameters[name].shape[1:], generator) for name in names])
        stacks = {
            name: torch.stack(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }
        return like(stacks, self.parameters)


def fresh_stack(factory: Factory, keys: Sequence[tuple[int, ...]]) -> tuple[Stacked, Stacked]:
    """Initialise one network per key and stack parameters and buffers.

    Parameters
    ----------
    factory : callable
        Builds one network on the CPU.
    keys : sequence of tuple of int
        Seed of each run and number of the initialisation: (seed, 0) to start from, (seed, n) for the n-th
        perturbation. The result depends on the key alone; torch's own random state is left as it was.

    Returns
    -------
    two dicts of str to (runs, ...) tensor
        Parameters and buffers.
    """
    parameters, buffers = [], []
    with torch.random.fork_rng(devices=[]):
        for seed, *numbers in keys:
            torch.default_generator.manual_seed(torch_seed(seed, INITIALISATION, *numbers))
            network = factory()
            # Cloned, because a factory may return the same network again.
            parameters.append({name: value.detach().clone() for name, value in network.named_parameters()})
            buffers.append({name: value.detach().clone() for name, value in network.named_buffers()})
    return _stack(parameters), _stack(buffers)


def _stack(states: Sequence[Stacked]) -> Stacked:
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def like(values: Stacked, others: Stacked) -> Stacked:
    """Return the values on the device and in the type of others of the same name, which they must match."""
    for name, other in others.items():
        if name in values and values[name].shape != other.shape:
            raise ValueError(
                f"`factory` builds {name!r} of shape {tuple(values[name].shape[1:])}, the network trained has "
                f"{tuple(other.shape[1:])}; give the factory that built this network"
            )
    return {name: value.to(others[name]) for name, value in values.items() if name in others}
