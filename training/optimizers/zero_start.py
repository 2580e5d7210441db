"""Which of torch's optimizers have a state that is zero before the first step."""

from __future__ import annotations

import torch

ZERO_START = (
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.RMSprop,
    torch.optim.Adadelta,
    torch.optim.Adamax,
    torch.optim.RAdam,
)
"""Not NAdam, Rprop or ASGD, which start at settings of theirs."""


def check_zero_start(optimizer: torch.optim.Optimizer) -> None:
    """Raise unless zeros in place of the state are a fresh optimizer.

    The tensors that a captured step writes to must stay the same ones, so they cannot be dropped to start afresh, as
    elsewhere.
    """
    dampened = any(group.get("dampening", 0) for group in optimizer.param_groups)
    if type(optimizer) not in ZERO_START or dampened:
        raise ValueError(
            f"`optimizer` builds {type(optimizer).__name__}{' with dampening' if dampened else ''}, whose state need "
            "not be zero before the first step, and captured steps are for those where it is: "
            f"{', '.join(kind.__name__ for kind in ZERO_START)}; give Hardware(cuda_graphs=False)"
        )
