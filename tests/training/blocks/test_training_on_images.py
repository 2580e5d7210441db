"""Convolutional networks on images: which engine trains them, with which statistics and precision."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training.blocks import BlockRun  # noqa: E402
from training.blocks.single import SingleBlock  # noqa: E402
from training.blocks.stacked import StackedBlock  # noqa: E402
from training.data.base import Data  # noqa: E402
from training.networks import ResNet18, SmallCNN  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import ShrinkPerturb  # noqa: E402
from training.protocols import Periodic  # noqa: E402
from training.task import Hardware, Task  # noqa: E402
from training.train import train_runs  # noqa: E402


@dataclass(frozen=True)
class Images:
    """Uint8 images of two classes, with a third that never occurs."""

    def load(self):
        generator = torch.Generator().manual_seed(3)
        images = torch.randint(0, 256, (48, 3, 8, 8), generator=generator, dtype=torch.uint8)
        labels = torch.arange(48) % 2
        images[labels == 1, 0] //= 4
        return Data(
            images[:32], labels[:32], images[32:], labels[32:], torch.full((3,), 0.5), torch.ones(3), 3
        )


@pytest.mark.parametrize(
    ("network", "seeds"),
    [(SmallCNN((4, 8)), [1, 2]), (SmallCNN((4,), "batch"), [1, 2]), (ResNet18(), [1])],
    ids=str,
)
def test_images_train_and_statistics_are_perturbed(network, seeds):
    settings = Task(Images(), network, SGD(0.02), batch_size=16, hardware=Hardware(device="cpu"))
    assert isinstance(
        BlockRun(settings.prepare(), [1], 1).block,
        StackedBlock if network == SmallCNN((4, 8)) else SingleBlock,
    )
    kick = ShrinkPerturb(0.5, 0.1, buffers="recalibrate")
    group = train_runs(settings, seeds, 2, kick, Periodic(1))
    assert np.isfinite(group.metrics["test_loss"]).all()
    again = train_runs(settings, seeds, 2, kick, Periodic(1))
    assert np.array_equal(group.metrics["train_loss"], again.metrics["train_loss"])
    last = Hardware(device="cpu", channels_last=True, precision="bfloat16")
    mixed = train_runs(replace(settings, hardware=last), seeds, 1)
    assert np.allclose(mixed.metrics["train_loss"], group.metrics["train_loss"][:, :1], rtol=0.2)
