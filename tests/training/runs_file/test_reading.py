"""What was written is read again, as groups, as a study, as a description and by xarray."""

import json

import h5py
import numpy as np
import pytest
import xarray

from theory.hdf5 import seal
from training import RunGroup, describe, metrics, pad_traces, read_runs, read_study, write_runs
from training.runs_header import KNOWN

from .small_groups import DIRECTIONS, group


def test_round_trip(path):
    plain, third, twentieth = read_runs(path)
    assert [g.name for g in (plain, third, twentieth)] == ["unperturbed", "shrink:3", "shrink:20"]
    assert (twentieth.perturbation, twentieth.period, twentieth.parameters) == ("shrink", 20, {"by": [0.4]})
    assert twentieth.directions == DIRECTIONS
    original = group(2, 6)
    np.testing.assert_array_equal(twentieth.seeds, original.seeds)
    for name, values in original.metrics.items():
        np.testing.assert_array_equal(twentieth.metrics[name], values)
        assert not twentieth.metrics[name].flags.writeable


def test_study_of_one_metric(path):
    study = read_study(path, "loss")
    assert [e.name for e in study] == ["unperturbed", "shrink:3", "shrink:20"]
    assert {(e.metric, e.direction) for e in study} == {("loss", "at_most")}
    np.testing.assert_array_equal(study.unperturbed.values, group().metrics["loss"])


def test_metric_may_be_left_out_where_it_is_clear(tmp_path, path):
    with pytest.raises(ValueError, match=r"`metric` is needed, .*runs\.h5 has several: acc, loss"):
        read_study(path)
    with pytest.raises(ValueError, match=r"`metric` 'speed' is not in .*runs\.h5; it has: acc, loss"):
        read_study(path, "speed")
    assert read_study(write_runs(tmp_path / "d.h5", [group()], metric="loss")).unperturbed.metric == "loss"
    only = write_runs(tmp_path / "o.h5", [group(names=("acc",))])
    assert read_study(only).unperturbed.metric == "acc"
    with h5py.File(only, "a") as file:
        del file.attrs["default_metric"]
        seal(file, KNOWN)
    assert read_study(only).unperturbed.metric == "acc"


def test_shorter_runs_and_divergence_survive(tmp_path):
    values = pad_traces([[1.0, np.inf, 2.0], [3.0]])
    path = write_runs(tmp_path / "r.h5", [RunGroup(np.array([1, 2]), {"a": values}, {"a": "at_least"})])
    ensemble = read_study(path).unperturbed
    np.testing.assert_array_equal(ensemble.values, [[1, np.inf, 2], [3, np.nan, np.nan]])
    np.testing.assert_array_equal(ensemble.lengths, [1, 1])
    with pytest.raises(ValueError, match="`traces` must be 1-D, number 1 has shape"):
        pad_traces([[1.0], [[2.0]]])


def test_description(path):
    summary = json.loads(json.dumps(describe(path)))
    assert summary["metrics"] == metrics(path) == DIRECTIONS
    assert summary["ensembles"][2] == {
        "name": "shrink:20",
        "perturbation": "shrink",
        "period": 20,
        "first": None,
        "protocol": {},
        "parameters": {"by": [0.4]},
        "runs": 2,
        "epochs": 6,
    }
    assert summary["default_metric"] is None
    assert summary["provenance"]["packages"]["h5py"] == h5py.__version__


def test_xarray_opens_every_group(path):
    for expected in read_runs(path):
        with xarray.open_dataset(path, group=expected.name, engine="h5netcdf") as dataset:
            assert dict(dataset.sizes) == dict(zip(("seed", "epoch"), expected.shape, strict=True))
            np.testing.assert_array_equal(dataset.seed, expected.seeds)
            np.testing.assert_array_equal(dataset.epoch, np.arange(1, expected.shape[1] + 1))
            for name, values in expected.metrics.items():
                assert dataset[name].dims == ("seed", "epoch")
                assert dataset[name].attrs["direction"] == DIRECTIONS[name]
                np.testing.assert_array_equal(dataset[name], values)
    with xarray.open_dataset(path, engine="h5netcdf") as root:
        assert root.attrs["format"] == "stochreset-runs"


def test_unknown_attributes_are_tolerated(path):
    with h5py.File(path, "a") as file:
        for node in (file, file["shrink:20"], file["shrink:20/acc"]):
            node.attrs["note"] = "added later"
    assert len(read_runs(path)) == 3


def test_group_attributes_count_not_its_name(path):
    with h5py.File(path, "a") as file:
        file["shrink:20"].attrs["period"] = 40
        seal(file, KNOWN)
    assert read_study(path, "acc").periods("shrink") == (3, 40)
