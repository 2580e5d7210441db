"""Runs in threads of one process, which share torch's random numbers and its number of threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import ShrinkPerturb  # noqa: E402
from training.study import TrainingStudy, run_study, work  # noqa: E402

from .small_tasks import task, train  # noqa: E402


class Meeting:
    """A factory whose calls in different threads wait for each other, between seeding and drawing."""

    def __init__(self):
        self.barrier = threading.Barrier(2)

    def __call__(self):
        if threading.current_thread() is not threading.main_thread():
            try:
                self.barrier.wait(0.05)
            except threading.BrokenBarrierError:
                self.barrier.reset()
        return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Dropout(0.2), nn.Linear(7, 3))


def test_runs_in_threads_are_those_of_one_thread():
    settings, seeds = task(Meeting(), engine="single"), (3, 8)
    expected = [train(settings, [seed], 4, ShrinkPerturb(), 2) for seed in seeds]
    torch.manual_seed(1)
    before = torch.get_rng_state(), torch.get_num_threads()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: train(settings, [seed], 4, ShrinkPerturb(), 2), seeds))
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), before[0]) and torch.get_num_threads() == before[1]


def test_units_in_threads_are_trained_one_after_the_other(tmp_path, monkeypatch):
    training, most = [], []
    train_unit = work._train

    def counted(unit, interruption):
        training.append(unit.name)
        most.append(len(training))
        try:
            return train_unit(unit, interruption)
        finally:
            training.remove(unit.name)

    monkeypatch.setattr(work, "_train", counted)
    study = TrainingStudy(task(), epochs=2, seeds=range(6), block_size=1)
    with ThreadPoolExecutor(3) as pool:
        run_study(study, tmp_path, executor=pool)
    assert most == [1] * 6


def test_the_progress_of_a_call_may_wait_for_that_of_another():
    from training.train import train_runs

    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(train_runs, task(), [seed], 3, progress=lambda *_: both.wait(20)) for seed in (1, 2)
        ]
        assert [call.result().shape for call in calls] == [(1, 3), (1, 3)]
