"""Shards: their names, and those of other settings, of other versions, damaged or something else."""

import h5py
import numpy as np
import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.perturbations import ShrinkPerturb  # noqa: E402
from training.protocols import Periodic  # noqa: E402
from training.runs_reader import RunsFileError  # noqa: E402
from training.study import StudyError, Treatment, run_study  # noqa: E402
from training.study.plan import unit_name  # noqa: E402
from training.study.shards import read_shard  # noqa: E402


def test_other_settings_need_another_folder(cases, tmp_path):
    run_study(cases.small(), tmp_path)
    with pytest.raises(
        StudyError, match=r"shards/unperturbed-0.h5 holds runs .* other settings .* another folder"
    ):
        run_study(cases.small(epochs=10), tmp_path)
    with pytest.raises(StudyError, match=r"shrink_perturb-3-0.h5 holds runs that were trained with other"):
        run_study(cases.small(treatments=(Treatment(ShrinkPerturb(0.5), Periodic(3)),)), tmp_path)
    shard = tmp_path / "shards" / "unperturbed-1.h5"
    shard.write_bytes(shard.read_bytes()[:500])
    with pytest.raises(RunsFileError, match=r"unperturbed-1.h5 cannot be read, it may be damaged.*delete it"):
        run_study(cases.small(), tmp_path)
    shard.unlink()
    assert run_study(cases.small(), tmp_path).epochs_now == 2 * 9
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StudyError, match="`folder` .*file is a file; give the name of a folder"):
        run_study(cases.small(), file)


def test_units_have_names_of_files():
    assert unit_name("unperturbed", 0) == "unperturbed-0"
    assert unit_name("shrink_perturb:20@60", 3) == "shrink_perturb-20@60-3"
    assert unit_name("A b:2", 0) != unit_name("a b:2", 0) != unit_name("a-b:2", 0)


def test_a_shard_names_itself_when_it_is_something_else(cases, tmp_path):
    report = run_study(cases.small(), tmp_path)
    with pytest.raises(RunsFileError, match="runs.h5: it is not a shard of a training study"):
        read_shard(report.path)


def test_shards_of_other_versions(cases, tmp_path):
    run_study(cases.small(), tmp_path)
    path = tmp_path / "shards" / "unperturbed-0.h5"
    known = read_shard(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(
        RunsFileError, match="format version 2, this version of stochreset reads up to 1; upgrade"
    ):
        read_shard(path)
    with h5py.File(path, "r+") as file:  # as before there were versions, and checksums
        del file.attrs["format_version"]
        remove_seals(file)
    np.testing.assert_array_equal(
        read_shard(path).group.metrics["test_loss"], known.group.metrics["test_loss"]
    )


def remove_seals(node):
    node.attrs.pop("checksum", None)
    for child in node.values() if isinstance(node, h5py.Group) else ():
        remove_seals(child)
