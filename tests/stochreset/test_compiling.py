"""What numba makes of functions that only kernels call."""

import gc
import os
import re
import time

import numpy as np
import pytest
from numba import njit
from numba.core.caching import CompileResultCacheImpl

from stochreset.kernels.compiling import OPTIONS, STALE, _SourceCache, called, inlined, kernel, remove_stale


@inlined
def short(x):
    return x * x + 1.0


@called
def rare(x):
    return short(x) ** 0.5 + short(x + 1.0)


@inlined
def outer(x):
    return rare(x) + rare(2.0 * x)


@kernel
def total(values):
    result = 0.0
    for value in values:
        result += outer(value) + rare(value)
    return result


@pytest.fixture(scope="module")
def assembly():
    total.uncached(np.arange(5.0))
    (text,) = total.uncached.inspect_asm().values()
    return text


def defined(text):
    return re.findall(r"^(_ZN\w+):", text, re.MULTILINE)


def test_a_called_function_is_there_once_and_an_inlined_one_not_at_all(assembly):
    names = defined(assembly)
    assert sum("4rare" in name for name in names) == 1
    assert not any("5short" in name or "5outer" in name for name in names)


def test_inlined_functions_have_no_machine_code_of_their_own(assembly):
    for function in (short, outer):
        (compiled,) = function.overloads.values()
        assert not compiled.library.codegen._engine.is_symbol_defined(compiled.fndesc.llvm_func_name)


def test_result_is_that_of_numba_left_alone():
    plain_short = njit(**OPTIONS)(short.py_func)
    plain_rare = njit(**OPTIONS)(lambda x: plain_short(x) ** 0.5 + plain_short(x + 1.0))

    @njit(**OPTIONS)
    def plain(values):
        result = 0.0
        for value in values:
            result += plain_rare(value) + plain_rare(2.0 * value) + plain_rare(value)
        return result

    values = np.linspace(0.1, 7.3, 1000)
    assert total.uncached(values) == pytest.approx(plain(values), rel=1e-14)


def test_without_a_folder_to_cache_in_kernels_are_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator available"):
        _SourceCache(total.py_func)

    @kernel
    def twice(x):
        return 2.0 * short(x)

    assert twice(2.0) == 10.0


def test_old_kernels_of_other_sources_are_removed(tmp_path):
    ours, old, new, other = (tmp_path / name for name in ("0" * 16, "1" * 16, "2" * 16, "other"))
    long_ago = time.time() - 2 * STALE
    for folder in (ours, old, new, other):
        folder.mkdir()
        (folder / "kernel.nbc").touch()
    (tmp_path / ("3" * 16)).symlink_to(other)
    for folder in (ours, old, other):
        os.utime(folder, (long_ago, long_ago))
    remove_stale(str(ours))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0" * 16, "2" * 16, "3" * 16, "other"]
    assert (other / "kernel.nbc").exists() and time.time() - ours.stat().st_mtime < STALE
    remove_stale(str(tmp_path / "nowhere" / ("4" * 16)))


def test_garbage_is_collected_again_after_compiling():
    assert gc.isenabled()
    gc.disable()
    try:
        total.uncached(np.arange(5.0, dtype=np.float32))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_in_a_function_is_told_and_collecting_goes_on():
    @called
    def wrong(x):
        return x.nothing

    @kernel
    def fails(x):
        return wrong(x)

    with pytest.raises(Exception, match="Unknown attribute 'nothing'"):
        fails.uncached(1.0)
    assert gc.isenabled()
