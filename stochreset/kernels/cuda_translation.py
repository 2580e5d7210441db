"""Kernels for another target from the same Python sources: the functions that lie below them are rebuilt.

numba resolves `stochreset.kernels.dispatch` by overloads that only its CPU target knows. Here a function is
copied with the names that it refers to bound anew: an operation to what is registered for the types at hand,
a compiled function to its own copy, and what the target must do differently to a substitute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from stochreset.kernels import dispatch

Function = Callable[..., Any]
PACKAGE = __name__.rpartition(".")[0]
ASKED_OF = {
    "process": ("begin", "renew", "beyond", "drift", "fold"),
    "scheme": ("leap", "resize"),
    "monitor": ("margin", "hits"),
    "condition": ("allows",),
}
"""Which operations are resolved by the type of what."""


def operations(**types: type) -> dict[Function, Function]:
    """Implementation of each operation of `ASKED_OF`, for these types of process, scheme, ..."""
    return {
        getattr(dispatch, name): dispatch.IMPLEMENTATIONS[name, types[role]]
        for role, names in ASKED_OF.items()
        for name in names
    }


class Translator:
    """Rebuilds functions and compiles them with ``compiled``, each once.

    Parameters
    ----------
    compiled : callable
        Compiles a plain Python function for the target, on first use.
    substitutes : dict
        For a function the one that takes its place, which is then translated, too.
    ready : dict
        For a function or a module its form for the target, taken as it is.

    Examples
    --------
    >>> from stochreset.kernels.streams import mix
    >>> Translator(lambda function: function, {}, {})(mix).__name__
    'mix'
    """

    def __init__(
        self,
        compiled: Callable[[Function], Any],
        substitutes: dict[Function, Function],
        ready: dict[Any, Any],
    ) -> None:
        self.compiled = compiled
        self.substitutes = {_plain(old): new for old, new in substitutes.items()}
        self.made = {_plain(old): new for old, new in ready.items()}

    def __call__(self, function: Function) -> Any:
        """Return the form of a function for the target."""
        plain = _plain(function)
        if plain in self.substitutes:
            return self(self.substitutes[plain])
        if plain not in self.made:
            copy = FunctionType(
                plain.__code__,
                {"__builtins__": __builtins__, "__name__": plain.__module__},
                plain.__name__,
                plain.__defaults__,
                tuple(CellType() for _ in plain.__closure__ or ()),
            )
            self.made[plain] = self.compiled(copy)
            # Only now, so that a function may refer to itself.
            self._bind(plain, copy)
        return self.made[plain]

    def _bind(self, plain: Any, copy: FunctionType) -> None:
        around = plain.__globals__
        copy.__globals__.update(
            {name: self._value(around[name]) for name in _names(plain.__code__) if name in around}
        )
        for old, new in zip(plain.__closure__ or (), copy.__closure__ or (), strict=True):
            new.cell_contents = self._value(old.cell_contents)

    def _value(self, value: Any) -> Any:
        if isinstance(value, ModuleType | np.ufunc):
            return self.made.get(value, value)
        ours = isinstance(value, FunctionType) and value.__module__.startswith(PACKAGE)
        return self(value) if ours or isinstance(value, Dispatcher) else value


def _plain(function: Any) -> Any:
    return getattr(function, "py_func", function)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
