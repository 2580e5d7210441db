"""The tables [[perturbation]]: what is done, and the protocols that say when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from training.config.seeds import read_seeds
from training.config.table import Table
from training.config.values import arguments, required
from training.perturbations import KINDS, PRESETS, Composed, Perturbation
from training.protocols import Once, Periodic, Poisson, Protocol, Renewal, check_epochs
from training.run_group import check_name
from training.treatment import Treatment

MAKERS: dict[str, dict[str, Any]] = {"kind": KINDS, "preset": PRESETS, "parts": {}}
"""Keys that say what is done, exactly one of which must be there, and what they may name."""
PROTOCOLS = ("period", "periods", "rate", "rates", "once", "gamma", "uniform")
"""Keys that say when, at least one of which must be there."""
KEYS = ("name", *PROTOCOLS, "branch_at", "seeds")
MOST = 1000


class Planned(NamedTuple):
    """A treatment, and the key of the table that it comes from."""

    treatment: Treatment
    table: Table
    key: str


def read_treatments(root: Table) -> list[Planned]:
    """Return the treatments of all tables; those of a table with a problem are left out."""
    planned: list[Planned] = []
    for table in root.tables("perturbation"):
        before = len(table.source.problems)
        perturbation = read_perturbation(table, KEYS)
        name = table.read({"name": str}).get("name", "")
        if name:
            check_treatment_name(table, name)
        seeds = read_seeds(table) if "seeds" in table.values else None
        protocols = read_protocols(table)
        if len(planned) + len(protocols) > MOST:
            table.complain(f"is one too many: there may be at most {MOST} treatments, one for each protocol")
            break
        if perturbation is not None and len(table.source.problems) == before:
            planned += [
                Planned(Treatment(perturbation, when, name, seeds), table, key) for key, when in protocols
            ]
    return planned


def read_perturbation(table: Table, also: Sequence[str] = ()) -> Perturbation | None:
    """Return what is done; None, with complaints, where that is not sound."""
    given = [key for key in MAKERS if key in table.values]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "lacks a key"
        table.complain(f"{found}; give one of {', '.join(MAKERS)}", given[-1] if given else None)
        return None
    [key] = given
    if key == "parts":
        table.check_keys(["parts", *also])
        parts = [read_perturbation(part) for part in table.tables("parts")]
        sound = [part for part in parts if part is not None]
        if len(sound) < len(parts) or not isinstance(table.values["parts"], list):
            return None
        try:
            return Composed(tuple(sound))
        except ValueError as problem:
            table.report(problem, ["parts"])
            return None
    make = table.choose(key, MAKERS[key])
    if make is None:
        return None
    table.check_keys([key, *also, *arguments(make)], required(make))
    return table.build(make)


def read_protocols(table: Table) -> list[tuple[str, Protocol]]:
    """Return the protocols of a table, each with the key that it comes from."""
    if not any(key in table.values for key in PROTOCOLS):
        table.complain(f"does not say when; give at least one of {', '.join(PROTOCOLS)}")
    for one, many in (("period", "periods"), ("rate", "rates")):
        if one in table.values and many in table.values:
            table.complain(f"{one} and {many} exclude each other; give one of them", many)
    found: list[tuple[str, Protocol]] = []
    periodic = [*_each(table, "period", int, Periodic), *_each(table, "periods", int, Periodic)]
    found += periodic
    found += [*_each(table, "rate", float, Poisson), *_each(table, "rates", float, Poisson)]
    found += _each(table, "once", int, Once)
    found += _branches(table, [when.period for _, when in periodic])
    for key, make in (("gamma", gamma), ("uniform", uniform)):
        if key in table.values:
            inner = table.table(key)
            law = inner.fill(make) if isinstance(table.values[key], dict) else None
            found += [] if law is None else [(key, law)]
    return found


def gamma(shape: float, scale: float) -> Renewal:
    """Return gamma intervals of mean ``shape * scale`` epochs, rounded up."""
    from scipy import stats

    from theory.protocols import renewal

    for name, value in (("shape", shape), ("scale", scale)):
        if not 1e-3 <= value <= 1e6:
            raise ValueError(f"`{name}` must lie between 0.001 and 1,000,000, got {value:g}")
    return Renewal(renewal(stats.gamma(shape, scale=scale)))


def uniform(shortest: int, longest: int) -> Renewal:
    """Return intervals of all whole numbers of epochs from ``shortest`` to ``longest``, equally likely."""
    from scipy import stats

    from theory.protocols import renewal

    check_epochs("shortest", shortest)
    if longest < shortest:
        raise ValueError(f"`longest` must be at least `shortest`, {shortest}, got {longest}")
    return Renewal(renewal(stats.randint(shortest, longest + 1), name="uniform intervals"))


def _branches(table: Table, periods: Sequence[int]) -> list[tuple[str, Protocol]]:
    if "branch_at" in table.values and not ("period" in table.values or "periods" in table.values):
        table.complain(
            "branch_at needs a period: there the first perturbation comes, each period another", "branch_at"
        )
    epochs = [first for _, first in _each(table, "branch_at", int, _first)]
    # A branch at the period is the periodic treatment itself.
    return [("branch_at", Periodic(each, first)) for each in periods for first in epochs if first != each]


def _first(branch_at: int) -> int:
    check_epochs("branch_at", branch_at)
    return branch_at


def _each(table: Table, key: str, kind: type, make: Callable[[Any], Any]) -> list[tuple[str, Any]]:
    """Make one of each number of a key: a single one, a list, or for ``once`` and ``branch_at`` either."""
    listed = isinstance(table.values.get(key), list) if key in ("once", "branch_at") else key.endswith("s")
    values = table.read({key: tuple[kind, ...] if listed else kind})  # type: ignore[valid-type]
    if values.get(key) == ():
        table.complain(f"{key} must hold at least one number, got []", key)
    made = []
    for value in values.get(key, ()) if listed else values.values():
        try:
            made.append((key, make(value)))
        except ValueError as problem:
            table.report(problem, [key], otherwise=key)
    return made


def check_treatment_name(table: Table, name: str) -> None:
    """Complain of a name that a runs file cannot hold."""
    try:
        check_name("name", name, "/:")
    except ValueError as problem:
        table.report(problem, ["name"], otherwise="name")
