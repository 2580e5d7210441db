"""Networks to train, each a frozen dataclass of settings whose ``build(input_shape, outputs)`` makes one.

`Factory` ties settings to shapes; `reset_parameters` initialises a network anew where there is no factory.
To add a network, write a class with ``build`` in a file of its own and name it in `NETWORKS`.
"""

from typing import Any

from training.networks.factory import Factory, Network
from training.networks.mlp import MLP
from training.networks.reinitialise import check_resettable, reset_parameters, unwrap
from training.networks.resnet18 import ResNet18
from training.networks.small_cnn import SmallCNN

NETWORKS: dict[str, Any] = {
    "mlp": MLP,
    "cnn": SmallCNN,
    "resnet18": ResNet18,
}

__all__ = [
    "MLP",
    "NETWORKS",
    "Factory",
    "Network",
    "ResNet18",
    "SmallCNN",
    "check_resettable",
    "reset_parameters",
    "unwrap",
]
