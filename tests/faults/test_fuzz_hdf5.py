"""Random damage and random structure of HDF5 files: the documented errors or sound data, nothing else."""

import os
from contextlib import suppress

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from stochreset.sample_file import SampleFileError, read_sample  # noqa: E402
from theory.hdf5 import seal  # noqa: E402
from training import RunsFileError, read_runs, read_study  # noqa: E402
from training.runs_header import KNOWN  # noqa: E402
from training.study.shards import COVERED, read_shard  # noqa: E402

from . import untrusted  # noqa: E402

READERS = {
    "runs": (
        untrusted.runs_file,
        read_runs,
        RunsFileError,
        lambda found: [untrusted.contents(g) for g in found],
    ),
    "shard": (untrusted.shard_file, read_shard, RunsFileError, untrusted.shard_contents),
    "sample": (untrusted.sample_file, read_sample, SampleFileError, untrusted.sample_contents),
}
SOUND: dict = {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def sound(kind, folder):
    if kind not in SOUND:
        write, read, _, contents = READERS[kind]
        path = write(folder / kind)
        SOUND[kind] = (path.read_bytes(), contents(read(path)))
    return SOUND[kind]


splices = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.one_of(
            st.binary(min_size=1, max_size=8),
            st.sampled_from([b"\x00" * 8, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\x01" + b"\x00" * 7]),
        ),
        st.sampled_from(["replace", "insert", "remove"]),
    ),
    min_size=1,
    max_size=6,
)


def spliced(content, changes):
    changed = bytearray(content)
    for where, new, how in changes:
        at = int(where * (len(changed) - 1))
        changed[at : at + (0 if how == "insert" else len(new))] = b"" if how == "remove" else new
    return bytes(changed)


@pytest.mark.parametrize("kind", READERS)
@given(changes=splices)
@untrusted.fuzz(100)
def test_spliced_files(folder, kind, changes):
    content, expected = sound(kind, folder)
    path = folder / f"{kind}-spliced"
    path.write_bytes(spliced(content, changes))
    _, read, error, contents = READERS[kind]
    try:
        with untrusted.returning():
            found = read(path)
    except error as problem:
        assert path.name in str(problem)
    else:
        assert contents(found) == expected


attribute_names = st.sampled_from(
    [*COVERED, "checksum", "DIMENSION_LIST", "other", "dt", "seed", "digest", "bias"]
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
values = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.integers(0, 4),
    st.floats(),
    st.booleans(),
    texts,
    st.binary(max_size=20).map(np.bytes_),
    st.sampled_from(
        ["{}", "[]", '{"label": "x"}', '{"a": 1e999}', "stochreset-runs", "stochreset-shard", "at_least"]
    ),
    st.sampled_from(["stochreset-sample", "at_most", "euler", "[1, 2, 3, 4]", '["a"]', h5py.Empty("f8")]),
    st.lists(st.integers(0, 5), max_size=3).map(lambda numbers: np.array(numbers, np.int64)),
    st.lists(texts.filter(lambda t: t.isascii()), min_size=1, max_size=3),
)
names = st.one_of(
    st.sampled_from(
        ["unperturbed", "x:3", "x:3@9", "seed", "epoch", "accuracy", "times", "censored", ":", "a b"]
    ),
    texts.filter(lambda text: text.strip("./") and "/" not in text),
)
dtypes = st.sampled_from(
    ["<f8", ">f8", "<f4", "<i8", ">i8", "<i4", "<u8", "?", "S3", "<c16", h5py.string_dtype(), h5py.ref_dtype]
)
shapes = st.lists(st.sampled_from([0, 1, 2, 3, 5]), max_size=3).map(tuple)
filters = st.sampled_from(
    [{}, {"compression": "gzip"}, {"compression": "lzf"}, {"fletcher32": True}, {"chunks": True}]
)
datasets = st.fixed_dictionaries(
    {
        "shape": shapes,
        "dtype": dtypes,
        "filters": filters,
        "huge": st.sampled_from([False] * 9 + [True]),
        "fill": st.integers(0, 3),
        "attributes": st.dictionaries(attribute_names, values, max_size=3),
    }
)  # fmt: skip
nodes = st.dictionaries(
    names, st.one_of(datasets, st.sampled_from(["soft", "external", "group"])), max_size=5
)
groups = st.tuples(st.dictionaries(attribute_names, values, max_size=5), nodes)


def add_dataset(node, name, plan):
    shape = plan["shape"]
    plain = not shape or 0 in shape or not isinstance(plan["dtype"], str)
    filters = {} if plain else plan["filters"]
    if plan["huge"] and not plain:
        node.create_dataset(name, (10**9, *shape[1:]), plan["dtype"], chunks=shape)
        return
    dataset = node.create_dataset(name, shape, plan["dtype"], **filters)
    if dataset.dtype.kind in "fiub" and dataset.size:
        dataset[...] = np.arange(dataset.size).reshape(shape) % 4 + plan["fill"]


def build(node, attributes, members):
    for key, value in attributes.items():
        node.attrs[key] = value
    for name, plan in members.items():
        if name in node:
            continue
        if plan == "soft":
            node[name] = h5py.SoftLink("/")
        elif plan == "external":
            node[name] = h5py.ExternalLink("other.h5", "/x")
        elif plan == "group":
            node.create_group(name)
        else:
            add_dataset(node, name, plan)
            for key, value in plan["attributes"].items():
                node[name].attrs[key] = value


def read_all(path, kind):
    _, read, error, _ = READERS[kind]
    for each in (read, *((read_study,) if kind == "runs" else ())):
        try:
            with untrusted.returning():
                each(path)
        except error as problem:
            assert path.name in str(problem) and str(problem).isprintable()
        except ValueError as problem:
            assert each is read_study and "`metric`" in str(problem)


UNSEALED = {"runs": 2, "shard": 1, "sample": 1}
"""Versions that have no checksums: with one that has them, everything made at random would be refused for that."""


@pytest.mark.parametrize("kind", READERS)
@given(
    root=st.dictionaries(attribute_names, values, max_size=4), tree=st.dictionaries(names, groups, max_size=3)
)
@untrusted.fuzz(60)
def test_random_structure(folder, kind, root, tree):
    path = folder / f"{kind}-random"
    with h5py.File(path, "w") as file:
        for key, value in {**root, "format": f"stochreset-{kind}", "format_version": UNSEALED[kind]}.items():
            file.attrs[key] = value
        for name, (attributes, members) in tree.items():
            build(file if kind == "sample" else file.create_group(name), attributes, members)
    read_all(path, kind)


def change_something(file, place, key, value, plan, name, action):
    found = ["/"]
    file.visit(found.append)
    node = file[found[int(place * (len(found) - 1))]]
    if action == "set":
        node.attrs[key] = value
    elif action == "remove" and len(node.attrs):
        del node.attrs[sorted(node.attrs)[int(place * 97) % len(node.attrs)]]
    elif action == "delete" and node.name != "/":
        del file[node.name]
    elif action == "put":
        parent = node if isinstance(node, h5py.Group) else node.parent
        if name in parent:
            del parent[name]
        add_dataset(parent, name, plan)
    elif action == "replace" and isinstance(node, h5py.Dataset):
        place_of, kept = node.name, {k: v for k, v in node.attrs.items() if k in ("direction", "checksum")}
        del file[place_of]
        add_dataset(file, place_of, plan)
        for each, stored in kept.items():
            file[place_of].attrs[each] = stored


def largest(file):
    sizes = [0]
    file.visititems(lambda _, node: sizes.append(node.size or 0) if isinstance(node, h5py.Dataset) else None)
    return max(sizes)


actions = st.sampled_from(["set", "remove", "delete", "put", "replace"])
changes = st.lists(
    st.tuples(st.floats(0, 1), attribute_names, values, datasets, names, actions), min_size=1, max_size=3
)


@pytest.mark.parametrize("kind", READERS)
@given(plans=changes, sealing=st.sampled_from(["kept", "none", "anew"]))
@untrusted.fuzz(40)
def test_sound_files_changed_through_the_library(folder, kind, plans, sealing):
    content, _ = sound(kind, folder)
    path = folder / f"{kind}-changed"
    path.write_bytes(content)
    with h5py.File(path, "a") as file:
        if sealing != "kept":
            untrusted.unseal(file, 1)
        for plan in plans:
            change_something(file, *plan)
        if sealing == "anew" and largest(file) < 10**6:  # else it would take minutes, and is refused anyway
            with suppress(Exception):  # what it is not made for
                seal(file, COVERED if kind == "shard" else KNOWN)
    read_all(path, kind)


def test_fuzzing_writes_nothing_elsewhere(folder):
    assert not os.path.exists("other.h5") and not (folder / "other.h5").exists()
