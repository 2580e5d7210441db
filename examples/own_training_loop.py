"""From one's own PyTorch model and training loop to "perturb like this, every P epochs".

All that a search needs: a training function that yields the accuracy after each epoch, and the names of what to try.
Takes about a minute on two cores; an argument gives another budget in epochs.
"""

import sys

import torch
from sklearn.datasets import load_digits
from torch import nn

from theory.search import OwnLoop, SearchSettings, search
from training import Perturber
from training.perturbations import PartialReset, ShrinkPerturb
from training.protocols import Never, Periodic

torch.set_num_threads(1)  # so small a network gains nothing from more
IMAGES, LABELS = (torch.tensor(each) for each in load_digits(return_X_y=True))
IMAGES = IMAGES.float() / 16
WHAT = {"shrink_perturb": ShrinkPerturb(0.5, 0.1), "partial_reset": PartialReset(0.9)}


def train(seed, perturbation, period):
    """Train on the first 100 digits; yield the accuracy on the others after each epoch."""
    order = torch.Generator().manual_seed(seed)  # of its own, because several runs are under way at once
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    when = Periodic(period) if perturbation else Never()
    perturber = Perturber(model, optimizer, WHAT.get(perturbation, ShrinkPerturb()), when, seed=seed)
    while True:
        for batch in torch.randperm(100, generator=order).split(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(IMAGES[batch]), LABELS[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            right = model(IMAGES[100:]).argmax(1) == LABELS[100:]
        yield 100 * right.float().mean().item()  # outside of no_grad, which would reach beyond this run
        perturber.step()


budget = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
loop = OwnLoop(
    train, list(WHAT), goal=81.5, epochs=100, periods=[2, 5, 10, 15, 20, 30, 50], metric="accuracy"
)
result = search(loop, SearchSettings(thresholds=(81.5,), budget=budget), on_step=lambda step: print(step.why))
print(result.answers[0].sentence)
