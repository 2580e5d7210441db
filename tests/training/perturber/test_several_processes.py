"""Perturbers in two processes that train one network together."""

import os
import socket
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training.protocols import Poisson  # noqa: E402

from .training_loop import assert_same  # noqa: E402

SCRIPT = """
import os, sys
import torch
from torch import distributed, nn

from training import Perturber
from training.perturbations import ShrinkPerturb
from training.protocols import Periodic, Poisson

distributed.init_process_group("gloo")
rank = distributed.get_rank()
shard = torch.Generator().manual_seed(rank)
batches = [torch.randn(8, 3, generator=shard) for _ in range(4)]


def train(seed, protocol, compiled=False, buffers="keep"):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model = nn.parallel.DistributedDataParallel(network)
    model = torch.compile(model, backend="eager") if compiled else model
    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9)
    perturbation = ShrinkPerturb(0.4, 0.1, buffers=buffers)
    perturber = Perturber(model, optimizer, perturbation, protocol, seed=seed, calibration=batches)
    states, epochs = [], []
    for epoch in range(1, 7):
        for batch in batches:
            optimizer.zero_grad()
            model(batch).square().mean().backward()
            optimizer.step()
        if perturber.step():
            epochs.append(epoch)
            states.append({name: value.clone() for name, value in network.state_dict().items()})
    return {"seed": perturber.seed, "epochs": epochs, "states": states}


results = {}
for name, protocol in (("periodic", Periodic(2)), ("poisson", Poisson(0.7))):
    for case, seeds in (("mixed", (5, 9)), ("first", (5, 5)), ("second", (9, 9))):
        results[name, case] = train(seeds[rank], protocol)
results["compiled"] = train((5, 9)[rank], Periodic(2), compiled=True)
results["recalibrated"] = train((5, 9)[rank], Periodic(2), buffers="recalibrate")
results["shard"] = batches[0]
torch.save(results, os.path.join(sys.argv[1], f"rank-{rank}.pt"))
distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What two processes that train one network, each told another seed, have after each perturbation."""
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        pytest.skip("torch was built without gloo")
    folder = tmp_path_factory.mktemp("ranks")
    script = folder / "script.py"
    script.write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, script, folder],
            env={**os.environ, **shared, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        said = [process.communicate(timeout=120)[0] for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert [process.returncode for process in started] == [0, 0], "\n".join(said)
    return [torch.load(folder / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1)]


def assert_same_runs(one, other):
    assert (one["seed"], one["epochs"]) == (other["seed"], other["epochs"])
    assert len(one["states"]) == len(one["epochs"]) > 0
    for state, same in zip(one["states"], other["states"], strict=True):
        parameters = [name for name in state if "running" not in name]
        assert_same({name: state[name] for name in parameters}, {name: same[name] for name in parameters})


@pytest.mark.parametrize("protocol", ["periodic", "poisson"])
def test_processes_stay_together_and_take_the_seed_of_the_first(ranks, protocol):
    first, second = ranks
    assert not torch.equal(first["shard"], second["shard"])
    assert_same_runs(first[protocol, "mixed"], second[protocol, "mixed"])
    assert_same_runs(first[protocol, "mixed"], first[protocol, "first"])
    assert first[protocol, "mixed"]["seed"] == 5
    drawn = [first[protocol, case]["states"][0]["0.weight"] for case in ("first", "second")]
    assert not torch.equal(*drawn)
    if protocol == "periodic":
        assert first[protocol, "mixed"]["epochs"] == [2, 4, 6]
    else:
        assert first[protocol, "mixed"]["epochs"] == Poisson(0.7).epochs(5, 7)
        assert first[protocol, "mixed"]["epochs"] != Poisson(0.7).epochs(9, 7)


def test_processes_with_a_compiled_network_take_the_seed_of_the_first(ranks):
    assert_same_runs(ranks[0]["compiled"], ranks[1]["compiled"])
    assert_same_runs(ranks[0]["compiled"], ranks[0]["periodic", "first"])


def test_processes_share_recalibrated_statistics(ranks):
    for one, other in zip(*(each["recalibrated"]["states"] for each in ranks), strict=True):
        assert_same(one, other)
    kept, recalibrated = (ranks[0][case]["states"][0] for case in (("periodic", "first"), "recalibrated"))
    assert not torch.equal(kept["1.running_var"], recalibrated["1.running_var"])
