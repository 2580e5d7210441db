"""Nothing is trained twice, and nothing changes by that: branched and resumed runs equal independent ones."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.blocks import BlockRun, Stop  # noqa: E402
from training.data.base import Data  # noqa: E402
from training.networks import SmallCNN  # noqa: E402
from training.optimizers import SGD, AdamW, Cosine  # noqa: E402
from training.perturbations import (  # noqa: E402
    Composed,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WarmRestart,
    WeightNoise,
)
from training.protocols import Once, Periodic, Poisson  # noqa: E402
from training.study.checkpoints import CheckpointError, read_checkpoint, write_checkpoint  # noqa: E402
from training.task import SECONDS, Hardware, Task  # noqa: E402

PERIOD, EPOCHS = 4, 10


class Dropping(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(48, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 3))


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 3))


def data():
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (60, 3, 4, 4), generator=generator, dtype=torch.uint8)
    labels = (images[:, 0].float().mean((1, 2)) // 30).long() % 3
    return Data(images[:40], labels[:40], images[40:], labels[40:], classes=3)


PREPARED = {
    "stacked": Task(data(), perceptron, SGD(0.1), batch_size=8, hardware=Hardware("cpu", engine="stacked")),
    "stacked-adam": Task(
        data(), perceptron, AdamW(0.01), Cosine(6), 8, hardware=Hardware("cpu", engine="stacked")
    ),
    "batch-norm": Task(data(), Dropping, SGD(0.05), Cosine(6), batch_size=8, hardware=Hardware("cpu")),
    "adam": Task(data(), Dropping, AdamW(0.01), batch_size=8, hardware=Hardware("cpu")),
    "convolution": Task(data(), SmallCNN((4,), "batch"), SGD(0.05), batch_size=8, hardware=Hardware("cpu")),
}
PERTURBATIONS = [
    ShrinkPerturb(buffers="scale"),
    StochasticReset(),
    PartialReset(0.4, source="uniform"),
    Composed((WeightNoise(0.1), WarmRestart(optimizer="reset"))),
]


def start(name, perturbation=None, protocol=None, seeds=(5, 2, 8), **options):
    return BlockRun(PREPARED[name].prepare(), seeds, EPOCHS, perturbation, protocol, **options)


def finish(run):
    while not run.finished:
        run.step()
    return run.traces


def same(first, second):
    return all(
        np.array_equal(values, second[name], equal_nan=True)
        for name, values in first.items()
        if name != SECONDS
    )


def through_a_file(state, folder):
    write_checkpoint(folder / "state.pt", "mark", state)
    return read_checkpoint(folder / "state.pt", "mark")


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=repr)
@pytest.mark.parametrize("name", PREPARED)
def test_a_branch_equals_the_independent_run_bit_for_bit(name, perturbation, tmp_path):
    independent = finish(start(name, perturbation, Periodic(PERIOD)))
    trunk = start(name)
    unlike = finish(start(name))
    assert not same(independent, unlike)
    for epoch in range(1, PERIOD + 1):
        trunk.step()
        if 1 < epoch < PERIOD:
            continue
        branch = start(name, perturbation, Periodic(PERIOD))
        branch.branch_off(through_a_file(trunk.state_dict(), tmp_path))
        assert branch.trained == 0
        assert same(finish(branch), independent)
        assert branch.trained == 3 * (EPOCHS - epoch)
    # The trunk goes on as if nobody had branched off.
    assert same(finish(trunk), unlike)


STOPPED = [
    *((name, perturbation, PERIOD) for name in PREPARED for perturbation in PERTURBATIONS),
    *((name, PERTURBATIONS[0], stopped) for name in PREPARED for stopped in (PERIOD - 1, PERIOD + 1)),
]


@pytest.mark.parametrize(("name", "perturbation", "stopped"), STOPPED, ids=repr)
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(name, perturbation, stopped, tmp_path):
    whole = start(name, perturbation, Periodic(PERIOD))
    for _ in range(stopped):
        whole.step()
    state = through_a_file(whole.state_dict(), tmp_path)
    torch.manual_seed(77)
    resumed = start(name, perturbation, Periodic(PERIOD))
    resumed.load_state_dict(state)
    assert same(finish(resumed), finish(whole))
    assert resumed.trained == whole.trained == 3 * EPOCHS


@pytest.mark.parametrize("protocol", [Poisson(0.4), Once(5), Periodic(3, first=6)], ids=repr)
@pytest.mark.parametrize("name", ["stacked", "batch-norm"])
def test_other_protocols_branch_and_resume_as_well(name, protocol, tmp_path):
    independent = finish(start(name, ShrinkPerturb(), protocol))
    first = min(protocol.interval(seed, 1) for seed in (5, 2, 8))
    trunk = start(name)
    for _ in range(first):
        trunk.step()
    branch = start(name, ShrinkPerturb(), protocol)
    branch.branch_off(trunk.state_dict())
    branch.step()
    resumed = start(name, ShrinkPerturb(), protocol)
    resumed.load_state_dict(through_a_file(branch.state_dict(), tmp_path))
    assert same(finish(resumed), independent)
    late = start(name, ShrinkPerturb(), protocol)
    trunk.step()
    with pytest.raises(ValueError, match=f"`state` is of epoch {first + 1}, but the first .* epoch {first}"):
        late.branch_off(trunk.state_dict())


@pytest.mark.parametrize("name", ["stacked", "batch-norm"])
def test_runs_stop_at_the_threshold_and_the_others_go_on(name):
    free = finish(start(name))
    threshold = float(np.median(free["test_loss"][:, 3:]))
    stop = Stop("test_loss", threshold, "at_most")
    run = start(name, stop=stop)
    found = finish(run)["test_loss"]
    for own, whole in zip(found, free["test_loss"], strict=True):
        arrived = np.flatnonzero(whole <= threshold)
        length = arrived[0] + 1 if arrived.size else EPOCHS
        assert np.isfinite(own).sum() == length
        np.testing.assert_allclose(own[:length], whole[:length], rtol=1e-5)
    assert run.trained == np.isfinite(found).sum() < 3 * EPOCHS
    resumed = start(name, stop=stop)
    half = start(name, stop=stop)
    for _ in range(5):
        half.step()
    resumed.load_state_dict(half.state_dict())
    assert same(finish(resumed), run.traces)


def test_part_of_a_block_can_branch_off():
    trunk = start("batch-norm")
    trunk.step()
    branch = start("batch-norm", ShrinkPerturb(), Periodic(PERIOD), seeds=(8, 5))
    branch.branch_off(trunk.state_dict())
    independent = start("batch-norm", ShrinkPerturb(), Periodic(PERIOD), seeds=(8, 5))
    assert same(finish(branch), finish(independent))
    other = start("batch-norm", ShrinkPerturb(), Periodic(PERIOD), seeds=(8, 6))
    with pytest.raises(ValueError, match=r"`state` has no run of seed 6; it has \[5, 2, 8\]"):
        other.branch_off(trunk.state_dict())


def test_checkpoints_that_cannot_be_used_are_refused(tmp_path):
    path = tmp_path / "folder" / "state.pt"
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        read_checkpoint(path, "mark")
    write_checkpoint(path, "mark", start("stacked").state_dict())
    with pytest.raises(CheckpointError, match="state.pt belongs to a study with other settings"):
        read_checkpoint(path, "other")
    content = path.read_bytes()
    for broken in (content[:100], b"", content[: len(content) // 2]):
        path.write_bytes(broken)
        with pytest.raises(CheckpointError, match="cannot be read as a checkpoint, it may be damaged"):
            read_checkpoint(path, "mark")
    torch.save([1], path)
    with pytest.raises(CheckpointError, match="is not a checkpoint of this version"):
        read_checkpoint(path, "mark")


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def test_a_checkpoint_never_runs_code(tmp_path):
    torch.save({"format": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="cannot be read as a checkpoint"):
        read_checkpoint(tmp_path / "evil.pt", "mark")
