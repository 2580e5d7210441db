"""Every kind of data, network, optimizer and schedule from a file."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from training.data import CIFAR10, CIFAR100, DATA_SETS, Digits, ImageFolder, Regression  # noqa: E402
from training.networks import MLP, NETWORKS, ResNet18, SmallCNN  # noqa: E402
from training.optimizers import OPTIMIZERS, SCHEDULES, SGD, AdamW, Constant, Cosine, Step  # noqa: E402

DATA = {
    "digits": ("split_seed = 3", lambda folder: Digits(split_seed=3)),
    "cifar10": (
        'root = "data"\ndownload = false',
        lambda folder: CIFAR10(str(folder / "data"), download=False),
    ),
    "cifar100": ('root = "~/data"', lambda folder: CIFAR100(str(folder / "home" / "data"))),
    "image-folder": ('root = "/images"\nsize = 32', lambda folder: ImageFolder("/images", 32)),
    "regression": (
        'noise = 1\nfunction = "friedman2"',
        lambda folder: Regression(noise=1.0, function="friedman2"),
    ),
}


@pytest.mark.parametrize("kind", DATA_SETS)
def test_data(load, folder, kind):
    keys, made = DATA[kind]
    study = load(f'epochs = 1\nseeds = 1\n[data]\nkind = "{kind}"\n{keys}\n[network]\nkind = "mlp"\n')
    assert study.task.data == made(folder)


NETWORK = {
    "mlp": ('hidden = []\nactivation = "tanh"', MLP((), "tanh")),
    "cnn": ('channels = [8]\nnormalisation = "none"', SmallCNN((8,), "none")),
    "resnet18": ("", ResNet18()),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_networks(load, kind):
    keys, made = NETWORK[kind]
    study = load(f'epochs = 1\nseeds = 1\n[data]\nkind = "digits"\n[network]\nkind = "{kind}"\n{keys}\n')
    assert study.task.network == made


STEPS = {"sgd": ("nesterov = true", SGD(nesterov=True)), "adamw": ("beta1 = 0.5", AdamW(beta1=0.5))}
RATES = {
    "constant": ("", Constant()),
    "cosine": ("epochs = 5\nfloor = 0.1", Cosine(5, 0.1)),
    "step": ("epochs = 5", Step(5)),
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_optimizers(load_with, kind):
    keys, made = STEPS[kind]
    assert load_with(tables=f'[optimizer]\nkind = "{kind}"\n{keys}').task.optimizer == made


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules(load_with, kind):
    keys, made = RATES[kind]
    assert load_with(tables=f'[schedule]\nkind = "{kind}"\n{keys}').task.schedule == made
