"""Small sound files to damage, and how many examples a fuzz test tries."""

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from hypothesis import HealthCheck, settings

from stochreset.sample_file import write_sample
from stochreset.simulation import SimulatedSample
from theory.estimates import Estimate
from training import RunGroup, write_runs
from training.study.shards import Shard, write_shard

EXAMPLES = int(os.environ.get("STOCHRESET_FUZZ_EXAMPLES", "0"))


def examples(default: int) -> int:
    """Examples of a fuzz test: more where the environment asks for them."""
    return EXAMPLES or default


def fuzz(default: int) -> Any:
    """Settings of a test with hypothesis: the same examples each time, others where the environment asks for more."""
    return settings(
        max_examples=examples(default),
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def returning(seconds: float = 60) -> Iterator[None]:
    """End the interpreter if what is in the block does not return: a loop within the HDF5 library hears no signal."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def group(runs: int, epochs: int, seed: int, *treatment, first=None, protocol=None) -> RunGroup:
    """One ensemble of two metrics."""
    rng = np.random.default_rng(seed)
    metrics = {
        "accuracy": np.round(rng.uniform(0, 100, (runs, epochs)), 2),
        "loss": rng.normal(size=(runs, epochs)),
    }
    metrics["loss"][0, epochs // 2 :] = np.nan
    directions = {"accuracy": "at_least", "loss": "at_most"}
    return RunGroup(
        np.arange(runs) + 3, metrics, directions, *treatment, first=first, protocol=protocol or {}
    )


def groups() -> tuple[RunGroup, ...]:
    """Ensembles of every kind that a runs file can hold, in the order in which they are read."""
    return (
        group(20, 30, 1),
        group(10, 30, 3, "partial", 5, {"fraction": 0.9}),
        group(10, 30, 4, "partial", 5, {"fraction": 0.9}, first=12),
        group(10, 30, 5, "rare", None, {}, protocol={"label": "poisson-0.05", "rate": 0.05}),
        group(20, 30, 2, "shrink", 20, {"shrink": 0.4, "noise": 0.1}),
    )


def runs_file(path: Path) -> Path:
    """Write a runs file of these."""
    return write_runs(path, groups(), provenance={"config": {"learning_rate": 0.1}}, metric="accuracy")


def sample() -> SimulatedSample:
    """A sample with everything that one can have."""
    rng = np.random.default_rng(0)
    return SimulatedSample(
        rng.exponential(size=300),
        rng.random(300) < 0.1,
        method="euler",
        dt=0.01,
        expected_bias="of order dt",
        bias=Estimate(0.01, 0.002, 0.006, 0.014),
        seed=2**64 - 1,
        steps=12345,
        seconds=1.5,
    )


def sample_file(path: Path) -> Path:
    """Write it."""
    return write_sample(path, sample(), {"model": "brownian", "parameters": {"drift": 1.0}})


def shard() -> Shard:
    """A shard."""
    return Shard(group(20, 30, 2, "shrink", 20, {"shrink": 0.4}), "fingerprint", 600, 1.5, 1)


def shard_file(path: Path) -> Path:
    """Write it."""
    write_shard(path, shard())
    return path


def contents(found: RunGroup) -> tuple:
    """All that a group says, so that two of them can be compared."""
    return (
        found.name,
        found.perturbation,
        found.period,
        found.first,
        dict(found.parameters),
        dict(found.protocol),
        dict(found.directions),
        found.seeds.tolist(),
        {name: values.tobytes() for name, values in found.metrics.items()},
    )


def sample_contents(found: SimulatedSample) -> tuple:
    """The same of a sample."""
    rest = (found.method, found.dt, found.expected_bias, found.bias, found.seed, found.steps, found.seconds)
    return (found.digest(), *rest)


def shard_contents(found: Shard) -> tuple:
    """The same of a shard."""
    return (contents(found.group), found.fingerprint, found.trained, found.seconds, found.diverged)


def unseal(file: h5py.File, version: int = 2) -> None:
    """Take all checksums out of a file, as those of older versions have none."""
    nodes = [file]
    file.visititems(lambda _, node: nodes.append(node))
    for node in nodes:
        node.attrs.pop("checksum", None)
    if "format_version" in file.attrs:
        file.attrs["format_version"] = version
