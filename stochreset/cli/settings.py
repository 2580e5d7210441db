"""How the texts of ``stochreset simulate`` become parameters, a protocol and a perturbation."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stochreset.models import Model, Parameter

PERTURBATIONS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "reset": ("Reset", ("to",), 0),
    "partial": ("PartialReset", ("factor",), 1),
    "shrink": ("ShrinkPerturb", ("shrink", "noise"), 2),
    "kick": ("Kick", ("noise", "shift"), 1),
    "switch": ("SwitchPotential", (), 0),
}
"""Name to class in `stochreset.perturbations`, its arguments, and how many of them are needed."""
LARGEST = 2**63
"""Whole numbers of this size and beyond do not fit into arrays."""
LONGEST = 60
"""Characters of what was given that messages show."""
FORMS = "reset[:X], partial:C, shrink:LAMBDA:GAMMA, kick:NOISE[:SHIFT] or switch"


def parse_parameters(model: Model, texts: Sequence[str]) -> dict[str, Any]:
    """Read the parameters of a model from texts such as ``diffusion=0.5``."""
    known = {each.name: each for each in model.parameters()}
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(
                f"`--set` must look like NAME=VALUE, got {shortened(text)}; {_allowed(model, known)}"
            )
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ValueError(f"`--set` {name!r} is not a parameter; {hint}{_allowed(model, known)}")
        if name in values:
            raise ValueError(f"`--set` gives {name} twice; give it once")
        values[name] = _value(known[name], value)
    return values


def _allowed(model: Model, known: dict[str, Parameter]) -> str:
    return f"{model.name} has: {', '.join(known)}"


def _value(parameter: Parameter, text: str) -> Any:
    """Value of a parameter: a number where its annotation asks for one, otherwise numbers, or lists of them."""
    value = _read(text)
    leaves = list(_leaves(value))
    words = set(re.findall(r"[A-Za-z]+", parameter.kind))
    if any(isinstance(each, float) and math.isnan(each) for each in leaves):
        wanted = "a number, not NaN"
    elif not words <= {"float", "int", "None"}:
        if leaves and all(isinstance(each, int | float) for each in leaves):
            return value
        wanted = "a number, or a list of numbers or of such lists"
    elif value is None and "None" in words:
        return value
    elif isinstance(value, bool) or not isinstance(value, int | float):
        wanted = "a number"
    elif isinstance(value, float) and "float" not in words:
        large = math.isfinite(value) and abs(value) >= LARGEST
        wanted = "a whole number below 2**63 in size" if large else "a whole number"
    else:
        return value
    default = json.dumps(parameter.default, default=str)
    raise ValueError(
        f"`--set` {parameter.name} must be {wanted}, got {shortened(text)}; its default is {default}"
    )


def _read(text: str) -> Any:
    """What JSON makes of a text, else a number such as .5, else the text."""
    try:
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):  # as of a thousand brackets
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _integer(digits: str) -> int | float:
    """A whole number; as a float, infinite if need be, where it is beyond what arrays hold."""
    return int(digits) if len(digits) <= 20 and abs(int(digits)) < LARGEST else float(digits)


def _leaves(value: Any) -> Iterator[Any]:
    """What nested lists hold, in no order; not recursive, for JSON nests deeper than Python calls."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        else:
            yield each


def shortened(text: str) -> str:
    """A text in quotes as messages show it."""
    return repr(text) if len(text) <= LONGEST else f"{text[:LONGEST]!r}..."


def positive(option: str, value: float | None, way_out: str) -> float | None:
    """Return an option that must be a positive finite number, if it is given at all."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise ValueError(f"`{option}` must be a positive finite number, got {value:g}; {way_out}")
    return value


def parse_protocol(poisson: float | None, period: float | None, once: float | None) -> Any:
    """Make the protocol from the one option that is given, or None."""
    from stochreset.protocols import Once, Periodic, Poisson

    given: dict[str, tuple[Any, float | None]] = {
        "--poisson": (Poisson, poisson),
        "--period": (Periodic, period),
        "--once": (Once, once),
    }
    chosen = [option for option, (_, value) in given.items() if value is not None]
    if len(chosen) > 1:
        raise ValueError(f"`{'` and `'.join(chosen)}` exclude each other; give one of them")
    for option in chosen:
        kind, value = given[option]
        return kind(positive(option, value, "leave it out for no perturbation"))
    return None


def parse_perturbation(text: str | None, protocol: Any) -> Any:
    """Make the perturbation from a text such as ``shrink:0.5:0.1``, or None."""
    from stochreset import perturbations

    if text is None:
        return None
    if protocol is None:
        raise ValueError(
            f"`--perturbation` {shortened(text)} needs to know when; give `--poisson RATE`, `--period P` or `--once T`"
        )
    name, *values = text.split(":")
    kind, arguments, needed = PERTURBATIONS.get(name, ("", (), 0))
    numbers = [_read(value) for value in values]
    sound = all(isinstance(x, int | float) and not isinstance(x, bool) for x in numbers)
    if not kind or not sound or not needed <= len(numbers) <= len(arguments):
        raise ValueError(f"`--perturbation` must be {FORMS}, with numbers, got {shortened(text)}")
    try:
        return getattr(perturbations, kind)(*numbers)
    except ValueError as problem:
        raise ValueError(f"`--perturbation` {shortened(text)}: {problem}; the forms are {FORMS}") from None


def in_options(message: str) -> str:
    """Rename the arguments of `stochreset.simulate` in a message to the options they come from."""
    return re.sub(r"`(method|dt|horizon|runs|seed|threads|perturbation)`", r"`--\1`", message)
