"""Damage to the heaps in which texts lie: the HDF5 library would follow some of it for ever."""

import struct
from itertools import product

import h5py
import numpy as np
import pytest

pytest.importorskip("torch")

from theory.hdf5 import global_heaps  # noqa: E402
from theory.hdf5.global_heaps import endless_heap  # noqa: E402

from . import untrusted  # noqa: E402
from .harmful_hdf5 import READERS  # noqa: E402

HEADER = 16
SIZES = (0, 1, 8, 15, 16, 17, 24, 4080, 4096, 2**32, 2**63)
WRAPPED = (1, 8, 15, 16, 17, 24, 32, 48, 56, 4096)
"""Bytes short of 2^64."""


def objects(content):
    """Where the objects of the first collection begin, and their indices."""
    start = content.index(b"GCOL")
    at, end = start + HEADER, start + struct.unpack_from("<Q", content, start + 8)[0]
    while at + HEADER <= end:
        index, size = struct.unpack_from("<H6xQ", content, at)
        yield at, index
        at += HEADER + -(-size // 8) * 8 if index else size


def written(path, texts, libver=("v110", "v110")):
    with h5py.File(path, "w", libver=libver) as file:
        for name, text in texts.items():
            file.attrs[name] = text
    return path.read_bytes()


@pytest.mark.parametrize("reader", READERS)
def test_an_object_without_size_is_refused(tmp_path, reader):
    write, read, error, _ = READERS[reader]
    path = write(tmp_path / "damaged.h5")
    content = bytearray(path.read_bytes())
    at = [at for at, _ in objects(content)][3]
    content[at : at + HEADER] = bytes(HEADER)  # a sector that a disk lost reads as zeros
    path.write_bytes(content)
    with pytest.raises(
        error, match=r"damaged\.h5: it is damaged: the global heap at byte [\d,]+ leads nowhere"
    ):
        read(path)


def test_what_is_let_through_is_read_to_its_end(tmp_path):
    content = written(tmp_path / "sound.h5", {f"text {k}": "x" * (5 + 3 * k) for k in range(6)})
    found = list(objects(content))
    assert [index for _, index in found] == [1, 2, 3, 4, 5, 6, 0]
    path = tmp_path / "changed.h5"
    refused = set()
    for (at, old), index, size in product(
        (found[0], found[2], found[-1]), (None, 0, 60_000), (*SIZES, *(2**64 - short for short in WRAPPED))
    ):
        changed = bytearray(content)
        struct.pack_into("<H6xQ", changed, at, old if index is None else index, size)
        path.write_bytes(changed)
        if endless_heap(path, 8) is not None:
            refused.add((old if index is None else index, size))
            continue
        with untrusted.returning(), h5py.File(path, "r") as file:
            for name in file.attrs:
                try:
                    file.attrs[name]
                except (OSError, ValueError, MemoryError):
                    continue
    # Those that take no room: object 0 says so itself, others with their header in 64 bits.
    nowhere = {(index, 2**64 - short) for index in (1, 3, 60_000) for short in (16, 17)} | {(0, 0)}
    # A step within what was free leads to zeros, others lead back. HDF5 2.0 was seen to follow all but these without
    # an end, and 1.14 these too.
    assert nowhere <= refused and all(
        index == 0 or size < 4096 or size >= 2**63 for index, size in refused - nowhere
    )


@pytest.mark.parametrize("libver", ["earliest", ("v110", "v110"), "latest"])
def test_sound_files_pass_whatever_was_changed_in_them(tmp_path, libver):
    path = tmp_path / "sound.h5"
    written(path, {f"text {k}": "x" * k for k in range(40)}, libver)
    rng = np.random.default_rng(0)
    for _ in range(60):
        with h5py.File(path, "a") as file:
            name = f"text {rng.integers(40)}"
            if rng.random() < 0.4:
                file.attrs.pop(name, None)
            else:
                file.attrs[name] = "y" * int(2 ** rng.uniform(0, 13))
        assert endless_heap(path, 8) is None


@pytest.mark.parametrize("length_size", [4, 8])
def test_lengths_of_either_size(tmp_path, length_size):
    path = tmp_path / "sized.h5"
    created = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    created.set_sizes(8, length_size)
    with h5py.File(h5py.h5f.create(bytes(path), fcpl=created)) as file:
        file.attrs["text"] = "x" * 9
    content = bytearray(path.read_bytes())
    assert endless_heap(path, length_size) is None
    at = content.index(b"x" * 9) - HEADER
    content[at : at + HEADER] = bytes(HEADER)
    path.write_bytes(content)
    assert endless_heap(path, length_size) == content.index(b"GCOL")


def test_signatures_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(global_heaps, "BLOCK_BYTES", 64)
    path = tmp_path / "blocks"
    collection = b"GCOL\x01\x00\x00\x00" + struct.pack("<Q", 4096) + bytes(HEADER)
    for start in range(1, 140):
        path.write_bytes(b"G" * start + collection + bytes(4096))
        assert endless_heap(path, 8) == start


def test_collections_that_overlap_take_no_more_steps_than_there_is_room(tmp_path):
    path = tmp_path / "overlapping"
    # Each says that it goes on to the end, object by object: n^2 / 2 steps if all were followed.
    path.write_bytes(struct.pack("<4sB3xQ", b"GCOL", 1, 2**40) * 20_000)
    with untrusted.returning():
        assert endless_heap(path, 8) is not None
