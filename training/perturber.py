"""Perturbations in any PyTorch training loop, in the manner of the learning-rate schedulers."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from training.calibration import measure_statistics
from training.distributed import of_first_process, process_group
from training.networks.reinitialise import check_resettable, reset_parameters, unwrap
from training.perturbations import NetworkState, Perturbation
from training.perturbations.state import Layout, check_alike, fresh_stack, stored_buffers
from training.protocols import Protocol
from training.streams import LAYERS, torch_seed

SCHEDULED = ("lr", "momentum", "betas")
"""Settings of an optimizer that learning-rate schedules change; OneCycleLR and CyclicLR cycle the momentum too."""


class Perturber:
    """Perturbs a network every so many epochs.

    Call `step` once per epoch, last: train, evaluate, record, then perturb. What happens depends on ``seed``
    and on the number of steps alone; torch's random state is left as it was, so the order of the data and
    dropout are not disturbed. The network is changed in place: optimizer, gradient scaler, `torch.compile` and
    `DistributedDataParallel` keep working on the same tensors. Under `DistributedDataParallel` every process
    calls `step`, with the seed of process 0.

    Frozen parameters (``requires_grad=False`` when it is time to perturb), and the buffers of layers without others,
    are left alone by every perturbation.

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
        Builds a freshly initialised network like ``model``, on the CPU. Called once to see that it fits, and
        at each perturbation that needs one. Default: a copy of ``model`` whose modules' ``reset_parameters`` are
        called, which must cover all parameters.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Learning-rate schedule that `WarmRestart` sets back to the state that it has now.
    calibration : iterable, optional
        Batches of inputs (or tuples that start with them) from which running statistics are computed anew
        where a perturbation says ``buffers="recalibrate"``. Iterated at each perturbation: a list or a
        DataLoader, whose own generator and that of its sampler are left as they were.

    Raises
    ------
    ValueError
        If an argument is not what it should be, or one that the perturbation needs is missing.

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
        for argument, given, sound in (
            ("model", model, isinstance(model, nn.Module)),
            ("optimizer", optimizer, hasattr(optimizer, "param_groups")),  # there are wrappers of optimizers
        ):
            if not sound:
                raise ValueError(
                    f"`{argument}` must be one of torch's, got {type(given).__name__}; "
                    "the order is Perturber(model, optimizer, perturbation, protocol)"
                )
        if not isinstance(perturbation, Perturbation):
            raise ValueError(
                f"`perturbation` must be one of training.perturbations, got {perturbation!r}; "
                "a class of your own derives from training.perturbations.Perturbation"
            )
        if not isinstance(protocol, Protocol):
            raise ValueError(
                f"`protocol` must be one of training.protocols, such as Periodic(20), got {protocol!r}"
            )
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"`seed` must be a whole number of at least 0, got {seed!r}")
        self.model, self.optimizer = model, optimizer
        self.perturbation, self.protocol = perturbation, protocol
        self.network = unwrap(model)
        self.scheduler, self.calibration = scheduler, calibration
        self._check_needs(factory)
        self.factory = _factory(self.network) if factory is None else factory
        self.seed = of_first_process(model, int(seed))
        self.layout = Layout.of(self.network)
        self.epoch = 0
        self.count = 0
        self.next = protocol.interval(self.seed, 1)
        perturbation.check(self._state())
        self._schedule = None if scheduler is None else copy.deepcopy(scheduler.state_dict())
        self._groups = [_scheduled(group) for group in optimizer.param_groups]

    def _check_needs(self, factory: Callable[[], nn.Module] | None) -> None:
        kind = type(self.perturbation).__name__
        if factory is not None:
            _check_factory(factory, self.network)
        elif self.perturbation.initialises:
            try:
                check_resettable(self.network)
            except ValueError as error:
                raise ValueError(f"`factory` is needed to initialise this model: {error}") from error
        if self.perturbation.restarts and self.scheduler is None:
            raise ValueError(f"`scheduler` is needed for {kind}: Perturber(..., scheduler=scheduler)")
        has_buffers = bool(stored_buffers(self.network))
        if self.perturbation.recalibrates and has_buffers and self.calibration is None:
            raise ValueError(_NO_CALIBRATION)
        if isinstance(self.calibration, Iterator):
            raise ValueError(
                "`calibration` must be a list or a DataLoader, of which each perturbation goes through all "
                f"batches, got {self.calibration!r}, which is used up after the first; give list(...) of it"
            )

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
        self.perturbation.apply(self._state())
        self.count += 1

    def _state(self) -> NetworkState:
        return NetworkState.of_network(
            self.network,
            self.layout,
            self.factory,
            self.seed,
            self.count + 1,
            reset_optimizer=self.reset_optimizer,
            restart_schedule=self.restart_schedule,
            recalibrate=self.recalibrate,
        )

    def reset_optimizer(self) -> None:
        """Make the optimizer forget its state: momenta, second moments and numbers of steps."""
        self.optimizer.state.clear()

    def restart_schedule(self) -> None:
        """Set the learning-rate schedule back to the state that it had when this object was made."""
        if self._schedule is None:
            raise ValueError("`scheduler` is needed for a warm restart: Perturber(..., scheduler=scheduler)")
        if len(self.optimizer.param_groups) != len(self._groups):
            raise ValueError(
                f"`optimizer` has {len(self.optimizer.param_groups)} groups of parameters, and had "
                f"{len(self._groups)} when this perturber was made: `scheduler` cannot be set back to that time; "
                "call add_param_group before scheduler and Perturber are made, or make both anew"
            )
        self.scheduler.load_state_dict(copy.deepcopy(self._schedule))
        for group, saved in zip(self.optimizer.param_groups, self._groups, strict=True):
            for key, value in saved.items():
                # A learning rate that is a tensor stays the same tensor, for compiled optimizers.
                if isinstance(group[key], torch.Tensor):
                    group[key].copy_(torch.as_tensor(value))
                else:
                    group[key] = copy.deepcopy(value)

    def recalibrate(self) -> None:
        """Compute the running statistics of batch norm anew from the calibration batches.

        Under `DistributedDataParallel` those of process 0 are taken by all.
        """
        if self.calibration is None:
            raise ValueError(_NO_CALIBRATION)
        # Order of the batches and dropout are functions of seed and number, as all else is.
        measure_statistics(self.network, self.calibration, torch_seed(self.seed, LAYERS, self.count + 1))
        if (group := process_group(self.model)) is not None:
            for buffer in self.network.buffers():
                torch.distributed.broadcast(buffer, torch.distributed.get_global_rank(group, 0), group=group)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, for ``torch.load(weights_only=True)`` too.

        The epoch, what was done, the seed, perturbation and protocol, and the start of the schedule.
        """
        return {
            "epoch": self.epoch,
            "count": self.count,
            "next": self.next,
            "seed": self.seed,
            "perturbation": _plain(self.perturbation),
            "protocol": _plain(self.protocol),
            "schedule": copy.deepcopy(self._schedule),
            "groups": copy.deepcopy(self._groups),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned, with the seed that is in it.

        Raises
        ------
        ValueError
            If it is of another perturbation, protocol or kind of schedule; nothing is changed then.
        """
        own = self.state_dict()
        missing = own.keys() - (state.keys() if isinstance(state, dict) else set())
        if missing:
            raise ValueError(
                f"`state` must be what Perturber.state_dict returned, it lacks {', '.join(sorted(missing))}"
            )
        for key in ("perturbation", "protocol"):
            if state[key] != own[key]:
                raise ValueError(
                    f"`state` was saved with the {key} {state[key]}, this perturber has {own[key]}; "
                    "build it with the same one, or start anew"
                )
        # A schedule is looked at only where there is one to restart.
        if self._schedule is not None:
            for key, shape in (("schedule", _keys), ("groups", _group_keys)):
                if shape(state[key]) != shape(own[key]):
                    raise ValueError(
                        f"`state` was saved with another kind of scheduler or optimizer ({key}: {shape(state[key])}, "
                        f"this perturber has {shape(own[key])}); build them as they were, or start anew"
                    )
        self.epoch, self.count, self.next, self.seed = (
            state[key] for key in ("epoch", "count", "next", "seed")
        )
        self._schedule, self._groups = copy.deepcopy(state["schedule"]), copy.deepcopy(state["groups"])


_NO_CALIBRATION = (
    '`calibration` is needed for buffers="recalibrate": Perturber(..., calibration=batches of inputs)'
)


def _scheduled(group: dict[str, Any]) -> dict[str, Any]:
    return {key: copy.deepcopy(group[key]) for key in SCHEDULED if key in group}


def _plain(settable: Perturbation | Protocol) -> Any:
    """Settings as they come out of JSON, so that 1 equals 1.0 and a list a tuple."""
    return json.loads(json.dumps(settable.settings(), default=repr))


def _keys(schedule: dict[str, Any] | None) -> list[str] | None:
    return None if schedule is None else sorted(schedule)


def _group_keys(groups: list[dict[str, Any]]) -> list[list[str]]:
    return [sorted(group) for group in groups]


def _factory(network: nn.Module) -> Callable[[], nn.Module]:
    """A factory that initialises one and the same copy of the network again and again."""
    skeleton: list[nn.Module] = []

    def build() -> nn.Module:
        if not skeleton:
            skeleton.append(copy.deepcopy(network).to("cpu"))
        reset_parameters(skeleton[0])
        return skeleton[0]

    return build


def _check_factory(factory: Callable[[], nn.Module], network: nn.Module) -> None:
    if not callable(factory):
        raise ValueError(f"`factory` must build a network when it is called, got {factory!r}")
    with torch.random.fork_rng(devices=[]):
        built = factory()
    if not isinstance(built, nn.Module):
        raise ValueError(f"`factory` must build a torch.nn.Module, it returned {built!r}")
    parameters, buffers = fresh_stack(lambda: built, [(0, 0)])
    check_alike(parameters, {name: value.unsqueeze(0) for name, value in network.named_parameters()})
    check_alike(buffers, {name: value.unsqueeze(0) for name, value in stored_buffers(network).items()})
