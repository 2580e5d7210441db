"""Perturbations in any PyTorch training loop, in the manner of the learning-rate schedulers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from training.networks.reinitialise import reset_parameters, unwrap
from training.perturbations import NetworkState, Perturbation
from training.perturbations.state import Layout
from training.protocols import Protocol


class Perturber:
    """Perturbs a network every so many epochs.

    Call `step` once per epoch, last: train, evaluate, record, then perturb. What happens depends on ``seed``
    and on the number of steps alone; torch's random state is left as it was, so the order of the data and
    dropout are not disturbed. The network is changed in place: optimizer, gradient scaler, `torch.compile` and
    `DistributedDataParallel` keep working on the same tensors. Under `DistributedDataParallel` every process
    calls `step`, with the seed of process 0.

    Parameters
    ----------
    model : torch.nn.Module
        The network, on any device, compiled or wrapped or not.
    optimizer : torch.optim.Optimizer
        Its optimizer.
    perturbation : Perturbation
        What is done; see `training.perturbations`.
    protocol : Protocol
        When; see `training.protocols`.
    seed : int
        Seed of the fresh initialisations, of the noise and of random intervals.
    factory : callable, optional
        Builds a freshly initialised network like ``model``, on the CPU. Default: a copy of ``model`` whose
        modules' ``reset_parameters`` are called, which must cover all parameters.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Learning-rate schedule that `WarmRestart` sets back to the state that it has now.
    calibration : iterable, optional
        Batches of inputs (or tuples that start with them) from which running statistics are computed anew
        where a perturbation says ``buffers="recalibrate"``.

    Examples
    --------
    >>> from torch import nn, optim
    >>> from training import Perturber
    >>> from training.perturbations import ShrinkPerturb
    >>> from training.protocols import Periodic
    >>> model = nn.Linear(3, 2)
    >>> perturber = Perturber(model, optim.SGD(model.parameters(), 0.1), ShrinkPerturb(0.4, 0.1), Periodic(2))
    >>> [perturber.step() for epoch in range(4)]
    [False, True, False, True]
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        perturbation: Perturbation,
        protocol: Protocol,
        *,
        seed: int = 0,
        factory: Callable[[], nn.Module] | None = None,
        scheduler: Any = None,
        calibration: Iterable[Any] | None = None,
    ) -> None:
        if not isinstance(perturbation, Perturbation):
            raise ValueError(
                f"`perturbation` must be one of training.perturbations, got {perturbation!r}; "
                "a class of your own derives from training.perturbations.Perturbation"
            )
        if not isinstance(protocol, Protocol):
            raise ValueError(
                f"`protocol` must be one of training.protocols, such as Periodic(20), got {protocol!r}"
            )
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"`seed` must be a whole number of at least 0, got {seed!r}")
        self.model, self.optimizer, self.perturbation, self.protocol = (
            model,
            optimizer,
            perturbation,
            protocol,
        )
        self.network = unwrap(model)
        self.scheduler, self.calibration = scheduler, calibration
        self.seed = _seed_of_first_process(model, seed)
        self.factory = _factory(self.network) if factory is None else factory
        self.layout = Layout.of(self.network)
        self.epoch = 0
        self.count = 0
        self.next = protocol.interval(self.seed, 1)
        self._schedule = None if scheduler is None else copy.deepcopy(scheduler.state_dict())
        self._rates = [copy.deepcopy(group["lr"]) for group in optimizer.param_groups]

    def step(self) -> bool:
        """Count one more epoch, perturb if it is time, and return whether that was done."""
        self.epoch += 1
        if self.next is None or self.epoch < self.next:
            return False
        self.perturb()
        interval = self.protocol.interval(self.seed, self.count + 1)
        self.next = None if interval is None else self.epoch + interval
        return True

    @torch.no_grad()
    def perturb(self) -> None:
        """Perturb now, whatever the protocol says."""
        self.count += 1
        state = NetworkState.of_network(
            self.network,
            self.layout,
            self.factory,
            self.seed,
            self.count,
            reset_optimizer=self.reset_optimizer,
            restart_schedule=self.restart_schedule,
            recalibrate=self.recalibrate,
        )
        self.perturbation.apply(state)

    def reset_optimizer(self) -> None:
        """Make the optimizer forget its state: momenta, second moments and numbers of steps."""
        self.optimizer.state.clear()

    def restart_schedule(self) -> None:
        """Set the learning-rate schedule back to the state that it had when this object was made."""
        if self._schedule is None:
            raise ValueError("`scheduler` is needed for a warm restart: Perturber(..., scheduler=scheduler)")
        self.scheduler.load_state_dict(copy.deepcopy(self._schedule))
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            # A learning rate that is a tensor stays the same tensor, for compiled optimizers.
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].copy_(torch.as_tensor(rate))
            else:
                group["lr"] = rate

    def recalibrate(self) -> None:
        """Compute the running statistics of batch norm anew from the calibration batches."""
        if self.calibration is None:
            raise ValueError(
                '`calibration` is needed for buffers="recalibrate": Perturber(..., calibration=batches of inputs)'
            )
        device = next(self.network.parameters()).device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.optim.swa_utils.update_bn(self.calibration, self.network, device)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on: the epoch, what was done, and the seed; plain numbers and text."""
        return {
            "epoch": self.epoch,
            "count": self.count,
            "next": self.next,
            "seed": self.seed,
            "perturbation": repr(self.perturbation),
            "protocol": repr(self.protocol),
            "schedule": copy.deepcopy(self._schedule),
            "rates": copy.deepcopy(self._rates),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises
        ------
        ValueError
            If it belongs to another perturbation, protocol or seed; nothing is changed then.
        """
        for key, own in (("perturbation", repr(self.perturbation)), ("protocol", repr(self.protocol))):
            if state[key] != own:
                raise ValueError(
                    f"`state` was saved with the {key} {state[key]}, this perturber has {own}; "
                    "build it with the same one, or start anew"
                )
        self.epoch, self.count, self.next, self.seed = (
            state[key] for key in ("epoch", "count", "next", "seed")
        )
        self._schedule, self._rates = copy.deepcopy(state["schedule"]), copy.deepcopy(state["rates"])


def _factory(network: nn.Module) -> Callable[[], nn.Module]:
    """A factory that initialises one and the same copy of the network again and again."""
    skeleton: list[nn.Module] = []

    def build() -> nn.Module:
        if not skeleton:
            skeleton.append(copy.deepcopy(network).to("cpu"))
        reset_parameters(skeleton[0])
        return skeleton[0]

    return build


def _seed_of_first_process(model: nn.Module, seed: int) -> int:
    if not isinstance(model, nn.parallel.DistributedDataParallel):
        return seed
    shared = [seed]
    torch.distributed.broadcast_object_list(shared, src=0, group=model.process_group)
    return shared[0]
