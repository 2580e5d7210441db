"""Perturbations when a run's own metric calls for them, in an ordinary training loop. Takes about 15 seconds.

A pilot of 25 networks on handwritten digits (8 x 8 pixels, 200 to train on) tells where the plateau of the test
accuracy begins and how it differs from run to run. RUNS more are then trained one after the other to 93 %, each one
perturbed when the chance that its next epoch gets there has become too small; and as often again with a fixed
period. So few runs show how it is done, not which is faster: for that see tests/benchmarks/adaptive.py. The figure
shows the accuracy of each run. Usage: python adaptive_perturbation.py [RUNS] [FIGURE]
"""

import sys
from collections.abc import Callable

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from theory import Ensemble
from theory.adaptive import HazardPolicy
from training import AdaptivePerturber, Perturber
from training.digits import digits_task, train_digits
from training.perturbations import ShrinkPerturb
from training.protocols import Periodic

GOAL, EPOCHS, PILOT_RUNS, PILOT_EPOCHS, PERIOD = 93.0, 100, 25, 65, 25


def pilot() -> HazardPolicy:
    """Train runs without perturbation, and make a policy of them."""
    seeds = np.arange(1000, 1000 + PILOT_RUNS)
    group = train_digits(seeds.tolist(), PILOT_EPOCHS)
    policy = HazardPolicy.from_pilot(Ensemble(group.metrics["test_accuracy"], seeds), None, GOAL)
    law = policy.laws[0]
    print(f"plateau from epoch {policy.settle[0]} on: {law.mean:.2f} %, {law.spread:.2f} from run to run, "
          f"{law.noise:.2f} from epoch to epoch")  # fmt: skip
    return policy


def train(seed: int, make: Callable[..., AdaptivePerturber | Perturber]) -> list[float]:
    """One's own training loop: the accuracy after each epoch, up to the goal."""
    data = digits_task().prepare().data
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    perturber = make(model, optimizer, ShrinkPerturb(), seed=seed)
    accuracies: list[float] = []
    while len(accuracies) < EPOCHS:
        for batch in torch.randperm(data.samples).split(25):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(data.train_inputs[batch]), data.train_targets[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            right = model(data.test_inputs).argmax(1) == data.test_targets
        accuracies.append(100 * right.double().mean().item())
        if accuracies[-1] >= GOAL:
            break
        if perturber.step(accuracies[-1]) if isinstance(perturber, AdaptivePerturber) else perturber.step():
            print(f"    run {seed} perturbed after epoch {len(accuracies)}")
    return accuracies


def main(runs: int = 3, figure: str = "adaptive_perturbation.png") -> None:
    policy = pilot()
    ways = {
        "adaptive": lambda *what, seed: AdaptivePerturber(*what, policy, seed=seed),
        f"every {PERIOD} epochs": lambda *what, seed: Perturber(*what, Periodic(PERIOD), seed=seed),
    }
    _, panels = plt.subplots(2, 1, figsize=(7, 6), sharex=True, sharey=True, layout="constrained")
    for panel, (name, make) in zip(panels, ways.items(), strict=True):
        traces = [train(seed, make) for seed in range(runs)]
        lengths = [len(trace) for trace in traces]
        print(f"{name}: {lengths} epochs, mean {np.mean(lengths):.1f}, at most {EPOCHS}")
        for trace in traces:
            panel.plot(np.arange(1, len(trace) + 1), trace, lw=1)
        panel.axhline(GOAL, color="0.4", lw=0.8, ls=":")
        panel.set(ylabel="test accuracy (%)", ylim=(84, 94), title=name)
    panels[-1].set_xlabel("epoch")
    plt.savefig(figure, dpi=150)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]), *sys.argv[2:3])
