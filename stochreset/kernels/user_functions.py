"""Functions that the user gives as plain Python, compiled and built into kernels.

Each function gets a type of parameters of its own, so that numba builds a kernel with the function inlined.
These kernels are kept in memory, not on disk: a change in what the function refers to could not be noticed
there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from stochreset.kernels.compiling import OPTIONS

EXAMPLE = "write it with arithmetic, `math` or NumPy functions of one number, such as `lambda x: x - x**3`"


_numbers = itertools.count()


def own_name(parameters: type) -> type:
    """Give a type of parameters a name of its own: numba recognises the type of a named tuple by it."""
    parameters.__name__ = parameters.__qualname__ = f"{parameters.__name__}{next(_numbers)}"
    return parameters


def captured(function: Any) -> Hashable:
    """All values from around a function that compiling it makes constants of, to be part of the key of a cache."""
    plain = getattr(function, "py_func", function)
    if not isinstance(plain, FunctionType):
        return None
    names = tuple(dict.fromkeys(_names(plain.__code__)))
    around = [plain.__globals__[name] for name in names if name in plain.__globals__]
    cells = [cell.cell_contents for cell in plain.__closure__ or () if _is_full(cell)]
    return tuple(_frozen(value, names) for value in (*around, *cells, *(plain.__defaults__ or ())))


def _names(code: CodeType) -> Iterator[str]:
    """Names of globals and attributes in a function and in those within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _frozen(value: Any, names: tuple[str, ...]) -> Hashable:
    """A value as it is now, for comparison; of a module the attributes of these names."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, tuple | list):
        return type(value).__name__, *(_frozen(each, names) for each in value)
    if isinstance(value, ModuleType):
        inner = (getattr(value, name, None) for name in names)
        return value.__name__, *(repr(each) for each in inner if isinstance(each, int | float | np.number))
    if isinstance(value, FunctionType | Dispatcher):
        return value
    return type(value).__name__, repr(value)


def compile_function(function: Callable[[float], Any], argument: str, boolean: bool = False) -> Dispatcher:
    """Compile a function of one float that returns a number, or a bool; anew when a number it uses has changed.

    Raises
    ------
    ValueError
        If it is not a function, numba cannot compile it, or it returns something else; names ``argument``.
    """
    if not callable(function):
        raise ValueError(f"`{argument}` must be a function of x, got {function!r}; {EXAMPLE}")
    return _compiled(function, captured(function), argument, boolean)


@lru_cache(maxsize=256)
def _compiled(function: Any, values: Hashable, argument: str, boolean: bool) -> Dispatcher:
    plain = function.py_func if isinstance(function, Dispatcher) else function
    try:
        compiled = numba.njit(**OPTIONS)(plain)
        compiled.get_call_template((types.float64,), {})  # compiles, with defaults of further arguments
    except (NumbaError, TypeError, AttributeError) as problem:
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        reason = next((line for line in lines if not line.startswith("Failed in")), type(problem).__name__)
        name = getattr(plain, "__name__", repr(plain))
        raise ValueError(f"`{argument}` {name} cannot be compiled by numba: {reason}; {EXAMPLE}") from None
    found = types.unliteral(next(iter(compiled.overloads.values())).signature.return_type)
    allowed = types.Boolean if boolean else types.Float | types.Integer
    if not isinstance(found, allowed):
        raise ValueError(
            f"`{argument}` must return {'a bool' if boolean else 'a number'}, it returns {found}; {EXAMPLE}"
        )
    return compiled
