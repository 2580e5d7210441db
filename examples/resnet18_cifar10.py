"""ResNet-18 on CIFAR-10, as in arXiv:2502.04121, from the first runs to confirmed ones.

Unperturbed runs, two perturbations at one period, the prediction, and fresh runs at the best period.
Usage: python resnet18_cifar10.py [IMAGES] [FOLDER] [CIFAR10]. IMAGES: training images; 50000 with a CUDA device,
500 without. FOLDER: of the study, which can be interrupted and called again. CIFAR10: a folder train/CLASS/*.jpg,
test/CLASS/*.jpg, or one in which torchvision finds or puts its download; "random" for random images. Below 5,000
images it is a test that everything works, 2 epochs of 2 networks: 2 minutes on two cores for 500 images, and no
prediction. With all of them, 32 networks of 60 epochs under 3 protocols, it wants a GPU: an epoch of one network took
0.9 s on an NVIDIA H200, the 4,480 epochs would take more than an hour. examples/data holds a smaller study.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from theory import rank, relaxation
from training import Hardware, Task, TrainingStudy, Treatment, read_study, run_study
from training.data import CIFAR10, Data, ImageFolder
from training.networks import ResNet18
from training.optimizers import SGD
from training.perturbations import paper_partial, paper_shrink_perturb
from training.protocols import Periodic

PERIOD = 20


@dataclass(frozen=True)
class RandomImages:
    """Images without meaning, where there are no others."""

    train_images: int

    def load(self) -> Data:
        """Draw the images."""
        generator = torch.Generator().manual_seed(0)
        size = (self.train_images + 20, 3, 32, 32)
        pixels = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
        labels = torch.randint(0, 10, size[:1], generator=generator)
        cut = self.train_images
        return Data(pixels[:cut], labels[:cut], pixels[cut:], labels[cut:], classes=10)


@dataclass(frozen=True)
class FewToTest:
    """Data with every hundredth test image alone, where there is no time for all."""

    whole: CIFAR10 | ImageFolder

    def load(self) -> Data:
        """Load the whole data and take a part."""
        data = self.whole.load()
        return replace(data, test_inputs=data.test_inputs[::100], test_targets=data.test_targets[::100])


def source(where: str, images: int) -> CIFAR10 | ImageFolder | FewToTest | RandomImages:
    if where == "random":
        return RandomImages(images)
    folder = (Path(where) / "train").is_dir()
    whole = ImageFolder(where, train_images=images) if folder else CIFAR10(where, train_images=images)
    return whole if images >= 5000 else FewToTest(whole)


def main(images: int, folder: str, where: str) -> None:
    real = images >= 5000
    on_gpu = torch.cuda.is_available()
    hardware = Hardware(precision="bfloat16" if on_gpu else "float32", channels_last=on_gpu, concurrent=4)
    batch = 125 if images >= 250 else max(2, images // 3)
    task = Task(
        source(where, images), ResNet18(), SGD(0.01, 0.0), batch_size=batch, drop_last=True, hardware=hardware
    )
    period = PERIOD if real else 1
    study = TrainingStudy(
        task,
        epochs=60 if real else 2,
        seeds=tuple(range(32 if real else 2)),
        treatments=(
            Treatment(paper_shrink_perturb(), Periodic(period)),
            Treatment(paper_partial(0.2), Periodic(period)),
        ),
        block_size=8,
        keep_checkpoints=False,
    )
    report = run_study(study, folder, progress=sys.stderr.isatty())
    print(
        f"trained {report.epochs_trained} epochs for {report.epochs_independent}: {', '.join(report.groups)}"
    )
    runs = read_study(report.path)
    print(f"test accuracy after the last epoch: {runs.unperturbed.values[:, -1].mean():.2f} %")
    if not real:
        return

    qss = relaxation(runs.unperturbed)
    print(f"quasi-steady state: {qss.verdict}; {qss.reason}")
    late = runs.unperturbed.values[:, PERIOD:]
    threshold = round(float(late.mean() + 0.5 * late.std()), 1)
    best = rank(runs, threshold, qss=qss).optima[0]
    print(f"for {threshold} %: {best.perturbation} every {best.prediction.period} epochs, {best.speedup}")
    fresh = replace(
        next(t for t in study.treatments if t.name == best.perturbation),
        protocol=Periodic(best.prediction.period),
        seeds=tuple(range(1000, 1032)),
    )
    # Only these runs are trained now.
    report = run_study(
        replace(study, treatments=(*study.treatments, fresh)), folder, progress=sys.stderr.isatty()
    )
    print(f"confirmed: {rank(read_study(report.path), threshold).optima[0].confirmation}")


if __name__ == "__main__":
    given = sys.argv[1:]
    defaults = ["50000" if torch.cuda.is_available() else "500", "resnet18", "cifar10"]
    number, *places = given + defaults[len(given) :]
    main(int(number), *places)
