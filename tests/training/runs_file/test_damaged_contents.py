"""Files that are no runs files or damaged ones, and those of older versions."""

import h5py
import numpy as np
import pytest

from training import RunsFileError, describe, read_runs

from .small_groups import DIRECTIONS


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
