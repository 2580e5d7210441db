"""Tables of the options of a command, read from the function that it calls."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, CommandInfo

KINDS = {int: "WHOLE NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}


def commands() -> dict[str, CommandInfo]:
    """Every command of ``stochreset`` by name."""
    from stochreset.cli import app

    return {str(each.name): each for each in app.registered_commands}


def options_table(name: str) -> str:
    """What a command does, its arguments and options, in Markdown."""
    function: Any = commands()[name].callback
    about = inspect.getdoc(function) or ""
    hints = get_type_hints(function, include_extras=True)
    rows, arguments = [], []
    for each in inspect.signature(function).parameters.values():
        kind, info = parts(hints[each.name])
        if isinstance(info, ArgumentInfo):
            arguments.append(info.metavar or each.name.upper())
            continue
        options = [text for text in info.param_decls or () if text.startswith("-")]
        option = options[0].split("/")[0] if options else "--" + each.name.replace("_", "-")
        value = "" if kind is bool else f"`{info.metavar or value_name(kind)}`"
        rows.append(f"| `{option}` | {cell(value)} | {cell(str(info.help))}{default_text(each, info.help)} |")
    usage = " ".join(["stochreset", name, *arguments, *(["[OPTIONS]"] if rows else [])])
    return "\n".join([about, "", f"`{usage}`", "", "| option | value | |", "|---|---|---|", *rows])


def parts(hint: Any) -> tuple[Any, Any]:
    """Type of a parameter, without None and lists, and what typer was told of it."""
    kind, info = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, None)
    if get_origin(kind) in (UnionType, Union):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return (get_args(kind)[0] if get_origin(kind) is list else kind), info


def value_name(kind: Any) -> str:
    """What stands for a value of this type."""
    return "|".join(map(str, get_args(kind))) if get_origin(kind) is Literal else KINDS[kind]


def default_text(parameter: inspect.Parameter, about: str | None) -> str:
    """The default in words, unless the help names it."""
    if parameter.default is inspect.Parameter.empty:
        return " Needed."
    if parameter.default in (None, False) or "default" in (about or ""):
        return ""
    return f" Default: {parameter.default}."


def cell(text: str) -> str:
    """Text within a table."""
    return text.replace("|", r"\|")
