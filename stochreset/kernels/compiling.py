"""How kernels are compiled: on first use, without the GIL, cached on disk.

numba's cache notices a change in the file of a kernel, not in the functions that it calls from elsewhere.
Here kernels are cached in a folder named after a digest of all sources that can end up in them.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

from stochreset.kernels.intermediate import InnerCompiler, KernelCompiler

OPTIONS: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy", "_nrt": False}
"""Only fused multiply-add: more would break infinities, or reassociate sums. Without numba's run-time system
no array can be made in a kernel, and in return none is reference-counted at each use, which halves the
time."""
INNER: dict[str, Any] = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "pipeline_class": InnerCompiler,
}
"""Functions that only kernels call need no wrappers, which for a stream are longer than most functions."""

STALE = 7 * 24 * 3600.0
"""Seconds for which kernels of other sources are kept, from when they were last looked for."""


@cache
def sources() -> str:
    """Digest of the sources that kernels are built from."""
    here = Path(__file__).parent
    files = sorted(here.glob("*.py")) + sorted((here.parent / "processes").glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


class _SourceCache(FunctionCache):
    """numba's cache in a folder named after the sources; what cannot be read there counts as not there."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_path: str = os.path.join(self._impl.locator.get_cache_path(), sources())
        self._cache_file = IndexDataCacheFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            os.makedirs(self._cache_path, exist_ok=True)
            remove_stale(self._cache_path)
            return super().load_overload(sig, target_context)
        except (OSError, EOFError, AttributeError, ImportError, pickle.UnpicklingError):
            return None


@cache
def remove_stale(current: str) -> None:
    """Remove the folders of kernels beside ``current`` that nobody has used for long, once in a process."""
    try:
        os.utime(current)
        with os.scandir(os.path.dirname(current)) as found:
            beside = [
                entry.path
                for entry in found
                if entry.name != os.path.basename(current)
                and re.fullmatch("[0-9a-f]{16}", entry.name)
                and entry.is_dir(follow_symlinks=False)
                and time.time() - entry.stat().st_mtime > STALE
            ]
    except OSError:  # tidying up is not worth a failure
        return
    for path in beside:
        shutil.rmtree(path, ignore_errors=True)


def _disk_cache(function: Callable[..., Any]) -> _SourceCache | None:
    """The cache of a kernel on disk; None where no folder for it can be written, as on a read-only system."""
    try:
        return _SourceCache(function)
    except RuntimeError:
        return None


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an outer function of a simulation: releases the GIL, cached on disk where that can be written.

    Its attribute ``uncached`` is the same kernel kept in memory only, for parameters whose type has no name
    that another process could find.
    """
    compile_ = njit(nogil=True, no_cfunc_wrapper=True, pipeline_class=KernelCompiler, **OPTIONS)
    compiled, uncached = compile_(function), compile_(function)
    on_disk = _disk_cache(function)
    if on_disk is not None:
        compiled._cache = on_disk
    compiled.uncached = uncached
    return compiled


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function to be built into its callers: passing a stream costs more than most functions do."""
    return njit(forceinline=True, **INNER, **OPTIONS)(function)


def called(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, for what is long or rare.

    Left out, ``forceinline`` would be that of the caller that numba happens to compile first.
    """
    return njit(forceinline=False, **INNER, **OPTIONS)(function)
