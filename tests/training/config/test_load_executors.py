"""Executors from a file, and paths that start at its folder."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from training.config import load_study  # noqa: E402
from training.executors import ExecutorSettings  # noqa: E402

from .one_treatment import only  # noqa: E402


@pytest.mark.parametrize(
    ("top", "tables", "settings"),
    [
        ('executor = "in-process"', "", ExecutorSettings()),
        ('executor = "slurm:gpu"', "", ExecutorSettings("slurm", options={"slurm_partition": "gpu"})),
        ("", '[executor]\nkind = "gpus"\nworkers = 4', ExecutorSettings("gpus", workers=4)),
        (
            "",
            '[executor]\nkind = "slurm"\noptions = {mem_gb = 8, slurm_qos = "low"}',
            ExecutorSettings("slurm", options={"mem_gb": 8, "slurm_qos": "low"}),
        ),
    ],
)
def test_executors(load_with, top, tables, settings):
    assert load_with(top, tables).executor == settings


def test_relative_paths_start_at_the_folder_of_the_file(load_with, folder, monkeypatch):
    load_with(
        tables='[[perturbation]]\nkind = "stochastic_reset"\ncheckpoint = "nets/a.pt"\nonce = 5\n'
        '[executor]\nkind = "submitit-local"\nlog_folder = "~/logs"'
    )
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    study = load_study("../study.toml")
    assert only(study).perturbation.checkpoint == str(folder / "nets/a.pt")
    assert study.executor.log_folder == str(folder / "home" / "logs")
    assert only(load_study(folder / "study.toml")).perturbation.checkpoint == str(folder / "nets/a.pt")


@pytest.mark.parametrize(
    ("top", "tables"),
    [('executor = "dask:s.json"', ""), ("", '[executor]\nkind = "dask"\naddress = "s.json"')],
)
def test_a_scheduler_file_is_a_path_too(load_with, folder, top, tables):
    assert load_with(top, tables).executor.address == str(folder / "s.json")


def test_the_address_of_a_scheduler_is_none(load_with):
    assert load_with('executor = "dask://node:8786"').executor.address == "tcp://node:8786"
