"""Data sets that were made to do harm, and what reads files that hold them."""

import zlib

import h5py
import numpy as np

from stochreset.sample_file import SampleFileError, read_sample
from training import RunsFileError, read_runs
from training.study.shards import read_shard

from . import untrusted

READERS = {
    "runs": (untrusted.runs_file, read_runs, RunsFileError, "shrink:20/loss"),
    "shard": (untrusted.shard_file, read_shard, RunsFileError, "shrink:20/loss"),
    "sample": (untrusted.sample_file, read_sample, SampleFileError, "times"),
}


def shaped(file, name, last):
    dimensions = file[name].ndim
    return (10**6, last // 10**6) if dimensions == 2 else (last,)


def replace(file, name, shape, **settings):
    kept = {key: value for key, value in file[name].attrs.items() if key in ("direction", "checksum")}
    del file[name]
    made = file.create_dataset(name, shape, np.float64, **settings)
    made.attrs.update(kept)
    return made


def empty(file, name):
    replace(file, name, shaped(file, name, 10**12), chunks=True)


def contiguous(file, name):
    replace(file, name, shaped(file, name, 10**12))


def bomb(file, name):
    """Ten million zeros, compressed twice over."""
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    shape = shaped(file, name, 10**7)
    made.set_chunk(shape)
    made.set_deflate(9)
    made.set_deflate(9)
    kept = {key: value for key, value in file[name].attrs.items() if key in ("direction", "checksum")}
    del file[name]
    space = h5py.h5s.create_simple(shape)
    dataset = h5py.Dataset(h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_DOUBLE, space, made))
    packed = zlib.compress(zlib.compress(bytes(8 * 10**7), 9), 9)
    dataset.id.write_direct_chunk((0,) * len(shape), packed)
    dataset.attrs.update(kept)


def large_chunk(file, name):
    shape = (2**14, 2**14) if file[name].ndim == 2 else (2**28,)
    replace(
        file, name, file[name].shape, maxshape=tuple(None for _ in shape), chunks=shape, compression="gzip"
    )


def external(file, name):
    replace(file, name, file[name].shape, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def virtual(file, name):
    shape = file[name].shape
    layout = h5py.VirtualLayout(shape, np.float64)
    layout[...] = h5py.VirtualSource("/etc/other.h5", "x", shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def soft(file, name):
    del file[name]
    file[name] = h5py.SoftLink("/unperturbed/loss")


def outside(file, name):
    del file[name]
    file[name] = h5py.ExternalLink("other.h5", "/x")


def references(file, name):
    shape, kept = file[name].shape, dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, shape, h5py.ref_dtype)
    file[name].attrs.update({key: kept[key] for key in ("direction", "checksum") if key in kept})


def texts(file, name):
    shape, kept = file[name].shape, dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, shape, h5py.string_dtype())
    file[name].attrs.update({key: kept[key] for key in ("direction", "checksum") if key in kept})


HARMS = {
    "declares more than is stored": (
        empty,
        "declares 8,000,000,000,000 bytes, of which 0 are stored; .* store",
    ),
    "declares and stores nothing": (contiguous, "declares 8,000,000,000,000 bytes, of which 0 are stored"),
    "unpacks without end": (bomb, "stored with the filters 1, 1; only gzip, .* are read, each once"),
    "chunk of two gigabytes": (
        large_chunk,
        "in chunks of 2,147,483,648 bytes; at most 67,108,864 are read, store",
    ),
    "values in another file": (external, "lie in another file; store them in this one"),
    "values of another file": (virtual, "lie in another file; store them in this one"),
    "soft link": (soft, "holds the link '.*'; soft and external links are not followed"),
    "external link": (outside, "holds the link '.*'; soft and external links are not followed"),
    "references": (references, "must be .-D float64, got .-D object"),
    "texts": (texts, "must be .-D float64, got .-D object"),
}
