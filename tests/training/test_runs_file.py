import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from theory.hdf5 import seal
from training import RunGroup, RunsFileError, describe, metrics, pad_traces, read_runs, read_study, write_runs
from training.provenance import git_commit, provenance
from training.runs_header import KNOWN

DIRECTIONS = {"acc": "at_least", "loss": "at_most"}


def group(runs=3, epochs=4, perturbation=None, period=None, parameters=None, names=("acc", "loss")):
    values = np.arange(runs * epochs, dtype=float).reshape(runs, epochs)
    return RunGroup(
        np.arange(runs) + 5,
        {name: values + shift for shift, name in enumerate(names)},
        {name: DIRECTIONS.get(name, "at_least") for name in names},
        perturbation,
        period,
        parameters or {},
    )


@pytest.fixture
def path(tmp_path):
    groups = [group(), group(2, 6, "shrink", 20, {"by": [0.4]}), group(1, 2, "shrink", 3)]
    return write_runs(tmp_path / "runs.h5", groups)


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": np.array([1.5, 2])}, "`seeds` must be integers that fit int64, got dtype float64"),
        ({"seeds": np.array([1, 1])}, "`seeds` must be unique"),
        ({"seeds": np.array([1])}, "one entry per run"),
        ({"metrics": {}}, "must have the same names, at least one"),
        ({"directions": {"b": "at_least"}}, "must have the same names"),
        ({"directions": {"a": "up"}}, "`direction` must be"),
        ({"metrics": {"a": np.zeros(2)}}, r"`metrics` 'a': `values` must be a non-empty \(runs, epochs\)"),
        ({"period": 3}, "`perturbation` and `period` go together"),
        ({"perturbation": "p", "period": 0}, "at least 1 epoch"),
        ({"perturbation": "p", "period": 2.5}, "`period` must be a whole number of epochs, got 2.5"),
        ({"perturbation": "p:q", "period": 2}, "`perturbation` 'p:q' is not a usable name"),
        ({"parameters": {"x": 1}}, "`parameters` belong to a perturbation"),
        ({"perturbation": "p", "period": 2, "parameters": {"x": np.nan}}, "`parameters` must be JSON"),
    ],
)
def test_run_group_is_checked(change, message):
    fields = {"seeds": np.array([1, 2]), "metrics": {"a": np.zeros((2, 3))}, "directions": {"a": "at_least"}}
    with pytest.raises(ValueError, match=message):
        RunGroup(**{**fields, **change})


def test_run_group_wants_one_shape_and_usable_metric_names():
    with pytest.raises(ValueError, match="`metrics` must all have the same shape"):
        RunGroup(np.arange(2), {"acc": np.zeros((2, 3)), "loss": np.zeros((2, 4))}, DIRECTIONS)
    for name in ("seed", "a/b", "", "\n"):
        with pytest.raises(ValueError, match="is not a usable name"):
            group(names=(name,))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([], "must hold one unperturbed group, got no groups"),
        ([group(perturbation="p", period=1)], "must hold one unperturbed group, got p:1"),
        ([group(), group()], "must hold one unperturbed group"),
        ([group(), *[group(perturbation="p", period=1)] * 2], "`groups` holds p:1 twice"),
        ([group(), group(perturbation="p", period=1, names=("acc",))], "must share their metrics: p:1 has"),
    ],
)
def test_groups_must_make_a_study(tmp_path, groups, message):
    with pytest.raises(ValueError, match=message):
        write_runs(tmp_path / "runs.h5", groups)
    assert not list(tmp_path.iterdir())


def test_targets_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder .*nowhere does not exist; create it first"):
        write_runs(tmp_path / "nowhere" / "runs.h5", [group()])
    with pytest.raises(ValueError, match="is a folder; give the name of a file in it"):
        write_runs(tmp_path, [group()])
    with pytest.raises(ValueError, match="`provenance` must be JSON"):
        write_runs(tmp_path / "runs.h5", [group()], provenance={"path": tmp_path})


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file(path, monkeypatch, step, error):
    before = path.read_bytes()

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        write_runs(path, [group(9)])
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_write_replaces_the_old_file_and_nothing_else(path):
    write_runs(path, [group(9)])
    assert read_runs(path)[0].shape == (9, 4)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need privileges elsewhere")
def test_a_symbolic_link_stays_one(path):
    link = path.with_name("latest.h5")
    link.symlink_to(path)
    write_runs(link, [group(9)])
    assert link.is_symlink()
    assert read_runs(path)[0].shape == (9, 4)


def test_equal_groups_give_equal_bytes(tmp_path):
    files = [write_runs(tmp_path / name, [group()], provenance={}) for name in ("a.h5", "b.h5")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_files_that_are_no_runs_files(tmp_path, path):
    with pytest.raises(FileNotFoundError, match=r"there is no runs file .*nowhere\.h5"):
        read_runs(tmp_path / "nowhere.h5")
    text = tmp_path / "text.h5"
    text.write_text("acc\n1\n")
    with pytest.raises(RunsFileError, match=r"text\.h5 is not a readable HDF5 file"):
        read_runs(text)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["x"] = 1
    with pytest.raises(RunsFileError, match=r"foreign\.h5: it is an HDF5 file, but not a runs file"):
        read_runs(foreign)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(RunsFileError, match=r"runs\.h5 cannot be read, it may be damaged: .*truncated"):
        read_runs(path)


def put(name, data, *attributes):
    def change(file):
        node, _, key = name.rpartition("/")
        old = dict(file[name].attrs) if name in file else {}
        if name in file:
            del file[name]
        file[node or "/"].create_dataset(key, data=data)
        for attribute in attributes:
            file[name].attrs[attribute] = old[attribute]

    return change


def link(name, target):
    def change(file):
        file[name] = target

    return change


def virtual(file):
    layout = h5py.VirtualLayout((3, 4), np.float64)
    layout[...] = h5py.VirtualSource("other.h5", "acc", (3, 4))
    del file["unperturbed/acc"]
    file["unperturbed"].create_virtual_dataset("acc", layout)


def external(file):
    del file["unperturbed/acc"]
    file["unperturbed"].create_dataset("acc", (3, 4), np.float64, external=[("other.bin", 0, 96)])


def unseal(file):
    """Make it one of version 2, which has no checksums."""
    file.attrs["format_version"] = 2
    nodes = [file]
    file.visititems(lambda _, node: nodes.append(node))
    for node in nodes:
        del node.attrs["checksum"]


DAMAGE = {
    "newer": (lambda f: f.attrs.modify("format_version", 4), "format version 4, .* reads up to 3; upgrade"),
    "version": (lambda f: f.attrs.create("format_version", "1"), "`format_version` must be a whole number"),
    "format": (lambda f: f.attrs.create("format", 3), "it is an HDF5 file, but not a runs file"),
    "unperturbed": (
        lambda f: f.__delitem__("unperturbed"),
        "no group `unperturbed`, only: shrink:20, shrink:3",
    ),
    "twice": (lambda f: f["shrink:20"].attrs.modify("period", 3), "it holds the ensemble shrink:3 twice"),
    "name": (lambda f: f["shrink:3"].attrs.__delitem__("period"), "shrink:3 lacks the attribute `period`"),
    "plain": (lambda f: f["unperturbed"].attrs.create("period", 3), "must not have the attribute `period`"),
    "period": (
        lambda f: f["shrink:3"].attrs.create("period", 2.5),
        "shrink:3`: the attribute `period` must be a whole number from 1, got 2.5",
    ),
    "json": (lambda f: f["shrink:3"].attrs.create("parameters", "{"), "`parameters` is not JSON"),
    "object": (lambda f: f["shrink:3"].attrs.create("parameters", "[]"), "must be a JSON object"),
    "origin": (lambda f: f.attrs.create("provenance", "{"), "`provenance` is not JSON"),
    "seedless": (lambda f: f["shrink:3"].__delitem__("seed"), "group shrink:3 has no dataset `seed`"),
    "seeds": (put("unperturbed/seed", np.array([1, 1, 2])), "group unperturbed: .*`seeds` must be unique"),
    "seed_type": (
        put("unperturbed/seed", np.arange(3.0)),
        "`/unperturbed/seed` must be 1-D int64, got 1-D float64",
    ),
    "seed_count": (put("unperturbed/seed", np.arange(2)), r"`acc` has shape \(3, 4\), .* ask for \(2, 4\)"),
    "epochs": (put("unperturbed/epoch", np.arange(4)), "group unperturbed: `epoch` must count 1..N"),
    "type": (
        put("unperturbed/acc", np.zeros((3, 4), "f4"), "direction"),
        "must be 2-D float64, got 2-D float32",
    ),
    "shape": (put("unperturbed/acc", np.zeros((3, 5)), "direction"), r"`acc` has shape \(3, 5\)"),
    "direction": (put("unperturbed/acc", np.zeros((3, 4))), "must have an attribute `direction`"),
    "way": (lambda f: f["unperturbed/acc"].attrs.create("direction", "up"), "`direction` must be 'at_least'"),
    "metrics": (lambda f: f["shrink:3"].__delitem__("acc"), "group shrink:3 has metrics"),
    "empty": (lambda f: [f["unperturbed"].__delitem__(n) for n in DIRECTIONS], "at least one"),
    "dataset": (put("extra", 1.0), "`/extra` is a Dataset, expected a Group"),
    "group": (lambda f: f.create_group("unperturbed/more"), "is a Group, expected a Dataset"),
    "soft": (link("again", h5py.SoftLink("/unperturbed")), "holds the link 'again'"),
    "external": (link("unperturbed/x", h5py.ExternalLink("x.h5", "/x")), "`/unperturbed` holds the link 'x'"),
    "virtual": (virtual, "the values of `/unperturbed/acc` lie in another file"),
    "storage": (external, "the values of `/unperturbed/acc` lie in another file"),
}


@pytest.mark.parametrize(("change", "message"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_contents_are_named(path, change, message):
    with h5py.File(path, "a") as file:
        unseal(file)
        change(file)
    with pytest.raises(RunsFileError, match=rf"(?s)runs\.h5: .*{message}"):
        describe(path)


def test_older_versions_have_no_checksums(path):
    expected = read_runs(path)
    with h5py.File(path, "a") as file:
        unseal(file)
    assert describe(path)["format_version"] == 2
    for old, new in zip(read_runs(path), expected, strict=True):
        np.testing.assert_array_equal(old.metrics["acc"], new.metrics["acc"])


def test_provenance_tells_where_a_file_comes_from():
    record = provenance({"learning_rate": 0.1})
    assert record["config"] == {"learning_rate": 0.1}
    assert record["packages"]["numpy"] == np.__version__
    assert record["time"].endswith("+00:00")
    assert json.loads(json.dumps(record)) == record
    with pytest.raises(ValueError, match="`config` must be JSON"):
        provenance({"array": np.zeros(2)})


def test_commit_only_of_this_project(tmp_path, monkeypatch):
    assert git_commit(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert git_commit(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('name = "stochreset"\n')
    assert git_commit(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(tmp_path) is None


def test_import_needs_no_torch():
    code = "import sys, training, training.provenance as p; p.provenance(); sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=root, timeout=60)
