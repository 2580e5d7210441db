"""Text and numbers of CSV files, read strictly and within limits."""

from __future__ import annotations

import math
import re
from pathlib import Path

MOST_BYTES = 64 * 2**20
"""Size of a file."""
LONGEST_FIELD = 200
"""Characters of a field, a column name included."""
NUMBER = re.compile(
    r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf|infinity)\s*", re.ASCII | re.IGNORECASE
)


def number(text: str) -> float:
    """Convert text to a number more strictly than `float`: decimal ASCII digits that do not overflow, nan or inf.

    Examples
    --------
    >>> number("7.25e1"), number("-inf")
    (72.5, -inf)
    >>> number("1_000")
    Traceback (most recent call last):
        ...
    ValueError: '1_000' is not a number
    """
    if len(text) > LONGEST_FIELD or not NUMBER.fullmatch(text):
        raise ValueError(f"{text[:LONGEST_FIELD]!r} is not a number")
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise ValueError(f"{text!r} is too large for a number; write inf where a run diverged")
    return value


def read_text(path: Path) -> str:
    """Return the text of a CSV file in UTF-8, of limited size."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ValueError(
                f"larger than {MOST_BYTES:,} bytes, the most that is read; one run a file is expected"
            )
        return raw.decode("utf-8-sig")
    except (UnicodeDecodeError, OSError) as problem:
        raise ValueError(f"not readable as UTF-8 text: {problem}") from None


def is_number(text: str) -> bool:
    """Whether `number` can convert a text."""
    try:
        number(text)
    except ValueError:
        return False
    return True
