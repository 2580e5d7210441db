"""HDF5 files from anyone: what is checked before values are read, and checksums of what they hold.

All readers of this project go the same way. `reading` opens a file and turns every failure into one error that
names it. `children` follows hard links only, and of attributes only scalars of limited length are read
(`attribute`, `text`, `integer`, `real`, `json_object`, `format_version`). `check_dataset` holds what a data set
declares against what is stored, before any of it is read; `Allowance` adds that up over the file. `seal` writes
checksums, `check_seals` compares those of attributes and structure, and `verify` or `read` those of values, block by
block. h5py comes from the caller, this package does not import it.
"""

from theory.hdf5.access import (
    LIBVER,
    Hdf5Error,
    attribute,
    children,
    format_version,
    integer,
    json_object,
    reading,
    real,
    text,
)
from theory.hdf5.checksums import check_seals, checksum, is_sealed, read, row_blocks, seal, verify
from theory.hdf5.datasets import Allowance, check_dataset

__all__ = [
    "LIBVER",
    "Allowance",
    "Hdf5Error",
    "attribute",
    "check_dataset",
    "check_seals",
    "checksum",
    "children",
    "format_version",
    "integer",
    "is_sealed",
    "json_object",
    "read",
    "reading",
    "real",
    "row_blocks",
    "seal",
    "text",
    "verify",
]
