"""Training of an ensemble in memory; `training.study` does the same in units that survive interruptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from training.blocks import BlockRun
from training.blocks.recorded import group_of
from training.perturbations import Perturbation
from training.protocols import Never, Protocol, check_epochs
from training.run_group import RunGroup
from training.task import Task
from training.treatment import Treatment, check_seeds


def train_runs(
    task: Task,
    seeds: Sequence[int],
    epochs: int,
    perturbation: Perturbation | None = None,
    protocol: Protocol | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> RunGroup:
    """Train one network per seed, evaluate each after every epoch, and perturb them.

    Order: train an epoch, evaluate, record; then perturb. Until the first perturbation a call gives what the same
    call without one does, bit for bit on a CPU. Calls in several threads of one process take turns, epoch by epoch.

    Parameters
    ----------
    task : Task
        Data, network, optimizer, hardware.
    seeds : sequence of int
        Seed of each run, not negative, all different.
    epochs : int
        Epochs to train.
    perturbation : Perturbation, optional
        What is done; goes together with ``protocol``, which must come before the last epoch.
    protocol : Protocol, optional
        When, such as ``Periodic(20)``.
    progress : callable, optional
        Called after each epoch with the epochs done and their total.

    Returns
    -------
    RunGroup
        Every metric of each run after each epoch; NaN from the divergence of a run on.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from training.data import Digits
    >>> from training.networks import MLP
    >>> group = train_runs(Task(Digits(), MLP()), range(3), epochs=2)
    >>> group.shape, sorted(group.metrics)
    ((3, 2), ['epoch_seconds', 'test_accuracy', 'test_loss', 'train_accuracy', 'train_loss'])
    """
    if (perturbation is None) != (protocol is None or isinstance(protocol, Never)):
        raise ValueError(
            "`perturbation` and `protocol` go together: give both, or neither for unperturbed runs; "
            f"got {perturbation!r} and {protocol!r}"
        )
    treatment = None
    if perturbation is not None and protocol is not None:
        treatment = Treatment(perturbation, protocol)
        check_epochs("epochs", epochs)
        treatment.check_length(epochs)
    run = BlockRun(task.prepare(), check_seeds(seeds), epochs, perturbation, protocol)
    while not run.finished:
        run.step()
        if progress is not None:
            progress(run.epoch, epochs)
    return group_of(run, treatment)
