"""An ordinary training loop with all its states, small networks, and one perturbation of every kind."""

import io

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from training import Perturber
from training.perturbations import (
    LayerReset,
    OptimizerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WeightNoise,
)
from training.protocols import Periodic

NOTHING = ShrinkPerturb(1, 0, optimizer="keep")
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.01),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 0.01),
}
ALL = [
    ShrinkPerturb(0.4, 0.1),
    ShrinkPerturb(0.5, 0.1, source="gaussian", buffers="scale", optimizer="keep"),
    StochasticReset(),
    PartialReset(0.3, buffers="reset"),
    LayerReset(last=1),
    WeightNoise(0.1, relative=True),
    OptimizerReset(),
]


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(64, 3)
    )


def images(count=24, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 1, 6, 6, generator=generator)
    return TensorDataset(inputs, torch.randint(3, (count,), generator=generator))


class Saved:
    """Saves and loads the states of its parts, and of the random numbers."""

    def save(self):
        file = io.BytesIO()
        states = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save({**states, "random": torch.get_rng_state()}, file)
        return file.getvalue()

    def load(self, saved):
        states = torch.load(io.BytesIO(saved), weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(states[name])
        torch.set_rng_state(states["random"])


class Training(Saved):
    """An ordinary training loop, with all its states."""

    def __init__(self, perturbation=None, protocol=None, *, optimizer="sgd", seed=5, schedule=None, **needed):
        torch.manual_seed(1)
        self.model = network()
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.scheduler = None if schedule is None else schedule(self.optimizer)
        self.loader = DataLoader(images(), batch_size=8, shuffle=True)
        self.perturber, self.orders = None, []
        if perturbation is not None:
            self.perturber = Perturber(
                self.model,
                self.optimizer,
                perturbation,
                protocol,
                seed=seed,
                scheduler=self.scheduler,
                **needed,
            )

    def epoch(self):
        self.model.train()
        for inputs, labels in self.loader:
            self.orders.append(labels.tolist())
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(inputs), labels).backward()
            self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        return self.perturber is not None and self.perturber.step()

    def epochs(self, count):
        return [self.epoch() for _ in range(count)]

    def parts(self):
        all_parts = {
            "model": self.model,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "perturber": self.perturber,
        }
        return {name: part for name, part in all_parts.items() if part is not None}


def copied(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def small(perturbation=NOTHING, protocol=None, seed=0, **needed):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return Perturber(model, optimizer, perturbation, protocol or Periodic(2), seed=seed, **needed)
