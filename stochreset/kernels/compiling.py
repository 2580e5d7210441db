"""How kernels are compiled: on first use, without the GIL, cached on disk.

numba's cache notices a change in the file of a kernel, not in the functions that it calls from elsewhere.
Here kernels are cached in a folder named after a digest of all sources that can end up in them.
"""

from __future__ import annotations

import hashlib
import os
import pickle
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
            return super().load_overload(sig, target_context)
        except (OSError, EOFError, AttributeError, ImportError, pickle.UnpicklingError):
            return None


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an outer function of a simulation: releases the GIL, cached on disk.

    Its attribute ``uncached`` is the same kernel kept in memory only, for parameters whose type has no name
    that another process could find.
    """
    compile_ = njit(nogil=True, no_cfunc_wrapper=True, pipeline_class=KernelCompiler, **OPTIONS)
    compiled, uncached = compile_(function), compile_(function)
    compiled._cache, compiled.uncached = _SourceCache(function), uncached
    return compiled


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function to be built into its callers: passing a stream costs more than most functions do."""
    return njit(forceinline=True, **INNER, **OPTIONS)(function)


def called(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, for what is long or rare.

    Left out, ``forceinline`` would be that of the caller that numba happens to compile first.
    """
    return njit(forceinline=False, **INNER, **OPTIONS)(function)
