"""Checkpoints that would run code when read, or fill the memory: refused, and nothing runs."""

import os
import pickle
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from training.config import load_study  # noqa: E402
from training.perturbations import StochasticReset  # noqa: E402
from training.study.checkpoints import FORMAT, CheckpointError, read_checkpoint, write_checkpoint  # noqa: E402
from training.study.shards import read_shard, write_shard  # noqa: E402
from training.tensor_files import TensorFileError, load_tensors  # noqa: E402

from . import untrusted  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """Runs a command when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.makedirs, (str(self.mark), 0o777, True)


def wrapped(mark):
    return {"format": FORMAT, "fingerprint": "f", "state": {"x": Program(mark)}, "weight": Program(mark)}


def archive(path, mark):
    torch.save(wrapped(mark), path)


def old(path, mark):
    torch.save(wrapped(mark), path, _use_new_zipfile_serialization=False)


def bare(path, mark):
    path.write_bytes(pickle.dumps(wrapped(mark)))


@pytest.fixture(params=[archive, old, bare])
def program(request, tmp_path):
    """A file that makes the folder ``ran`` when it is read as a pickle."""
    path = tmp_path / "evil.pt"
    request.param(path, tmp_path / "ran")
    yield path
    assert not (tmp_path / "ran").exists()
    # The teeth: read without care, it does run.
    if request.param is not bare:
        torch.load(path, weights_only=False)
    else:
        pickle.loads(path.read_bytes())
    assert (tmp_path / "ran").is_dir()


@pytest.mark.parametrize("forced", [False, True])
def test_programs_do_not_run(program, monkeypatch, forced):
    if forced:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(
        CheckpointError, match=r"evil\.pt cannot be read as a checkpoint, it .*; delete it"
    ) as found:
        read_checkpoint(program, "f")
    assert "weights_only" not in str(found.value)
    with pytest.raises(TensorFileError, match=r"it may be damaged \(UnpicklingError\)"):
        load_tensors(program)
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", raising=False)


def test_programs_do_not_run_in_a_reset(program):
    class State:
        parameters = {"weight": torch.zeros(1, 2)}
        buffers: dict = {}

        def __getattr__(self, name):
            raise AssertionError(name)

    with pytest.raises(
        ValueError, match=r"`checkpoint` .*evil\.pt cannot be read as the state_dict of a network"
    ):
        StochasticReset(checkpoint=str(program))._load(State())


def test_loading_a_configuration_does_not_read_its_checkpoint(program):
    config = program.with_name("study.toml")
    config.write_text(
        'epochs = 9\nseeds = 1\n[data]\nkind = "digits"\n[network]\nkind = "mlp"\n[[perturbation]]\n'
        'kind = "stochastic_reset"\nperiod = 3\ncheckpoint = "evil.pt"\n'
    )
    (treatment,) = load_study(config).treatments
    assert treatment.perturbation.checkpoint == str(program)


def test_archives_that_unpack_to_more_than_they_are(tmp_path):
    path = tmp_path / "state.pt"
    write_checkpoint(path, "f", {"x": torch.zeros(10**6)})
    packed = tmp_path / "packed.pt"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.namelist():
            target.writestr(part, source.read(part))
    assert packed.stat().st_size < 20_000
    with pytest.raises(
        CheckpointError, match=r"packed\.pt cannot be read .*its parts are compressed.*; delete it"
    ):
        read_checkpoint(packed, "f")


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04", pickle.dumps({"a": 1}), pickle.dumps([1] * 5)])
def test_files_that_are_no_checkpoints(tmp_path, content):
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.pt cannot be read as a checkpoint"):
        read_checkpoint(path, "f")


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ([1], "is not a checkpoint of this version"),
        ({"format": "other"}, "is not a checkpoint of this version"),
        ({"format": FORMAT, "fingerprint": "g", "state": {}}, "belongs to a study with other settings"),
        ({"format": FORMAT, "fingerprint": "f"}, "it holds no state; delete it"),
        ({"format": FORMAT, "fingerprint": "f", "state": [1]}, "it holds no state; delete it"),
    ],
)
def test_other_contents(tmp_path, stored, message):
    torch.save(stored, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=rf"x\.pt {message}|x\.pt is not a checkpoint, {message}"):
        read_checkpoint(tmp_path / "x.pt", "f")


def test_links_in_a_study_are_replaced_not_followed(tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    for name, write in (
        ("a.pt", lambda path: write_checkpoint(path, "f", {"x": 1})),
        ("a.h5", lambda path: write_shard(path, untrusted.shard())),
    ):
        path = tmp_path / "study" / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(mine)
        write(path)
        assert mine.read_text() == "precious" and not path.is_symlink()
    assert read_checkpoint(tmp_path / "study" / "a.pt", "f") == {"x": 1}
    read_shard(tmp_path / "study" / "a.h5")


def test_one_place_loads_and_it_never_unpickles():
    calls = {}
    for package in ("theory", "stochreset", "training"):
        for path in (ROOT / package).rglob("*.py"):
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "torch.load(" in line]
            if code := [line for line in lines if "``" not in line]:
                calls[path.relative_to(ROOT).as_posix()] = code
    assert list(calls) == ["training/tensor_files.py"]
    assert all("weights_only=True" in line for lines in calls.values() for line in lines)
