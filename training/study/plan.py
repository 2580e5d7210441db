"""The units of work of a study: which runs each holds, where it branches off, and where its files lie."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from theory.ensembles import UNPERTURBED
from theory.files import remove_temporaries
from training.described import describe
from training.executors import ExecutorSettings
from training.perturbations.base import Perturbation
from training.protocols import Never, Protocol
from training.study.settings import TrainingStudy
from training.treatment import Treatment

LONGEST_NAME = 100
"""Characters of the name of an ensemble in that of a file."""


@dataclass(frozen=True)
class WorkUnit:
    """A block of runs under one protocol; all that a worker needs to know of it.

    Attributes
    ----------
    folder : Path
        Of the study.
    study : TrainingStudy
        Its settings.
    treatment : Treatment or None
        None for unperturbed runs.
    number : int
        Of the block within its ensemble.
    seeds : tuple of int
        Of the runs.
    trunk : int or None
        Block of unperturbed runs from which these branch off.
    branch_epoch : int or None
        At which epoch they do.
    branches : tuple of int
        Epochs after which the state is kept for others to branch off.
    label : str
        Name of the unit, where it is not that of its ensemble and number.
    trunk_stops : bool
        Whether the runs that it branches off end at the threshold where these do.
    """

    folder: Path
    study: TrainingStudy
    treatment: Treatment | None
    number: int
    seeds: tuple[int, ...]
    trunk: int | None = None
    branch_epoch: int | None = None
    branches: tuple[int, ...] = ()
    label: str = ""
    trunk_stops: bool = True

    @property
    def group(self) -> str:
        """Name of the ensemble."""
        return UNPERTURBED if self.treatment is None else self.treatment.group

    @property
    def name(self) -> str:
        """Name of the unit, usable as that of a file."""
        return self.label or unit_name(self.group, self.number)

    @property
    def protocol(self) -> Protocol:
        """When the runs are perturbed."""
        return Never() if self.treatment is None else self.treatment.protocol

    @property
    def perturbation(self) -> Perturbation | None:
        """What is done to them."""
        return None if self.treatment is None else self.treatment.perturbation

    @property
    def shard(self) -> Path:
        """File of the finished runs."""
        return self.folder / "shards" / f"{self.name}.h5"

    @property
    def checkpoint(self) -> Path:
        """File of the state of unfinished runs."""
        return self.folder / "checkpoints" / f"{self.name}.pt"

    def branch_file(self, trunk: int, epoch: int) -> Path:
        """File of the state of unperturbed runs after an epoch."""
        return self.folder / "checkpoints" / f"{unit_name(UNPERTURBED, trunk)}-epoch-{epoch}.pt"

    def branch_files(self, trunk: int, epoch: int) -> list[Path]:
        """Files of the states of unperturbed runs up to an epoch, the latest first."""
        found = {}
        for path in (self.folder / "checkpoints").glob(f"{unit_name(UNPERTURBED, trunk)}-epoch-*.pt"):
            number = path.stem.rpartition("-")[2]
            if number.isdecimal() and int(number) <= epoch:
                found[int(number)] = path
        return [found[number] for number in sorted(found, reverse=True)]

    def remove_temporaries(self) -> None:
        """Remove what earlier attempts at this unit that were killed have left; only for who holds its claim."""
        branches = [self.branch_file(self.number, epoch) for epoch in self.branches]
        for path in (self.shard, self.checkpoint, *branches):
            remove_temporaries(path)

    @cached_property
    def trunk_fingerprint(self) -> str:
        """Fingerprint of the settings that unperturbed runs depend on, however long they are."""
        return _digest([fingerprint(self.study), self._stop if self.trunk_stops else None])

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of all settings that the result depends on."""
        treatment = self.treatment
        rest = None
        if treatment is not None:
            rest = [treatment.name, treatment.perturbation.settings(), treatment.protocol.settings()]
        return _digest([fingerprint(self.study), self._stop, self.study.epochs, list(self.seeds), rest])

    @property
    def _stop(self) -> list[Any] | None:
        study = self.study
        return [study.metric, study.threshold] if study.stop_at_threshold else None


def plan_units(study: TrainingStudy, folder: Path) -> list[WorkUnit]:
    """Return the units of a study, the unperturbed ones first."""
    folder = Path(folder).absolute()
    trunks = _blocks(study.seeds, study.block_size)
    home = {seed: number for number, seeds in enumerate(trunks) for seed in seeds}
    branches: dict[int, set[int]] = {number: set() for number in range(len(trunks))}
    perturbed = []
    for treatment in study.treatments:
        seeds = study.seeds if treatment.seeds is None else treatment.seeds
        shared = all(seed in home for seed in seeds)
        if shared:
            blocks = [tuple(s for s in seeds if home[s] == number) for number in range(len(trunks))]
        else:
            blocks = _blocks(seeds, study.block_size)
        for number, block in enumerate(blocks):
            if not block:
                continue
            unit = WorkUnit(folder, study, treatment, number, block)
            if shared and (epoch := _first_epoch(treatment.protocol, block, study.epochs)):
                branches[number].add(epoch)
                unit = replace(unit, trunk=number, branch_epoch=epoch)
            perturbed.append(unit)
    free = [
        WorkUnit(folder, study, None, number, seeds, branches=tuple(sorted(branches[number])))
        for number, seeds in enumerate(trunks)
    ]
    return free + perturbed


def fingerprint(study: TrainingStudy) -> str:
    """Fingerprint of the settings that the training of all runs of a study depends on."""
    task = study.task
    # Data of one's own by their contents; where and how to compute does not make other runs.
    settings = describe(replace(task, hardware=replace(task.hardware, device="auto", concurrent=1)))
    if isinstance(settings["data"], dict):
        settings["data"].pop("cache", None)
        settings["data"].pop("download", None)
    return _digest(settings)


def without_executor(study: TrainingStudy) -> TrainingStudy:
    """Return the settings as far as a worker needs them."""
    return replace(study, executor=ExecutorSettings())


def unit_name(group: str, number: int) -> str:
    """Name of a unit, usable as that of a file on any system.

    Examples
    --------
    >>> unit_name("shrink_perturb:20@60", 3)
    'shrink_perturb-20@60-3'
    """
    safe = re.sub(r"[^A-Za-z0-9_.@+-]", "-", group)[:LONGEST_NAME]
    # Names that differ only in what was replaced or cut off, or in case, must not share a file.
    mark = (
        ""
        if len(safe) == len(group) and re.fullmatch(r"[a-z0-9_.@+]+(:[a-z0-9_.@+-]+)?", group)
        else f"-{_digest(group)[:8]}"
    )
    return f"{safe}{mark}-{number}"


def _blocks(seeds: tuple[int, ...], size: int) -> list[tuple[int, ...]]:
    return [seeds[at : at + size] for at in range(0, len(seeds), size)]


def _first_epoch(protocol: Protocol, seeds: tuple[int, ...], epochs: int) -> int | None:
    first = [epoch for seed in seeds if (epoch := protocol.interval(seed, 1)) is not None]
    return min(min(first, default=epochs), epochs - 1) or None


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
