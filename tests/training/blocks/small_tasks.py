"""Small networks and data, and how to train them with either engine."""

import numpy as np
import torch
from torch import nn

from training.data.base import Data
from training.optimizers import SGD
from training.perturbations import PartialReset, ShrinkPerturb, StochasticReset
from training.protocols import Periodic
from training.task import Hardware, Task
from training.train import train_runs

METRICS = ("test_accuracy", "test_loss", "train_loss", "train_accuracy")
PERTURBATIONS = [ShrinkPerturb(), StochasticReset(), PartialReset(0.4)]


def perceptron():
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))


class Residual(nn.Module):
    """Not a chain of layers, so that `torch.func.vmap` has to take care of it."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(5, 5), nn.Linear(5, 3, bias=False)
        self.unused = nn.Linear(2, 2)

    def forward(self, inputs):
        return self.last(inputs + self.first(inputs).tanh())


def make_data():
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(80, 5, generator=generator)
    labels = (inputs @ torch.randn(5, 3, generator=generator)).argmax(1)
    return Data(inputs[:30], labels[:30], inputs[30:], labels[30:])


DATA = make_data()


def task(factory=perceptron, optimizer=None, engine="auto", **settings):
    optimizer = optimizer or SGD(0.1, 0.8)
    return Task(
        DATA, factory, optimizer, batch_size=8, hardware=Hardware(device="cpu", engine=engine), **settings
    )


def stack(group, metrics=METRICS):
    return np.stack([group.metrics[name] for name in metrics])


def train(settings, seeds, epochs, perturbation=None, period=None):
    protocol = None if period is None else Periodic(period)
    return stack(train_runs(settings, seeds, epochs, perturbation, protocol))
