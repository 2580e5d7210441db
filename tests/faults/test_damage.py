"""Files cut short, with changed bytes, or changed through the library: an error that names them, or the right data."""

import random
from collections import Counter

import h5py
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from stochreset.sample_file import SampleFileError, read_sample  # noqa: E402
from theory.hdf5 import row_blocks  # noqa: E402
from training import RunsFileError, read_runs  # noqa: E402
from training.study.checkpoints import CheckpointError, read_checkpoint, write_checkpoint  # noqa: E402
from training.study.shards import read_shard  # noqa: E402

from . import untrusted  # noqa: E402

COPIES = 200


def runs_contents(path):
    return [untrusted.contents(group) for group in read_runs(path)]


def state_of(path):
    state = read_checkpoint(path, "fingerprint")
    return {
        name: value.tolist() if isinstance(value, torch.Tensor) else value for name, value in state.items()
    }


def checkpoint(path):
    state = {"weights": torch.arange(500.0), "epoch": 7, "seeds": [1, 2]}
    write_checkpoint(path, "fingerprint", state)
    return path


KINDS = {
    "runs": (untrusted.runs_file, runs_contents, RunsFileError),
    "shard": (
        untrusted.shard_file,
        lambda path: untrusted.shard_contents(read_shard(path)),
        RunsFileError,
    ),
    "sample": (
        untrusted.sample_file,
        lambda path: untrusted.sample_contents(read_sample(path)),
        SampleFileError,
    ),
    "checkpoint": (checkpoint, state_of, CheckpointError),
}


def cut(content, rng):
    return content[: rng.randrange(len(content))]


def flip(content, rng):
    changed = bytearray(content)
    changed[rng.randrange(len(content))] ^= rng.randrange(1, 256)
    return bytes(changed)


def blank(content, rng):
    """A part that reads as zeros, as a sector does that a disk has lost or a copy never reached."""
    changed = bytearray(content)
    start, length = rng.randrange(len(content)), 2 ** rng.randrange(3, 13)
    changed[start : start + length] = bytes(len(changed[start : start + length]))
    return bytes(changed)


def outcome(path, read, error, expected):
    try:
        with untrusted.returning():
            found = read(path)
    except error as problem:
        assert path.name in str(problem) and "\n" not in str(problem) and len(str(problem)) < 2000
        return "error"
    return "right" if found == expected else "wrong"


@pytest.mark.parametrize("harm", [cut, flip, blank])
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_give_an_error_or_the_right_data(tmp_path, kind, harm):
    write, read, error = KINDS[kind]
    sound = write(tmp_path / "sound")
    content, expected = sound.read_bytes(), read(sound)
    rng = random.Random(f"{kind} {harm.__name__}")
    found = Counter()
    for _ in range(untrusted.examples(COPIES)):
        (tmp_path / "damaged").write_bytes(harm(content, rng))
        found[outcome(tmp_path / "damaged", read, error, expected)] += 1
    assert found["wrong"] == 0, found
    # Bytes that nobody reads, as between the parts of a file, may change; what is cut off is always missed.
    assert found["error"] == found.total() if harm is cut else found["error"] > found.total() / 4, found


@pytest.mark.parametrize("version", [1, 2])
def test_damage_would_be_read_without_checksums(tmp_path, version):
    # The teeth of the tests above: the same change, without the checksums.
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        file["shrink:20"].attrs["period"] = 21
    with pytest.raises(RunsFileError, match=r"runs\.h5: `/shrink:20` does not fit its checksum"):
        read_runs(path)
    with h5py.File(path, "a") as file:
        untrusted.unseal(file, version)
    assert read_runs(path)[-1].period == 21


def set_attribute(node, key, value):
    def change(file):
        file[node].attrs[key] = value

    return change


def set_value(dataset, *index):
    def change(file):
        file[dataset][index] += 1

    return change


CHANGES = {
    "metric": (set_value("shrink:20/accuracy", 3, 4), "`/shrink:20/accuracy` does not fit"),
    "seed": (set_value("unperturbed/seed", -1), "`/unperturbed/seed` does not fit"),
    "period": (set_attribute("shrink:20", "period", 2), "`/shrink:20` does not fit"),
    "first": (set_attribute("partial:5@12", "first", 13), "`/partial:5@12` does not fit"),
    "no first": (lambda f: f["partial:5@12"].attrs.pop("first"), "`/partial:5@12` does not fit"),
    "perturbation": (set_attribute("shrink:20", "perturbation", "s"), "`/shrink:20` does not fit"),
    "parameters": (set_attribute("shrink:20", "parameters", "{}"), "`/shrink:20` does not fit"),
    "protocol": (
        set_attribute("rare:poisson-0.05", "protocol", '{"label": "x"}'),
        "`/rare:poisson-0.05` does not fit",
    ),
    "direction": (
        set_attribute("unperturbed/loss", "direction", "at_least"),
        "`/unperturbed/loss` does not fit",
    ),
    "provenance": (set_attribute("/", "provenance", "{}"), "`/` does not fit"),
    "default": (set_attribute("/", "default_metric", "loss"), "`/` does not fit"),
    "version": (set_attribute("/", "format_version", 1), "`/` does not fit"),
    "renamed": (lambda f: f.move("shrink:20", "shrink:21"), "`/shrink:21` does not fit"),
    "left out": (lambda f: f.__delitem__("shrink:20"), "`/` does not fit"),
    "exchanged": (
        lambda f: [
            f.move(a, b) for a, b in (("partial:5", "x"), ("shrink:20", "partial:5"), ("x", "shrink:20"))
        ],
        "does not fit",
    ),
    "no checksum": (
        lambda f: f["unperturbed/loss"].attrs.pop("checksum"),
        "`/unperturbed/loss` must have an attribute `checksum`",
    ),
    "no root": (lambda f: f.attrs.pop("checksum"), "`/` must have an attribute `checksum`"),
    "version, no root": (
        lambda f: [f.attrs.pop("checksum"), f.attrs.modify("format_version", 2)],
        "`/` must have an attribute `checksum`",
    ),
    "version, no checksums": (lambda f: untrusted.unseal(f, 3), "must have an attribute `checksum`"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_every_change_is_noticed(tmp_path, change, message):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(RunsFileError, match=rf"runs\.h5: .*{message}"):
        read_runs(path)


@pytest.mark.parametrize("key", ["fingerprint", "trained", "seconds", "diverged"])
def test_shards_are_held_to_their_attributes(tmp_path, key):
    path = untrusted.shard_file(tmp_path / "shard.h5")
    with h5py.File(path, "a") as file:
        file.attrs[key] = "other" if key == "fingerprint" else file.attrs[key] + 1
    with pytest.raises(RunsFileError, match=r"shard\.h5: `/` does not fit its checksum"):
        read_shard(path)
    with h5py.File(path, "a") as file:
        untrusted.unseal(file, 1)
    read_shard(path)


@pytest.mark.parametrize(
    "key", ["dt", "seed", "steps", "seconds", "method", "expected_bias", "bias", "digest"]
)
def test_samples_are_held_to_their_attributes(tmp_path, key):
    path = untrusted.sample_file(tmp_path / "sample.h5")
    with h5py.File(path, "a") as file:
        del file.attrs[key]
    with pytest.raises(SampleFileError, match=r"sample\.h5: `/` does not fit its checksum"):
        read_sample(path)


def test_samples_of_the_first_version(tmp_path):
    path = untrusted.sample_file(tmp_path / "sample.h5")
    with h5py.File(path, "a") as file:
        untrusted.unseal(file, 1)
    assert untrusted.sample_contents(read_sample(path)) == untrusted.sample_contents(untrusted.sample())


@pytest.mark.parametrize("chunks", [(7, 300), (100, 500), (1, 1), None])
def test_blocks_of_rows_are_whole_chunks(tmp_path, chunks):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", (100, 40_000), np.float64, chunks=chunks)
        blocks = list(row_blocks(dataset))
    rows = 1 if chunks is None else chunks[0]
    assert [block.start for block in blocks] == [0, *(block.stop for block in blocks[:-1])]
    assert blocks[-1].stop == 100 and all(block.start % rows == 0 for block in blocks)
    assert (len(blocks) == 1) == (rows == 100)
