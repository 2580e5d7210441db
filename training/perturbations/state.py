"""What a perturbation acts on: the state of one network, or of many stacked ones, changed in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from training.streams import ALONE, INITIALISATION, NOISE, torch_seed

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
        # A parameter that layers share goes by the name of the first of them, in every list.
        names = {id(value): name for name, value in network.named_parameters()}
        layers, weights = {}, set()
        for prefix, module in network.named_modules():
            own = dict(module.named_parameters(recurse=False))
            if own:
                layers[prefix] = tuple(names[id(value)] for value in own.values())
            if isinstance(module, nn.Linear | nn.modules.conv._ConvNd) and "weight" in own:
                weights.add(names[id(own["weight"])])
        return cls(layers, frozenset(weights))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Stands for something that a training does not have; raises when it is called."""

    what: str

    def __call__(self) -> None:
        """Raise a ValueError."""
        raise ValueError(f"`perturbation` asks for {self.what}, which this training has none of")


@dataclass(frozen=True, slots=True, eq=False)
class NetworkState:
    """State of the runs that are perturbed now.

    Attributes
    ----------
    parameters, buffers : dict of str to (runs, ...) tensor
        To be changed in place. Buffers are those of the ``state_dict``; others hold constants. Without those that
        are frozen.
    layout : Layout
        Which of them are what.
    factory : callable
        Builds a freshly initialised network on the CPU.
    seeds, counts : sequence of int
        Seed of each run, and the number of its perturbation, from 1: random numbers depend on these alone.
    reset_optimizer, restart_schedule, recalibrate : callable
        Forget the state of the optimizer; set the learning-rate schedule back to its start; compute the
        statistics in the buffers anew from training data.
    frozen : frozenset of str
        Names of the parameters that are not trained (``requires_grad=False``), and of the buffers of layers of which
        no parameter is; they are left alone.
    """

    parameters: Stacked
    buffers: Stacked
    layout: Layout
    factory: Factory
    seeds: Sequence[int]
    counts: Sequence[int]
    reset_optimizer: Callable[[], None] = Refusal("an optimizer reset")
    restart_schedule: Callable[[], None] = Refusal("a restart of the learning-rate schedule")
    recalibrate: Callable[[], None] = Refusal("recalibrated buffers")
    frozen: frozenset[str] = frozenset()
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
        frozen = frozen_names(network)
        return cls(
            {n: value.data.unsqueeze(0) for n, value in network.named_parameters() if n not in frozen},
            {n: value.unsqueeze(0) for n, value in stored_buffers(network).items() if n not in frozen},
            layout,
            factory,
            [seed],
            [count],
            reset_optimizer,
            restart_schedule,
            recalibrate,
            frozen,
        )

    def fresh(self) -> tuple[Stacked, Stacked]:
        """Return parameters and buffers of a fresh initialisation of each run, another one at each call."""
        number = self._drawn[0]
        self._drawn[0] += 1
        keys = [(seed, count, number) for seed, count in zip(self.seeds, self.counts, strict=True)]
        parameters, buffers = (
            {name: value for name, value in part.items() if name not in self.frozen}
            for part in fresh_stack(self.factory, keys)
        )
        check_alike(parameters, self.parameters)
        check_alike(buffers, self.buffers)
        return _moved(parameters, self.parameters), _moved(buffers, self.buffers)

    def normal(self, names: Sequence[str]) -> Stacked:
        """Return standard normal numbers shaped as the parameters called ``names``."""
        return self._random(names, torch.randn)

    def uniform(self, names: Sequence[str]) -> Stacked:
        """Return numbers uniform in [-1, 1) shaped as the parameters called ``names``."""
        return self._random(names, lambda *shape, **own: torch.rand(*shape, **own) * 2 - 1)

    def _random(self, names: Sequence[str], draw: Callable[..., Tensor]) -> Stacked:
        number = self._drawn[0]
        self._drawn[0] += 1
        rows: list[list[Tensor]] = []
        for seed, count in zip(self.seeds, self.counts, strict=True):
            # On the CPU and in one type, so that the numbers are the same wherever and whatever the network is.
            generator = torch.Generator().manual_seed(torch_seed(seed, NOISE, count, number))
            same: dict[str, Any] = {"generator": generator, "device": "cpu", "dtype": torch.float32}
            rows.append([draw(self.parameters[name].shape[1:], **same) for name in names])
        stacks = {
            name: torch.stack(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }
        return _moved(stacks, self.parameters)


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
    with ALONE, torch.random.fork_rng(devices=[]), torch.device("cpu"):
        for seed, *numbers in keys:
            torch.default_generator.manual_seed(torch_seed(seed, INITIALISATION, *numbers))
            network = factory()
            # Cloned, because a factory may return the same network again.
            parameters.append({name: value.detach().clone() for name, value in network.named_parameters()})
            buffers.append({name: value.detach().clone() for name, value in stored_buffers(network).items()})
    return stack(parameters), stack(buffers)


def stack(states: Sequence[Stacked]) -> Stacked:
    """Stack the tensors of several runs along a first axis."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def frozen_names(network: nn.Module) -> frozenset[str]:
    """Return the names of what is not trained: parameters, and buffers of layers whose parameters are all frozen."""
    frozen = {name for name, value in network.named_parameters() if not value.requires_grad}
    for prefix, module in network.named_modules():
        own = list(module.parameters(recurse=False))
        if own and not any(value.requires_grad for value in own):
            frozen |= {name for name, _ in module.named_buffers(prefix, recurse=False)}
    return frozenset(frozen)


def stored_buffers(network: nn.Module) -> Stacked:
    """Return the buffers that the ``state_dict`` of a network holds, by name."""
    passing = {
        id(module._buffers[name])
        for module in network.modules()
        for name in module._non_persistent_buffers_set
    }
    return {name: value for name, value in network.named_buffers() if id(value) not in passing}


def check_alike(built: Stacked, trained: Stacked) -> None:
    """Raise unless what a factory builds has the names and shapes of what is trained; both (runs, ...)."""
    for name, value in trained.items():
        if name not in built or built[name].shape[1:] != value.shape[1:]:
            found = f"of shape {tuple(built[name].shape[1:])}" if name in built else "not at all"
            raise ValueError(
                f"`factory` builds {name!r} {found}, the network trained has it of shape "
                f"{tuple(value.shape[1:])}; give the factory that built this network"
            )
    more = [name for name in built if name not in trained]
    if more:
        raise ValueError(
            f"`factory` builds {more[0]!r}, which the network trained has not; "
            "give the factory that built this network"
        )


def _moved(values: Stacked, others: Stacked) -> Stacked:
    return {name: value.to(others[name]) for name, value in values.items()}
