"""Settings as JSON takes them, the same in every process: what a study's folder is recognised by."""

from __future__ import annotations

import json
import re
from functools import partial
from types import MethodType
from typing import Any

from training.data.base import Data

PLAIN: Any = object.__repr__
"""What shows no more of an object than its address."""


def describe(value: Any) -> Any:
    """Return settings as JSON takes them.

    Dataclasses and other objects by kind and attributes, data by digest. Functions and classes by name: two of one
    name, such as functions defined within another one, cannot be told from each other.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Data):
        return {"kind": "Data", "digest": value.digest()}
    if isinstance(value, list | tuple):
        return [describe(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(describe, value), key=json.dumps)
    if isinstance(value, dict):
        return {str(name): describe(each) for name, each in value.items()}
    if isinstance(value, partial):
        return {"kind": "partial", **_attributes(value, ("func", "args", "keywords"))}
    if isinstance(value, MethodType):
        return {"kind": "method", "name": _name(value), "of": describe(value.__self__)}
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return _name(value)
    if hasattr(value, "__dataclass_fields__"):
        return {"kind": type(value).__name__, **_attributes(value, value.__dataclass_fields__)}
    if type(value).__repr__ is PLAIN:
        slots = [name for each in type(value).__mro__ for name in getattr(each, "__slots__", ())]
        names = [name for name in (*slots, *getattr(value, "__dict__", ())) if hasattr(value, name)]
        return {"kind": _name(type(value)), **_attributes(value, names)}
    # An address differs from process to process.
    return f"{_module(value)}.{re.sub(' at 0x[0-9a-fA-F]+', '', repr(value))}"


def _attributes(value: Any, names: Any) -> dict[str, Any]:
    return {name: describe(getattr(value, name)) for name in names}


def _name(value: Any) -> str:
    return f"{_module(value)}.{value.__qualname__}"


def _module(value: Any) -> str:
    # The main script has another name in workers that were started anew.
    module = str(getattr(value, "__module__", ""))
    return "__main__" if module == "__mp_main__" else module
