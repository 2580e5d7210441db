"""The record of a closed-loop search, as far as a runs file holds one: nothing in it is taken for granted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

STEPS = ("pilot", "probe", "refine", "confirm")


class SearchRecord:
    """Parts of the record ``provenance["optimize"]``; what is missing or of another kind is left out.

    Parameters
    ----------
    document : mapping
        As in the file.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.sentence = text(document.get("sentence"))
        self.horizon = number(document.get("horizon"))
        self.answers = mappings(document.get("answers"))
        self.steps = mappings(document.get("steps"))
        cost = document.get("cost")
        self.cost = {
            str(name): value
            for name, each in (cost.items() if isinstance(cost, Mapping) else ())
            if (value := number(each)) is not None
        }

    def step_costs(self) -> dict[str, float]:
        """Epochs of each kind of step, from the record's own account or else from its steps."""
        found = {name: self.cost[name] for name in STEPS if name in self.cost}
        if found:
            return found
        for step in self.steps:
            name, epochs = text(step.get("step")) or "other", number(step.get("epochs"))
            if epochs is not None:
                found[name] = found.get(name, 0.0) + epochs
        return found


def search_record(provenance: Mapping[str, Any]) -> SearchRecord | None:
    """Record of the search that made the runs; None where they were not made by one."""
    document = recorded(provenance, "optimize")
    return SearchRecord(document) if isinstance(document, Mapping) and document else None


def recorded(provenance: Mapping[str, Any], key: str) -> Any:
    """Entry of the provenance, or of its ``config``; None where there is neither."""
    config = provenance.get("config")
    inner = config.get(key) if isinstance(config, Mapping) else None
    return provenance.get(key, inner)


def text(value: Any) -> str | None:
    """Text that is there and not empty."""
    return value.strip() if isinstance(value, str) and value.strip() else None


def number(value: Any) -> float | None:
    """Finite number that is there.

    Examples
    --------
    >>> number(3), number(None), number(True), number("3")
    (3, None, None, None)
    """
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return value if known and math.isfinite(value) else None


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Objects of a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
