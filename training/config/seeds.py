"""Seeds of runs: how many, which ones, or from where on."""

from __future__ import annotations

from training.config.errors import show
from training.config.table import Table
from training.treatment import check_seeds

MOST = 1_000_000
FORMS = "a number of runs, a list of seeds, or {first = 100, count = 50}"


def read_seeds(table: Table) -> tuple[int, ...] | None:
    """Return the seeds that the key ``seeds`` gives; None, with a complaint, where it gives none."""
    value = table.values.get("seeds")
    if isinstance(value, dict):
        return table.table("seeds").fill(seed_range)
    if not isinstance(value, int | list) or isinstance(value, bool):
        table.complain(f"seeds must be {FORMS}, got {show(value)}", "seeds")
        return None
    try:
        if isinstance(value, int):
            return seed_range(first=0, count=value)
        listed = table.read({"seeds": tuple[int, ...]}).get("seeds")
        return None if listed is None else check_seeds(listed)
    except ValueError as problem:
        table.complain(str(problem).replace("`count`", "seeds").replace("`", ""), "seeds")
        return None


def seed_range(count: int, first: int = 0) -> tuple[int, ...]:
    """Return ``count`` seeds from ``first`` on."""
    if not 1 <= count <= MOST:
        raise ValueError(f"`count` must be a number of runs from 1 to {MOST:,}, got {show(count)}")
    if not 0 <= first < 2**63 - MOST:
        raise ValueError(f"`first` must be a seed of at least 0, got {first}")
    return tuple(range(first, first + count))
