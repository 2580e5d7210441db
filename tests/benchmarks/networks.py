"""Speed of training. Usage: python networks.py [cpu|gpu] [REPEATS]

cpu: 100 networks on the digits, stacked and one at a time, with the same results (a minute).
gpu: ResNet-18 on 50,000 images of 32 x 32 in batches of 125, as in arXiv:2502.04121: the plain loop (eager,
autocast, channels last, batches taken on the GPU) against the engine, and the share of the GPU's bf16 peak. The
images are random unless CIFAR10_FOLDER names a tree train/CLASS/*.jpg, test/CLASS/*.jpg; with it, the accuracies
after 10 epochs are compared as well. Medians; ratios are of rows of one call. Without an argument: what is there.
Not named training.py: the folder of a script comes first in the search for modules.
"""

import os
import platform
import statistics
import sys
import time
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from training import Hardware, Task
from training.blocks import BlockRun, make_block
from training.data.base import Data
from training.digits import digits_task
from training.networks import ResNet18
from training.optimizers import SGD
from training.task import Prepared

SEEDS, EPOCHS = 100, 20
PEAK_BF16 = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense peak of the tensor cores, by the data sheets."""


def median(call, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def plain_digits(prepared: Prepared, seeds: int, evaluate: bool) -> list[tuple[float, float]]:
    """One network after the other, as anybody would write it."""
    data, scores = prepared.data, []
    for seed in range(seeds):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
        for _ in range(EPOCHS):
            for batch in torch.randperm(data.samples).split(prepared.task.batch_size):
                loss = nn.functional.cross_entropy(
                    network(data.train_inputs[batch]), data.train_targets[batch]
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if evaluate:
                with torch.no_grad():
                    logits = network(data.test_inputs)
                    right = (logits.argmax(1) == data.test_targets).double().mean().item()
                    scores.append((nn.functional.cross_entropy(logits, data.test_targets).item(), right))
    return scores


def engine(prepared: Prepared, seeds: int, epochs: int = EPOCHS) -> BlockRun:
    run = BlockRun(prepared, range(seeds), epochs)
    while not run.finished:
        run.step()
    return run


def train_alone(prepared: Prepared, seeds: int) -> None:
    block = make_block(prepared, range(seeds))
    rng = np.random.default_rng(0)
    for _ in range(EPOCHS):
        block.train(np.stack([rng.permutation(prepared.data.samples) for _ in range(seeds)]), [0.05] * seeds)


def cpu(repeats: int) -> None:
    tasks = {
        kind: replace(digits_task(), hardware=Hardware(device="cpu", engine=kind))
        for kind in ("stacked", "single")
    }
    stacked, single = (tasks[kind].prepare() for kind in ("stacked", "single"))
    few = SEEDS // 10
    print(f"Digits, 200 to train on, 1,597 to test with, network 64-64-64-10, {EPOCHS} epochs, {SEEDS} seeds")
    works = {
        "train and test": (
            (f"plain loop, one at a time, {few} seeds", 10, lambda: plain_digits(single, few, True)),
            (f"engine, single, {few} seeds", 10, lambda: engine(single, few)),
            (f"engine, stacked, {SEEDS} seeds", 1, lambda: engine(stacked, SEEDS)),
        ),
        "train alone": (
            (f"plain loop, one at a time, {few} seeds", 10, lambda: plain_digits(single, few, False)),
            (f"engine, stacked, {SEEDS} seeds", 1, lambda: train_alone(stacked, SEEDS)),
        ),
    }
    for work, rows in works.items():
        # In turns, so that what else the machine does meets all rows alike.
        rounds = [[factor * median(call, 1) for _, factor, call in rows] for _ in range(repeats)]
        times = [statistics.median(column) for column in zip(*rounds, strict=True)]
        for (name, _, _), seconds in zip(rows, times, strict=True):
            speed = f"{SEEDS * EPOCHS / seconds:11.0f} epochs/s"
            print(f"{work + ': ' + name:<56s}{seconds:8.2f} s{speed}{times[0] / seconds:8.1f}x")
    first, second = engine(stacked, few).traces, engine(single, few).traces
    apart = max(np.abs(first[n] / second[n] - 1).max() for n in ("test_loss", "train_loss"))
    print(f"largest relative difference of a loss, stacked against single: {apart:.1e}")


def images() -> Data:
    folder = os.environ.get("CIFAR10_FOLDER")
    if folder:
        from training.data import ImageFolder

        return ImageFolder(folder).load()
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (60_000, 3, 32, 32), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 10, (60_000,), generator=generator)
    half = torch.full((3,), 0.5)
    return Data(pixels[:50_000], labels[:50_000], pixels[50_000:], labels[50_000:], half, half, 10)


def plain_resnet(data: Data, epochs: int, seed: int) -> float:
    """Eager loop in mixed precision with channels last; returns the test accuracy, per cent."""
    torch.manual_seed(seed)
    network = ResNet18().build(data.input_shape, 10).to("cuda", memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    for _ in range(epochs):
        network.train()
        for batch in torch.randperm(data.samples, device="cuda").split(125):
            inputs = data.prepare(data.train_inputs[batch], channels_last=True)
            with torch.autocast("cuda", torch.bfloat16):
                loss = nn.functional.cross_entropy(network(inputs), data.train_targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad(), torch.autocast("cuda", torch.bfloat16):
        parts = [network(data.prepare(part, channels_last=True)) for part in data.test_inputs.split(1000)]
    return 100 * (torch.cat(parts).argmax(1) == data.test_targets).double().mean().item()


def training_flops() -> int:
    """Floating-point operations of a step of ResNet-18 on one image, forwards and backwards."""
    network = ResNet18().build((3, 32, 32), 10)
    with FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, 32, 32)).sum().backward()
    return counter.get_total_flops()


def gpu(repeats: int) -> None:
    name = torch.cuda.get_device_name()
    data = images().to("cuda")
    hardware = Hardware(device="cuda", precision="bfloat16", channels_last=True)
    task = Task(data, ResNet18(), SGD(0.01, 0.0), batch_size=125, drop_last=True, hardware=hardware)
    kinds = {"CUDA graphs, 1 network": {"concurrent": 1}}
    kinds |= {f"CUDA graphs, {n} networks in flight": {"concurrent": n} for n in (2, 4, 8)}
    kinds["torch.compile + CUDA graphs, 4 in flight"] = {"concurrent": 4, "compile": True}
    plain_resnet(data, 1, 0)
    base = median(lambda: (plain_resnet(data, 1, 0), torch.cuda.synchronize()), repeats)
    print(
        f"{name}; ResNet-18, {data.samples:,d} images of {data.input_shape}, batch 125, bf16, channels last"
    )
    peak = next((value for key, value in PEAK_BF16.items() if key in name), None)

    def show(label: str, seconds: float) -> None:
        share = (
            "" if peak is None else f"{100 * training_flops() * data.samples / seconds / peak:7.1f} % of peak"
        )
        print(f"{label:<44s}{seconds:8.2f} s/epoch{base / seconds:8.2f}x{share}", flush=True)

    show("plain loop", base)
    for label, changes in kinds.items():
        run = BlockRun(
            replace(task, hardware=replace(hardware, **changes)).prepare(), range(changes["concurrent"]), 99
        )
        run.step()
        show(label, median(run.step, repeats) / changes["concurrent"])
    if os.environ.get("CIFAR10_FOLDER"):
        seeds, epochs = 8, 10
        plain = [plain_resnet(data, epochs, seed) for seed in range(seeds)]
        ours = engine(task.prepare(), seeds, epochs).traces["test_accuracy"][:, -1]
        for label, values in (("plain loop", plain), ("engine", ours)):
            print(
                f"accuracy after {epochs} epochs, {label:<12s}{np.mean(values):7.2f} +- {np.std(values, ddof=1):.2f}"
            )


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores, medians of {repeats}"
    )
    if what in ("", "cpu"):
        cpu(repeats)
    if what == "gpu" or (what == "" and torch.cuda.is_available()):
        gpu(repeats)
    elif what == "":
        print("There is no CUDA device: ResNet-18 is left out.")


if __name__ == "__main__":
    main()
