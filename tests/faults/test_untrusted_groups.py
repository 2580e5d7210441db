"""Groups of HDF5 files with too many members, within themselves, or of hostile names."""

import json

import h5py
import pytest

pytest.importorskip("torch")

from theory.hdf5 import access  # noqa: E402
from training import RunsFileError, read_runs  # noqa: E402
from training.study.shards import read_shard  # noqa: E402

from . import untrusted  # noqa: E402


def test_many_groups_and_data_sets(tmp_path):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        for number in range(access.MOST_DATASETS):
            file["unperturbed"][f"m{number}"] = file["unperturbed/loss"]
    with pytest.raises(
        RunsFileError, match=r"`/unperturbed` holds 1,004 members, of which at most 1,000 are read"
    ):
        read_runs(path)
    with h5py.File(path, "a") as file:
        for number in range(access.MOST_GROUPS):
            file[f"x:{number}"] = file["shrink:20"]
    with pytest.raises(
        RunsFileError, match=r"`/` holds 10,005 members, of which at most 10,000 are read; split"
    ):
        read_runs(path)


def test_groups_within_themselves(tmp_path):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        file["unperturbed/again"] = file["/"]
    with pytest.raises(RunsFileError, match="is a Group, expected a Dataset"):
        read_runs(path)
    path = untrusted.shard_file(tmp_path / "shard.h5")
    with h5py.File(path, "a") as file:
        file["again"] = file["shrink:20"]
    with pytest.raises(RunsFileError, match="holds 2 members, of which at most 1 are read"):
        read_shard(path)


def test_messages_do_not_command_the_terminal(tmp_path):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("unperturbed/\x1b[2J\n", data=1.0).attrs["direction"] = "at_least"
    with pytest.raises(RunsFileError) as problem:
        read_runs(path)
    assert str(problem.value).isprintable() and "\\x1b[2J" in str(problem.value)


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "x" * 300, "a\nb", ""])
def test_names_that_could_lead_out_of_a_folder(tmp_path, name):
    path = untrusted.runs_file(tmp_path / "runs.h5")
    with h5py.File(path, "a") as file:
        untrusted.unseal(file)
        file["shrink:20"].attrs["perturbation"] = name
        file["rare:poisson-0.05"].attrs["protocol"] = json.dumps({"label": name})
    with pytest.raises(RunsFileError, match=r"runs\.h5: group .*is not a usable name"):
        read_runs(path)
