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
FORMS = "reset[:X], partial:C, shrink:LAMBDA:GAMMA, kick:NOISE[:SHIFT] or switch"


def parse_parameters(model: Model, texts: Sequence[str]) -> dict[str, Any]:
    """Read the parameters of a model from texts such as ``diffusion=0.5``."""
    known = {each.name: each for each in model.parameters()}
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"`--set` must look like NAME=VALUE, got {text!r}; {_allowed(model, known)}")
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
    """Value of a parameter: a number where its annotation asks for one, otherwise what JSON makes of it."""
    value = _read(text)
    words = set(re.findall(r"[A-Za-z]+", parameter.kind))
    if any(math.isnan(number) for number in _numbers(value)):
        wanted = "a number, not NaN"
    elif not words <= {"float", "int", "None"}:
        return value
    elif value is None and "None" in words:
        return value
    elif isinstance(value, bool) or not isinstance(value, int | float):
        wanted = "a number"
    elif isinstance(value, float) and "float" not in words:
        wanted = "a whole number"
    else:
        return value
    default = json.dumps(parameter.default, default=str)
    raise ValueError(f"`--set` {parameter.name} must be {wanted}, got {text!r}; its default is {default}")


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, float):
        yield value


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
            f"`--perturbation` {text!r} needs to know when; give `--poisson RATE`, `--period P` or `--once T`"
        )
    name, *values = text.split(":")
    kind, arguments, needed = PERTURBATIONS.get(name, ("", (), 0))
    numbers = [_read(value) for value in values]
    sound = all(isinstance(x, int | float) and not isinstance(x, bool) for x in numbers)
    if not kind or not sound or not needed <= len(numbers) <= len(arguments):
        raise ValueError(f"`--perturbation` must be {FORMS}, with numbers, got {text!r}")
    try:
        return getattr(perturbations, kind)(*numbers)
    except ValueError as problem:
        raise ValueError(f"`--perturbation` {text!r}: {problem}; the forms are {FORMS}") from None


def in_options(message: str) -> str:
    """Rename the arguments of `stochreset.simulate` in a message to the options they come from."""
    return re.sub(r"`(method|dt|horizon|runs|seed|threads|perturbation)`", r"`--\1`", message)
