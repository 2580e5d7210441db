from collections import OrderedDict

import pytest

SEEDS, COUNTS = (3, 11, 4), (1, 2, 7)


class Runs:
    """Runs of one network with every kind of tensor: convolution, batch norm, linear layer, a constant."""

    def __init__(self):
        import torch

        from training.perturbations import NetworkState
        from training.perturbations.state import Layout

        self.torch, self.calls = torch, []
        generator = torch.Generator().manual_seed(8)
        network = self.build()
        self.layout = Layout.of(network)
        self.parameters = {
            name: torch.randn((len(SEEDS), *value.shape), generator=generator)
            for name, value in network.named_parameters()
        }
        self.buffers = {
            name: torch.randn((len(SEEDS), *value.shape), generator=generator).abs().add(0.1).to(value)
            for name, value in network.state_dict().items()
            if name not in self.parameters
        }
        self.buffers["norm.num_batches_tracked"] = torch.tensor([7, 250, 33])
        self.state = NetworkState(
            self.parameters, self.buffers, self.layout, self.build, SEEDS, COUNTS, *self.hooks()
        )
        self.before = {name: value.clone() for name, value in {**self.parameters, **self.buffers}.items()}

    @staticmethod
    def build():
        from torch import nn, ones

        network = nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(2, 4, 3), norm=nn.BatchNorm2d(4), flat=nn.Flatten(), head=nn.Linear(16, 3)
            )
        )
        network.norm.register_buffer("constant", ones(2), persistent=False)
        return network

    def hooks(self):
        return [
            lambda what=what: self.calls.append(what) for what in ("optimizer", "schedule", "calibration")
        ]

    def apply(self, perturbation):
        """Perturb and return all tensors."""
        perturbation.apply(self.state)
        return {**self.parameters, **self.buffers}

    def network(self, run):
        """The network of one run, before it is perturbed."""
        network = self.build()
        network.load_state_dict({name: value[run] for name, value in self.before.items()})
        return network

    def of_network(self, network, seed, count):
        """State of one network."""
        from training.perturbations import NetworkState

        hooks = dict(zip(("reset_optimizer", "restart_schedule", "recalibrate"), self.hooks(), strict=True))
        return NetworkState.of_network(network, self.layout, self.build, seed, count, **hooks)

    def single(self, run):
        """The network of one run alone, and its state."""
        network = self.network(run)
        return network, self.of_network(network, SEEDS[run], COUNTS[run])

    def fresh(self, run, number=0):
        """All tensors of a fresh initialisation, by the rule of the streams."""
        from training.streams import INITIALISATION, torch_seed

        with self.torch.random.fork_rng(devices=[]):
            self.torch.manual_seed(torch_seed(SEEDS[run], INITIALISATION, COUNTS[run], number))
            return self.build().state_dict()

    def numbers(self, run, names, draw="randn", number=0):
        """Random numbers for some parameters, by the rule of the streams."""
        from training.streams import NOISE, torch_seed

        torch = self.torch
        generator = torch.Generator().manual_seed(torch_seed(SEEDS[run], NOISE, COUNTS[run], number))
        shapes = {name: self.before[name].shape[1:] for name in names}
        return {name: getattr(torch, draw)(shape, generator=generator) for name, shape in shapes.items()}

    def check(self, after, rule):
        """Compare every tensor of every run with ``rule(run, name, old)``, bit for bit."""
        assert after.keys() == self.before.keys()
        for name, value in after.items():
            for run in range(len(SEEDS)):
                expected = self.torch.as_tensor(rule(run, name, self.before[name][run]))
                assert self.torch.equal(value[run], expected.to(value)), (name, run, value[run], expected)


@pytest.fixture
def runs():
    """Three runs with random tensors."""
    return Runs()


@pytest.fixture
def make_runs():
    """Makes such runs again, with the same tensors."""
    return Runs
