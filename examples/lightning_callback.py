"""Shrink and perturb in a training with PyTorch Lightning, by a callback of 30 lines. Takes about 10 seconds.

`PerturberCallback` is for copying. It counts training epochs and perturbs between the validation of one and the start
of the next, when checkpoints have been saved and learning rates set; a training that goes on from a checkpoint goes on
with its perturbations. Shown on three clouds of points, on the CPU: trained at once, and in two halves with a
checkpoint between them. Nothing is written into the working folder. Usage: python lightning_callback.py [POINTS]
"""

import logging
import sys
import tempfile
import warnings
from typing import Any

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from training import Perturber
from training.perturbations import Perturbation, ShrinkPerturb
from training.protocols import Periodic, Protocol

EPOCHS, PERIOD = 12, 3


class PerturberCallback(lightning.Callback):
    """Perturbs the network of a LightningModule every so many epochs."""

    def __init__(self, perturbation: Perturbation, protocol: Protocol, seed: int = 0, **needed: Any) -> None:
        self.arguments = perturbation, protocol
        self.needed = {"seed": seed, **needed}
        self.perturber: Perturber | None = None
        self.saved: dict[str, Any] = {}

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Build the perturber, now that there is an optimizer, and give it the state of a checkpoint."""
        state = self.state_dict()
        self.perturber = Perturber(
            trainer.strategy.model, trainer.optimizers[0], *self.arguments, **self.needed
        )
        if state:
            self.perturber.load_state_dict(state)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Perturb if it is time; the epoch before is over, its checkpoint holds the network as it was validated."""
        if self.perturber.epoch < trainer.current_epoch and self.perturber.step():
            print(f"perturbed after epoch {self.perturber.epoch}")

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return self.saved if self.perturber is None else self.perturber.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep what a checkpoint holds until there is a perturber."""
        self.perturber, self.saved = None, state_dict


class Classifier(lightning.LightningModule):
    """A perceptron that tells three clouds apart."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3))
        self.accuracies: list[float] = []

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        """Return the loss of a batch."""
        inputs, labels = batch
        return nn.functional.cross_entropy(self.network(inputs), labels)

    def validation_step(self, batch: Any, index: int) -> None:
        """Record the accuracy; there is one batch."""
        inputs, labels = batch
        if not self.trainer.sanity_checking:
            self.accuracies.append((self.network(inputs).argmax(1) == labels).float().mean().item())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return torch.optim.SGD(self.parameters(), 0.05, momentum=0.9)


def clouds(points: int, seed: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (points,), generator=generator)
    centres = torch.tensor([[0.0, 1.5], [1.3, -0.7], [-1.3, -0.7]])
    return TensorDataset(centres[labels] + torch.randn(points, 2, generator=generator), labels)


def fit(points: int, epochs: int, folder: str, start: str | None = None) -> tuple[Classifier, str]:
    """Train up to an epoch, from the beginning or from a checkpoint, and save one."""
    lightning.seed_everything(1, verbose=False)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=[PerturberCallback(ShrinkPerturb(0.4, 0.1), Periodic(PERIOD), seed=1)],
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Classifier()
    batches = DataLoader(clouds(points, 1), batch_size=32), DataLoader(clouds(points, 2), batch_size=points)
    trainer.fit(model, *batches, ckpt_path=start)
    checkpoint = f"{folder}/epoch-{epochs}.ckpt"
    trainer.save_checkpoint(checkpoint)
    return model, checkpoint


def main(points: int = 600) -> None:
    # Data this small need no worker processes; what lightning asks of torch is of no concern here.
    warnings.filterwarnings("ignore", message=".*does not have many workers|.*LeafSpec")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        whole, _ = fit(points, EPOCHS, folder)
        for epoch, accuracy in enumerate(whole.accuracies, 1):
            print(f"epoch {epoch:2d}  accuracy {accuracy:.3f}")
        print("the same again, in two halves")
        _, checkpoint = fit(points, EPOCHS // 2, folder)
        resumed, _ = fit(points, EPOCHS, folder, checkpoint)
    same = all(map(torch.equal, whole.parameters(), resumed.parameters()))
    print(f"resumed from a checkpoint: {'the same' if same else 'other'} weights at the end")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]))
