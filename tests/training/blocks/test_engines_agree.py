"""Both engines against each other, and their optimizers against those of torch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.optimizers import SGD, AdamW, Cosine  # noqa: E402
from training.perturbations import PartialReset, WarmRestart  # noqa: E402
from training.protocols import Poisson  # noqa: E402
from training.train import train_runs  # noqa: E402

from .small_tasks import stack, task  # noqa: E402

UPDATES = [
    {"optimizer": SGD(0.1, 0.8, weight_decay=0.01)},
    {"optimizer": SGD(0.1, 0.8, nesterov=True)},
    {"optimizer": SGD(0.1, 0.0, weight_decay=0.01)},
    {"optimizer": AdamW(0.01)},
    {"optimizer": AdamW(0.01, beta1=0.8, weight_decay=0.0)},
    {"schedule": Cosine(4, 0.1)},
    {"optimizer": AdamW(0.02), "schedule": Cosine(4, 0.1)},
    {"drop_last": True},
]


@pytest.mark.parametrize(
    ("perturbation", "settings"),
    [
        *((PartialReset(0.4, optimizer="reset"), settings) for settings in UPDATES),
        # A warm restart acts on the schedule alone.
        *((WarmRestart(), settings) for settings in UPDATES if "schedule" in settings),
        (WarmRestart(), UPDATES[0]),
    ],
    ids=repr,
)
def test_both_engines_agree_even_where_runs_are_perturbed_at_different_times(settings, perturbation):
    groups = [
        train_runs(task(engine=engine, **settings), range(4), 9, perturbation, Poisson(0.3))
        for engine in ("stacked", "single")
    ]
    np.testing.assert_allclose(stack(groups[0]), stack(groups[1]), rtol=5e-4)
    plain = stack(train_runs(task(engine="stacked", **settings), range(4), 9))
    moved = np.abs(stack(groups[0]) / plain - 1).max() > 0.01
    # A warm restart changes nothing where there is no schedule.
    assert moved == (isinstance(perturbation, PartialReset) or "schedule" in settings)


def test_optimizers_are_those_of_torch():
    for settings in (SGD(0.1, 0.8, 0.01, True), AdamW(0.02, 0.8, 0.95, 1e-6, 0.1)):
        value = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
        stacked = {"weight": value.clone()}
        rule = settings.stacked(stacked)
        singles = [nn.Parameter(row.clone()) for row in value]
        optimizers = [settings.build([single]) for single in singles]
        for step in range(5):
            gradient = torch.randn(3, 4, generator=torch.Generator().manual_seed(10 + step))
            rule.step(stacked, [gradient], torch.full((3,), settings.learning_rate, dtype=torch.float64))
            for single, optimizer, row in zip(singles, optimizers, gradient, strict=True):
                single.grad = row.clone()
                optimizer.step()
        torch.testing.assert_close(
            stacked["weight"], torch.stack([s.data for s in singles]), rtol=1e-5, atol=1e-6
        )
