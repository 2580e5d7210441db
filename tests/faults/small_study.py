"""A training study that takes half a second, and how to tell whether two of them are equal."""

import numpy as np

from training import read_runs
from training.data import Digits
from training.networks import MLP
from training.optimizers import SGD
from training.perturbations import PartialReset, ShrinkPerturb
from training.protocols import Periodic, Poisson
from training.study import TrainingStudy, Treatment
from training.study.checkpoints import read_checkpoint
from training.study.plan import plan_units
from training.study.shards import read_shard
from training.task import Hardware, Task

TASK = Task(Digits(40), MLP((8,)), SGD(0.1), batch_size=10, hardware=Hardware(device="cpu"))


def study(**changes):
    """Six units, whose state is saved after every epoch."""
    settings = dict(
        task=TASK,
        epochs=9,
        seeds=range(4),
        treatments=(Treatment(ShrinkPerturb(), Periodic(3)), Treatment(PartialReset(0.5), Poisson(0.3))),
        block_size=2,
        checkpoint_seconds=1e-9,
    )
    return TrainingStudy(**(settings | changes))


def contents(groups):
    """All that runs have recorded but the time it took, by group."""
    return {
        group.name: {
            "seeds": group.seeds,
            **{name: values for name, values in group.metrics.items() if name != "epoch_seconds"},
        }
        for group in groups
    }


def same(first, second):
    """Whether two such are equal, bit for bit."""
    return first.keys() == second.keys() and all(
        first[name].keys() == second[name].keys()
        and all(np.array_equal(v, second[name][key], equal_nan=True) for key, v in first[name].items())
        for name in first
    )


def gathered(folder):
    """What the runs file of a study holds."""
    return contents(read_runs(folder / "runs.h5"))


def check_files(settings, folder, expected):
    """Open every file of a study, finished or not; return the names of the units that are finished.

    Shards and runs file must hold what the undisturbed study in the folder ``expected`` holds.
    """
    finished = []
    for unit, model in zip(plan_units(settings, folder), plan_units(settings, expected), strict=True):
        if unit.shard.exists():
            shard = read_shard(unit.shard)
            assert shard.fingerprint == unit.fingerprint
            assert same(contents([shard.group]), contents([read_shard(model.shard).group])), unit.name
            finished.append(unit.name)
        if unit.checkpoint.exists():
            read_checkpoint(unit.checkpoint, unit.fingerprint)
        for epoch in unit.branches:
            if (branch := unit.branch_file(unit.number, epoch)).exists():
                read_checkpoint(branch, unit.trunk_fingerprint)
    if (folder / "runs.h5").exists():
        assert same(gathered(folder), gathered(expected))
    return finished
