"""Where in a TOML file tables and keys stand, which tomllib does not tell."""

from __future__ import annotations

import re
import tomllib

Place = tuple[str | int, ...]
"""Names of tables and key, with a number after that of an array of tables: ("perturbation", 1, "shrink")."""

PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
KEY = rf"{PART}(?:[ \t]*\.[ \t]*{PART})*"
DEEPEST = 8
"""No configuration is nested deeper; what is, stands where its eighth table does."""
BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
STATEMENT = re.compile(rf"(?P<opening>\[\[?)?[ \t]*(?P<key>{KEY})[ \t]*(?(opening)\]\]?|=)")
TOKEN = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"""(?:"{0,2})'
    r"|'''[\s\S]*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]"
    r"""|[^"'#\[\]{}\n]+"""
)
"""What a value is made of: texts and comments as a whole, brackets and ends of lines one by one."""


class Lines:
    r"""Lines of the tables and keys of a text that tomllib could read.

    Examples
    --------
    >>> lines = Lines('[data]\nkind = "digits"\n\n[[perturbation]]\nperiods = [\n  20,\n]\nname = "sp"')
    >>> lines.of("data", "kind"), lines.of("perturbation", 0, "name"), lines.of("data", "root")
    (2, 8, 1)
    """

    def __init__(self, text: str) -> None:
        self._found: dict[Place, int] = {}
        self._counts: dict[Place, int] = {}
        table: Place = ()
        at, seen, line = 0, 0, 1
        while statement := STATEMENT.match(text, at := _end(BLANK, text, at)):
            line, seen = line + text.count("\n", seen, at), at
            parts = _parts(statement["key"])
            if statement["opening"]:
                table = self._open(parts, line, many=statement["opening"] == "[[")
                at = statement.end()
            else:
                for count in range(1, len(parts) + 1):
                    self._found.setdefault((*table, *parts[:count]), line)
                at = _after_value(text, statement.end())

    def of(self, *place: str | int) -> int | None:
        """Return the line of a key; where it has none, as in an inline table, that of what holds it."""
        while place and place not in self._found:
            place = place[:-1]
        return self._found.get(place)

    def _open(self, parts: list[str], line: int, many: bool) -> Place:
        table: Place = ()
        for part in parts[:-1]:
            table = self._last((*table, part))
            self._found.setdefault(table, line)
        table = (*table, parts[-1])
        if many:
            self._counts[table] = self._counts.get(table, -1) + 1
            self._found.setdefault(table, line)
            table = self._last(table)
        self._found[table] = line
        return table

    def _last(self, table: Place) -> Place:
        return (*table, self._counts[table]) if table in self._counts else table


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _parts(key: str) -> list[str]:
    if re.fullmatch(r"[A-Za-z0-9_-]+", key):
        return [key]
    parts: list[str] = []
    tree = tomllib.loads(f"{key} = 0")
    while isinstance(tree, dict) and len(parts) < DEEPEST:
        [(part, tree)] = tree.items()
        parts.append(part)
    return parts


def _after_value(text: str, at: int) -> int:
    depth = 0
    for token in TOKEN.finditer(text, at):
        match token[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case "\n" if depth == 0:
                return token.end()
    return len(text)
