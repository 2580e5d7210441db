"""Functions that the user gives as plain Python, compiled and built into kernels.

Each function gets a type of parameters of its own, so that numba builds a kernel with the function inlined.
These kernels are kept in memory, not on disk: a change in what the function refers to could not be noticed
there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
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


@lru_cache(maxsize=256)
def compile_function(function: Callable[[float], Any], argument: str, boolean: bool = False) -> Dispatcher:
    """Compile a function of one float that returns a number, or a bool.

    Raises
    ------
    ValueError
        If it is not a function, numba cannot compile it, or it returns something else; names ``argument``.
    """
    if not callable(function):
        raise ValueError(f"`{argument}` must be a function of x, got {function!r}; {EXAMPLE}")
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
